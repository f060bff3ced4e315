import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { adopt, finish } from "../src/image/finish.ts";
import { OCI_MANIFEST } from "../src/image/model.ts";
import { writeArchive } from "../src/image/write-archive.ts";
import type { Preparation } from "../src/phases/prepare.ts";
import { bytesOf, COMMIT_TIME, digestOf, dockerArchive, makeFolder, tarOf } from "./image-kit.ts";
import { base, prepareBytes, signal, young } from "./prepare-kit.ts";

describe("what is pushed", () => {
  const ending = () => ({
    annotations: new Map([
      ["b", "2"],
      ["a", "1"],
    ]),
    folder: makeFolder(),
    signal,
  });

  test("manifest, config and layers fit together, and every byte is there", async () => {
    const { image } = await prepareBytes(await dockerArchive([base, young]));
    const pushed = await finish(image, ending());
    const manifest = JSON.parse(pushed.manifest.bytes.toString());
    expect(digestOf(pushed.manifest.bytes)).toBe(pushed.manifest.digest);
    expect(manifest.config.digest).toBe(image.configDigest);
    expect(manifest.annotations).toEqual({ a: "1", b: "2" });
    for (const [index, layer] of pushed.layers.entries()) {
      const bytes = await bytesOf(layer.open());
      expect([digestOf(bytes), bytes.length]).toEqual([layer.digest, layer.size]);
      expect(digestOf(gunzipSync(bytes))).toBe(image.layers[index]?.diffId);
      expect(manifest.layers[index]).toEqual({
        mediaType: layer.mediaType,
        digest: layer.digest,
        size: layer.size,
      });
    }
    expect(pushed.sizeCompressed).toBe(
      pushed.config.size + pushed.layers.reduce((sum, one) => sum + one.size, 0),
    );
  });

  test("another time of building is the same digest; another content or commit is not", async () => {
    const late = await tarOf([
      { name: "a", content: "1", time: COMMIT_TIME + 100 },
      { name: "b", content: "2", time: COMMIT_TIME + 200 },
    ]);
    const other = await tarOf([{ name: "a", content: "1!", time: COMMIT_TIME + 100 }]);
    const digest = async (layers: Buffer[], built: string, more: Partial<Preparation> = {}) => {
      const traces = { container: built, docker_version: built, created: built };
      const { image } = await prepareBytes(await dockerArchive(layers, traces), more);
      return (await finish(image, ending())).manifest.digest;
    };
    const one = await digest([base, young], "2030-01-01T00:00:00Z");
    expect(await digest([base, late], "2031-01-01T00:00:00Z")).toBe(one);
    expect(await digest([base, other], "2030-01-01T00:00:00Z")).not.toBe(one);
    expect(await digest([base, young], "2030-01-01T00:00:00Z", { commitTime: COMMIT_TIME + 1 })).not.toBe(
      one,
    );
    expect(await digest([base, young], "2030-01-01T00:00:00Z", { labels: new Map([["x", "y"]]) })).not.toBe(
      one,
    );
  });

  test("what the build itself made is as old as the commit, however old its files or its cache are", async () => {
    const steps = ["RUN", "ENV", "COPY"];
    const digest = async (created: string, time: number, more: Partial<Preparation> = { steps }) => {
      const own = await tarOf([{ name: "a", content: "1", time }]);
      const history = [
        { created: "1970-01-01T00:00:00Z", created_by: "/bin/sh -c #(nop) ADD file:1 in / " },
        { created, created_by: "/bin/sh -c make a" },
        { created, created_by: "/bin/sh -c #(nop)  ENV A=b", empty_layer: true },
        { created, created_by: "COPY b / # buildkit" },
      ];
      const { image } = await prepareBytes(await dockerArchive([base, own, own], { history }), more);
      return { digest: (await finish(image, ending())).manifest.digest, first: image.layers[0]?.diffId };
    };
    const late = await digest("2031-01-01T00:00:00Z", COMMIT_TIME + 100);
    expect(await digest("2001-01-01T00:00:00Z", COMMIT_TIME - 100)).toEqual(late);
    expect(late.first).toBe(digestOf(base));
    // A history that does not fit tells nothing: then the base's layers are not known, and none is made older.
    for (const other of [
      ["RUN", "RUN", "COPY"],
      ["COPY", "ENV", "COPY"],
      [...steps, ...steps],
    ]) {
      const kept = await digest("2001-01-01T00:00:00Z", COMMIT_TIME - 100, { steps: other });
      expect([kept.first, kept.digest === late.digest]).toEqual([late.first, false]);
    }
  });

  test("without `reproducible` times, order and traces stay as the engine made them", async () => {
    const bytes = await dockerArchive([young], { container: "abc", created: "2030-01-01T00:00:00Z" });
    const { image } = await prepareBytes(bytes, { commitTime: undefined });
    expect(image.layers[0]?.diffId).toBe(digestOf(young));
    expect([image.config.created, image.config["container"]]).toEqual(["2030-01-01T00:00:00Z", "abc"]);
  });

  test("an image that a registry has is adopted without compressing; another one is not", async () => {
    const { image } = await prepareBytes(await dockerArchive([base, young]));
    const before = await finish(image, ending());
    const found = { mediaType: OCI_MANIFEST, bytes: before.manifest.bytes };
    const again = adopt(image, found, ending());
    expect(again?.manifest.digest).toBe(before.manifest.digest);
    const bytes = await bytesOf(again?.layers[1]?.open());
    expect(digestOf(bytes)).toBe(before.layers[1]?.digest);
    const labelled = await prepareBytes(await dockerArchive([base, young]), {
      labels: new Map([["a", "b"]]),
    });
    expect(adopt(labelled.image, found, ending())).toBeUndefined();
    expect(adopt(image, { ...found, mediaType: "application/json" }, ending())).toBeUndefined();
    expect(adopt(image, { ...found, bytes: Buffer.from("{") }, ending())).toBeUndefined();
  });

  test("an adopted layer that comes out otherwise now is an error, never other bytes under its digest", async () => {
    const { image } = await prepareBytes(await dockerArchive([base]));
    const before = JSON.parse((await finish(image, ending())).manifest.bytes.toString());
    before.layers[0].digest = digestOf("something else");
    const adopted = adopt(
      image,
      { mediaType: OCI_MANIFEST, bytes: Buffer.from(JSON.stringify(before)) },
      ending(),
    );
    const reading = bytesOf(adopted?.layers[0]?.open());
    await expect(reading).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  test("the archive for scanners and `docker load` reads back as the same image", async () => {
    const { image } = await prepareBytes(await dockerArchive([base, young, base]), {
      labels: new Map([["l", "v"]]),
    });
    const path = join(makeFolder(), "out.tar");
    await writeArchive(image, ["name:tag"], path, signal);
    const { image: again } = await prepareBytes(readFileSync(path));
    expect(again.configDigest).toBe(image.configDigest);
    expect(again.labels).toEqual({ l: "v" });
  });
});

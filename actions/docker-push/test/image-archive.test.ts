import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { adopt, finish } from "../src/image/finish.ts";
import { OCI_MANIFEST } from "../src/image/model.ts";
import { type Preparation, prepare } from "../src/image/prepare.ts";
import { writeArchive } from "../src/image/write-archive.ts";
import {
  bytesOf,
  COMMIT_TIME,
  configOf,
  digestOf,
  dockerArchive,
  fileOf,
  makeFolder,
  tarOf,
} from "./image-kit.ts";

const signal = new AbortController().signal;

function how(more: Partial<Preparation> = {}): Preparation {
  return {
    commitTime: COMMIT_TIME,
    labels: new Map(),
    secretValues: undefined,
    folder: makeFolder(),
    signal,
    ...more,
  };
}

async function prepareBytes(bytes: Buffer, more: Partial<Preparation> = {}) {
  const images = await prepare({ path: fileOf(bytes), platform: "" }, how(more));
  const [image] = images;
  if (!image) throw new Error("no image");
  return { image, images };
}

const base = await tarOf([
  { name: "bin/", type: "directory" },
  { name: "bin/sh", content: "shell", mode: 0o755 },
]);
const young = await tarOf([
  { name: "b", content: "2", time: COMMIT_TIME + 9 },
  { name: "a", content: "1", time: COMMIT_TIME + 7 },
]);

function blobs(documents: readonly Buffer[]) {
  return documents.map((content) => ({ name: `blobs/sha256/${digestOf(content).slice(7)}`, content }));
}

/** An OCI layout of several platforms with gzipped layers and an attestation, as buildx writes it. */
async function ociLayout(architectures: readonly string[]) {
  const documents: Buffer[] = [];
  const put = (bytes: Buffer) => {
    documents.push(bytes);
    return { digest: digestOf(bytes), size: bytes.length };
  };
  const manifests = architectures.map((architecture) => {
    const config = put(Buffer.from(JSON.stringify(configOf([base, young], { architecture }))));
    const layers = [put(gzipSync(base)), put(young)];
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers };
    return {
      mediaType: OCI_MANIFEST,
      ...put(Buffer.from(JSON.stringify(manifest))),
      platform: { os: "linux", architecture },
    };
  });
  const about = configOf([base], { os: "unknown", architecture: "unknown" });
  const statement = { config: put(Buffer.from(JSON.stringify(about))), layers: [put(base)] };
  const attestation = {
    ...put(Buffer.from(JSON.stringify(statement))),
    platform: { os: "unknown", architecture: "unknown" },
  };
  const nested = put(Buffer.from(JSON.stringify({ manifests: [...manifests, attestation] })));
  const index = {
    schemaVersion: 2,
    manifests: [{ mediaType: "application/vnd.oci.image.index.v1+json", ...nested }],
  };
  return [
    ...blobs(documents),
    { name: "oci-layout", content: '{"imageLayoutVersion":"1.0.0"}' },
    { name: "index.json", content: JSON.stringify(index) },
  ];
}

describe("reading exports", () => {
  test("docker save: an old layer keeps its bytes, a young one becomes reproducible", async () => {
    const { image } = await prepareBytes(await dockerArchive([base, young]));
    expect(image.layers[0]?.diffId).toBe(digestOf(base));
    expect(image.layers[1]?.diffId).not.toBe(digestOf(young));
    expect(Buffer.concat([...(image.layers[0]?.chunks() ?? [])]).equals(base)).toBe(true);
    expect(digestOf(Buffer.concat([...(image.layers[1]?.chunks() ?? [])]))).toBe(image.layers[1]?.diffId);
    expect(image.config.rootfs.diff_ids).toEqual(image.layers.map((layer) => layer.diffId));
    expect(image.configDigest).toBe(digestOf(image.configBytes));
    expect(image.config.created).toBe("2023-11-14T22:13:20Z");
  });

  test("an OCI layout gives one image per platform; tar, gzipped tar and folder are the same", async () => {
    const files = await ociLayout(["amd64", "arm64"]);
    const tar = await tarOf(files);
    const { images } = await prepareBytes(tar);
    expect(images.map((image) => image.platform.architecture)).toEqual(["amd64", "arm64"]);
    const folder = makeFolder();
    for (const { name, content } of files) {
      mkdirSync(join(folder, dirname(name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    const unpacked = await prepare({ path: folder, platform: "" }, how());
    const zipped = await prepareBytes(gzipSync(tar));
    const ids = images.map((image) => image.configDigest);
    expect(unpacked.map((image) => image.configDigest)).toEqual(ids);
    expect(zipped.images.map((image) => image.configDigest)).toEqual(ids);
    const saved = await prepareBytes(await dockerArchive([base, young]));
    expect(saved.image.configDigest).toBe(ids[0]);
  });

  test("a layer that is a symbolic link to another, as old engines store repeated ones", async () => {
    const config = JSON.stringify(configOf([base, base]));
    const names = ["one/layer.tar", "two/layer.tar"];
    const bytes = await tarOf([
      { name: "one/layer.tar", content: base },
      { name: "two/layer.tar", type: "symlink", linkname: "../one/layer.tar" },
      { name: "c.json", content: config },
      { name: "manifest.json", content: JSON.stringify([{ Config: "c.json", Layers: names }]) },
    ]);
    const { image } = await prepareBytes(bytes);
    expect(image.layers.map((layer) => layer.diffId)).toEqual([digestOf(base), digestOf(base)]);
  });

  test("archives that are none, broken or ambiguous are refused with the reason", async () => {
    const two = JSON.stringify([
      { Config: "a.json", Layers: [] },
      { Config: "b.json", Layers: [] },
    ]);
    const cases: readonly (readonly [Buffer, string])[] = [
      [Buffer.from("no tar at all".repeat(100)), "is no tar"],
      [await tarOf([{ name: "x", content: "1" }]), "neither manifest.json nor index.json"],
      [await tarOf([{ name: "manifest.json", content: "[" }]), "is no JSON"],
      [await tarOf([{ name: "manifest.json", content: "[]" }]), "holds no image"],
      [await tarOf([{ name: "manifest.json", content: two }]), "holds 2 images"],
      [
        await dockerArchive([base], { rootfs: { type: "layers", diff_ids: [] } }),
        "lists 0 layers, there are 1",
      ],
      [await dockerArchive([young], { rootfs: { diff_ids: [digestOf(base)] } }), "is damaged"],
      [await dockerArchive([base], { rootfs: { diff_ids: [digestOf(young)] } }), "is damaged"],
      [(await dockerArchive([base])).subarray(0, 1500), "ends in the middle"],
    ];
    for (const [bytes, reason] of cases) await expect(prepareBytes(bytes)).rejects.toThrow(reason);
    await expect(prepare({ path: "/does/not/exist", platform: "" }, how())).rejects.toThrow(
      "no image archive",
    );
  });

  test("a blob of an OCI layout with other bytes than its digest says is refused", async () => {
    const files = await ociLayout(["amd64"]);
    const broken = files.map((file) =>
      file.content.toString().includes('"rootfs"') ? { ...file, content: `${file.content} ` } : file,
    );
    await expect(prepareBytes(await tarOf(broken))).rejects.toThrow("has other bytes");
  });
});

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

test("wasted bytes: what later layers replace, delete or hide", async () => {
  const layers = await Promise.all([
    tarOf([
      { name: "replaced", content: "x".repeat(10) },
      { name: "deleted", content: "x".repeat(200) },
      { name: "dir/in", content: "x".repeat(3000) },
      { name: "opaque/in", content: "x".repeat(40) },
      { name: "kept", content: "x".repeat(500) },
    ]),
    tarOf([
      { name: "replaced", content: "y" },
      { name: ".wh.deleted", content: "" },
      { name: ".wh.dir", content: "" },
      { name: "opaque/.wh..wh..opq", content: "" },
      { name: "opaque/new", content: "z" },
    ]),
  ]);
  const { image } = await prepareBytes(await dockerArchive(layers));
  expect(image.layers.map((layer) => layer.wasted)).toEqual([3250, 0]);
});

test("wanted files are the last version, without what was deleted", async () => {
  const layers = await Promise.all([
    tarOf([
      { name: "a/package.json", content: "1" },
      { name: "b/package.json", content: "2" },
      { name: "c", content: "3" },
    ]),
    tarOf([
      { name: "a/package.json", content: "1b" },
      { name: ".wh.b", content: "" },
    ]),
  ]);
  const wants = (path: string) => path.endsWith("package.json");
  const { image } = await prepareBytes(await dockerArchive(layers), { wants });
  expect([...image.files].map(([path, bytes]) => [path, bytes.toString()])).toEqual([
    ["/a/package.json", "1b"],
  ]);
});

test("a cancel ends the reading", async () => {
  const cancelled = AbortSignal.abort(new Error("stop here"));
  await expect(prepareBytes(await dockerArchive([young]), { signal: cancelled })).rejects.toThrow(
    "stop here",
  );
});

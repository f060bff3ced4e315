import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { OCI_MANIFEST } from "../src/image/model.ts";
import { prepare } from "../src/phases/prepare.ts";
import { configOf, digestOf, dockerArchive, makeFolder, tarOf } from "./image-kit.ts";
import { base, how, prepareBytes, young } from "./prepare-kit.ts";

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

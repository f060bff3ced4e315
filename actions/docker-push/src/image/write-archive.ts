import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { tarEnd, tarHeader, tarPadding } from "../../../../lib/archive/tar-header.ts";
import type { PreparedImage } from "./model.ts";

/**
 * Writes the image in `docker save` form (plain layers), for scanners and for
 * `docker load`: the engine that loads it gets the very image id that is pushed.
 */
export async function writeArchive(
  image: PreparedImage,
  references: readonly string[],
  path: string,
  signal: AbortSignal,
): Promise<void> {
  await pipeline(archive(image, references), createWriteStream(path, { mode: 0o600 }), { signal });
}

async function* archive(image: PreparedImage, references: readonly string[]): AsyncGenerator<Buffer> {
  const configName = `${hex(image.configDigest)}.json`;
  const names = image.layers.map((layer) => `${hex(layer.diffId)}/layer.tar`);
  const manifest = [{ Config: configName, RepoTags: references, Layers: names }];
  const written = new Set<string>();
  for (const [index, layer] of image.layers.entries()) {
    const name = names[index] ?? "";
    if (written.has(name)) continue;
    written.add(name);
    yield tarHeader({ path: name, type: "file", mode: 0o644, size: layer.size });
    yield* layer.chunks();
    yield tarPadding(layer.size);
  }
  yield* member(configName, image.configBytes);
  yield* member("manifest.json", Buffer.from(JSON.stringify(manifest)));
  yield tarEnd();
}

function* member(path: string, bytes: Buffer): Generator<Buffer> {
  yield tarHeader({ path, type: "file", mode: 0o644, size: bytes.length });
  yield bytes;
  yield tarPadding(bytes.length);
}

function hex(digest: string): string {
  return digest.replace("sha256:", "");
}

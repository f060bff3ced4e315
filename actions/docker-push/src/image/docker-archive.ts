import { type Archive, asConfig, readDocument, type StoredImage } from "./archive.ts";
import { invalidImage } from "./file-range.ts";

interface SavedImage {
  readonly Config?: unknown;
  readonly Layers?: unknown;
}

/**
 * The image of an archive in `docker save` form. More than one is refused:
 * nothing tells which is meant.
 * https://github.com/moby/docker-image-spec/blob/main/v1.2.md
 */
export function readDockerArchive(archive: Archive): StoredImage[] {
  const { json } = readDocument(archive, "manifest.json");
  const images: readonly SavedImage[] = Array.isArray(json) ? (json as SavedImage[]) : [];
  const configs = new Set(images.map((image) => image.Config));
  const image = images[0];
  if (!image) throw invalidImage(`\`${archive.path}\` holds no image`);
  if (configs.size > 1) throw invalidImage(`\`${archive.path}\` holds ${configs.size} images: save one only`);
  const names = Array.isArray(image.Layers) ? image.Layers.map(String) : [];
  const document = readDocument(archive, String(image.Config));
  const config = asConfig(document.json, names.length, archive.path);
  const layers = names.map((name) => {
    const range = archive.find(name);
    if (!range) throw invalidImage(`\`${archive.path}\` lacks the layer ${name}`);
    return range;
  });
  return [{ config, configBytes: document.bytes, layers }];
}

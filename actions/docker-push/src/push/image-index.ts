import type { ManifestDocument } from "../registry/client.ts";
import { digestOf } from "../registry/manifests.ts";
import type { PushImage } from "./model.ts";

const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

/** Annotations of the index and of its entries; an image of one platform has neither. */
export interface IndexAnnotations {
  readonly index: Readonly<Record<string, string>>;
  descriptor(platform: PushImage["platform"]): Readonly<Record<string, string>>;
}

/**
 * What tags name: the only image's own manifest, or an OCI index of all. A
 * pure function of its arguments, so that the same images give the same digest.
 * https://github.com/opencontainers/image-spec/blob/main/image-index.md
 */
export function rootOf(
  images: readonly [PushImage, ...PushImage[]],
  annotations: IndexAnnotations = { index: {}, descriptor: () => ({}) },
): ManifestDocument {
  if (images.length === 1) return images[0].manifest;
  const index = {
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    manifests: images.map(({ manifest, platform }) => ({
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.bytes.length,
      platform: {
        architecture: platform.architecture,
        os: platform.os,
        ...(platform.variant ? { variant: platform.variant } : {}),
      },
      ...annotated(annotations.descriptor(platform)),
    })),
    ...annotated(annotations.index),
  };
  const bytes = Buffer.from(JSON.stringify(index));
  return { mediaType: INDEX_TYPE, digest: digestOf(bytes), bytes };
}

function annotated(annotations: Readonly<Record<string, string>>) {
  return Object.keys(annotations).length > 0 ? { annotations } : {};
}

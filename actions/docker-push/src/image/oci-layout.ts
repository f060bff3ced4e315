import { createHash } from "node:crypto";
import { type Archive, asConfig, readDocument, type StoredImage } from "./archive.ts";
import { invalidImage } from "./file-range.ts";

interface Descriptor {
  readonly mediaType?: string;
  readonly digest?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly os?: string; readonly architecture?: string };
}

interface Document {
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

/** An index in an index in an index is still plausible; more is a loop. */
const DEEPEST = 4;

/**
 * Every image of an OCI layout, one per platform; documents attached to images
 * (attestations) are left out, since the push makes its own.
 * https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export function readOciLayout(archive: Archive): StoredImage[] {
  const index = readDocument(archive, "index.json").json as Document;
  const found = new Map<string, StoredImage>();
  for (const descriptor of index.manifests ?? []) collect(archive, descriptor, found, 0);
  if (found.size === 0) throw invalidImage(`\`${archive.path}\` holds no image`);
  return [...found.values()];
}

function collect(
  archive: Archive,
  descriptor: Descriptor,
  found: Map<string, StoredImage>,
  depth: number,
): void {
  if (isAttachment(descriptor)) return;
  if (depth > DEEPEST) throw invalidImage(`\`${archive.path}\`: its indexes do not end`);
  const document = readBlob(archive, descriptor);
  if (document.manifests) {
    for (const child of document.manifests) collect(archive, child, found, depth + 1);
    return;
  }
  if (!document.config || !document.layers) return;
  const layers = document.layers.map((layer) => {
    const range = archive.find(blobName(layer));
    if (!range) throw invalidImage(`\`${archive.path}\` lacks the layer ${layer.digest}`);
    return range;
  });
  const config = asConfig(readBlob(archive, document.config), layers.length, archive.path);
  const configBytes = readDocument(archive, blobName(document.config)).bytes;
  const platform = [config.os, config.architecture, config.variant].join("/");
  const known = found.get(platform);
  if (known && JSON.stringify(known.config) !== JSON.stringify(config))
    throw invalidImage(`\`${archive.path}\` holds several images for ${platform}: give one only`);
  found.set(platform, { config, configBytes, layers });
}

function isAttachment(descriptor: Descriptor): boolean {
  const { os, architecture } = descriptor.platform ?? {};
  const unknown = os === "unknown" && architecture === "unknown";
  return unknown || descriptor.annotations?.["vnd.docker.reference.type"] !== undefined;
}

function blobName(descriptor: Descriptor): string {
  const [algorithm, hex] = (descriptor.digest ?? "").split(":");
  return `blobs/${algorithm}/${hex}`;
}

function readBlob(archive: Archive, descriptor: Descriptor): Document {
  const { bytes, json } = readDocument(archive, blobName(descriptor));
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  if (digest !== descriptor.digest)
    throw invalidImage(`\`${archive.path}\`: ${descriptor.digest} has other bytes`);
  return (json ?? {}) as Document;
}

import { type Platform, platformText } from "../image/model.ts";
import type { ManifestDocument, RegistryClient } from "../registry/client.ts";

/** An image that a tag names now: its manifests by platform, "" where the manifest is the tag's own. */
export interface FormerImage {
  readonly name: string;
  readonly manifests: readonly { readonly platform: string; readonly manifest: ManifestDocument }[];
}

/** The images that the first repository's tags name now; undefined entries were not asked for or are not there. */
export interface Formers {
  /** Most likely this very image: the first tag of the plan. */
  readonly same: FormerImage | undefined;
  /** What the first moving tag names: the one to be compared with. */
  readonly moving: FormerImage | undefined;
}

/** Reads what a tag names, an index with its children; undefined when there is no such tag. */
export async function readFormer(
  client: RegistryClient,
  path: string,
  name: string,
  tag: string,
): Promise<FormerImage | undefined> {
  const root = await client.getManifest(path, tag);
  if (!root) return undefined;
  const entries = entriesOf(root);
  if (!entries) return { name: `${name}:${tag}`, manifests: [{ platform: "", manifest: root }] };
  const manifests = [];
  for (const { digest, platform } of entries) {
    const manifest = await client.getManifest(path, digest);
    if (manifest) manifests.push({ platform, manifest });
  }
  return { name: `${name}:${tag}`, manifests };
}

/** The manifest for a platform, undefined when the former image has none. */
export function manifestFor(former: FormerImage, platform: Platform): ManifestDocument | undefined {
  const wanted = platformText(platform);
  return former.manifests.find((item) => item.platform === wanted || item.platform === "")?.manifest;
}

/** Bytes of config and layers as the manifest tells them; undefined when it tells none. */
export function sizeOfManifest(manifest: ManifestDocument): number | undefined {
  const { config, layers } = parse(manifest.bytes);
  const sizes = [config, ...(Array.isArray(layers) ? layers : [])].map((blob) =>
    Number(fieldOf(blob, "size")),
  );
  return sizes.every(Number.isFinite) && config !== undefined
    ? sizes.reduce((sum, size) => sum + size, 0)
    : undefined;
}

/** The images of an index; entries for no platform (attestations of buildx) are none. Undefined when it is no index. */
function entriesOf(root: ManifestDocument): { digest: string; platform: string }[] | undefined {
  const { manifests } = parse(root.bytes);
  if (!Array.isArray(manifests)) return undefined;
  return manifests.flatMap((entry: unknown) => {
    const digest = fieldOf(entry, "digest");
    const platform = fieldOf(entry, "platform");
    const text = [fieldOf(platform, "os"), fieldOf(platform, "architecture"), fieldOf(platform, "variant")]
      .filter((part) => typeof part === "string" && part !== "")
      .join("/");
    return typeof digest === "string" && text !== "unknown/unknown" ? [{ digest, platform: text }] : [];
  });
}

function parse(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Undefined when there is no such image, or one that does not tell its sizes. */
export function formerSize(
  image: { readonly platform: Platform },
  former: FormerImage | undefined,
): { readonly name: string; readonly bytes: number } | undefined {
  const manifest = former && manifestFor(former, image.platform);
  const bytes = manifest && sizeOfManifest(manifest);
  return former && bytes !== undefined ? { name: former.name, bytes } : undefined;
}

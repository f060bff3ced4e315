import type { Readable } from "node:stream";

/** As in an OCI index: `{os: "linux", architecture: "arm64", variant: "v8"}`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** `linux/arm64/v8`. */
export function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant ?? ""].filter((part) => part !== "").join("/");
}

/** One step of the build, as the image's config tells it. */
export interface HistoryStep {
  readonly created?: string;
  readonly created_by?: string;
  readonly comment?: string;
  readonly author?: string;
  readonly empty_layer?: boolean;
}

/**
 * The image's config; keys that we do not know are kept.
 * https://github.com/opencontainers/image-spec/blob/main/config.md
 */
export interface ImageConfig {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
  readonly created?: string;
  readonly config?: {
    readonly Env?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly [key: string]: unknown;
  } | null;
  readonly rootfs: { readonly type: string; readonly diff_ids: readonly string[] };
  readonly history?: readonly HistoryStep[] | null;
  readonly [key: string]: unknown;
}

/** One layer as a plain tar. */
export interface Layer {
  /** `sha256:...` of the plain tar. */
  readonly diffId: string;
  /** Bytes of the plain tar. */
  readonly size: number;
  /** The plain tar, anew each time, in chunks of 1 MiB (the last one shorter). */
  chunks(): Iterable<Buffer>;
}

/** What is known of a layer once it has been read through. */
export interface LayerSummary {
  readonly diffId: string;
  /** Bytes of the plain tar. */
  readonly plainSize: number;
  /** The build step that made it, shortened to one line; empty when the config does not tell. */
  readonly command: string;
  /** Bytes of files in it that a later layer replaces or deletes. */
  readonly wasted: number;
}

/** Something in the image that looks like a secret; its value is nowhere in here. */
export interface SecretFinding {
  /** What was found, for example `a GitHub token` or `the value of a given secret`. */
  readonly what: string;
  /** Where: `/app/.npmrc in layer 3 (COPY . .)`, `environment variable API_KEY`, `history step 4`. */
  readonly where: string;
}

/** An image that is read, made reproducible and scanned, and not compressed yet: what the gates look at. */
export interface PreparedImage {
  readonly platform: Platform;
  /** The config as it will be pushed. */
  readonly config: ImageConfig;
  readonly configBytes: Buffer;
  /** The image id: sha256 of `configBytes`. */
  readonly configDigest: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly layers: readonly (Layer & LayerSummary)[];
  /** Bytes: config and plain layers. */
  readonly sizeUncompressed: number;
  readonly secrets: readonly SecretFinding[];
  /** The last version of a file that the wanted paths matched, by absolute path (for the SBOM). */
  readonly files: ReadonlyMap<string, Buffer>;
}

/** Bytes under their digest; `open` gives them anew each time. */
export interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  open(): Readable;
}

/** An image as it is pushed: an OCI image manifest, its config and its compressed layers. */
export interface PushableImage {
  readonly platform: Platform;
  readonly manifest: { readonly mediaType: string; readonly digest: string; readonly bytes: Buffer };
  readonly config: Blob;
  readonly layers: readonly (Blob & LayerSummary)[];
  /** Bytes as pushed: config and compressed layers, the manifest not counted. */
  readonly sizeCompressed: number;
  readonly sizeUncompressed: number;
}

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
export const OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";

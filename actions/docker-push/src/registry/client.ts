import type { Readable } from "node:stream";

/** Bytes under their digest; `open` gives them anew each time, since an upload may have to be repeated. */
export interface BlobSource {
  /** `sha256:` and 64 hex digits, of exactly these bytes. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  open(): Readable;
}

/** A manifest or an index, byte for byte as it is (to be) stored. */
export interface ManifestDocument {
  readonly mediaType: string;
  /** The sha256 of `bytes`, computed by us and never taken on trust. */
  readonly digest: string;
  readonly bytes: Buffer;
}

/** What a HEAD told: the digest that a tag names now. */
export interface ManifestHead {
  readonly digest: string;
  readonly mediaType: string;
}

/**
 * One registry, spoken to over its HTTP API with credentials in memory. Paths
 * are repository names within it. Every method retries what is worth it (408,
 * 429, 5xx, broken connections) and throws a `Failure` with one of the codes
 * LOGIN_FAILED, DENIED, NAME_UNKNOWN, RATE_LIMITED, TAG_IMMUTABLE, TAG_INVALID,
 * DIGEST_MISMATCH, PUSH_REFUSED, REGISTRY_UNAVAILABLE.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
export interface RegistryClient {
  /** What the tag (or digest) names, undefined when there is no such manifest or repository. */
  headManifest(path: string, reference: string): Promise<ManifestHead | undefined>;
  /** The manifest itself; fetched by digest, its bytes are proven to have that digest. */
  getManifest(path: string, reference: string): Promise<ManifestDocument | undefined>;
  /**
   * Stores a manifest under a tag or its digest; what the registry says it
   * stored is compared. Gives what it says about the manifest's subject:
   * the subject's digest where the registry lists referrers by itself, else "".
   */
  putManifest(path: string, reference: string, manifest: ManifestDocument): Promise<string>;
  hasBlob(path: string, digest: string): Promise<boolean>;
  /** The bytes of a small blob (a config): at most 8 MiB, proven to have that digest; undefined when missing. */
  getBlob(path: string, digest: string): Promise<Buffer | undefined>;
  /** Takes a blob over from another repository of this registry; false when it has to be uploaded. */
  mountBlob(path: string, digest: string, from: string): Promise<boolean>;
  uploadBlob(path: string, blob: BlobSource): Promise<void>;
  /** Starts one empty upload and cancels it: proof of the right to push. */
  proveUpload(path: string): Promise<void>;
  /** Every tag (all pages), those of attached documents (`sha256-...`) left out; empty when there is no such repository. */
  listTags(path: string): Promise<string[]>;
  /** The same, undefined when there are more pages than this or the registry does not list. */
  listTagsWithin(path: string, pages: number): Promise<string[] | undefined>;
  /** The documents attached to a digest as the referrers API tells it, undefined where that API does not exist. */
  referrers(path: string, digest: string): Promise<ManifestDocument | undefined>;
  /** Requests sent so far, token requests and repeats included. */
  readonly requests: number;
  /** The same registry and credentials under another abort signal (for an undo after a cancel). */
  withSignal(signal: AbortSignal): RegistryClient;
  /** Closes idle connections. */
  close(): void;
}

/** All manifest types that there are: a registry asked with fewer converts, and answers with another digest. */
export const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
] as const;

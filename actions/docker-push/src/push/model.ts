import type { Clock } from "../../../../lib/clock.ts";
import type { Log } from "../../../../lib/log.ts";
import type { BlobSource, ManifestDocument, RegistryClient } from "../registry/client.ts";
import type { Repository } from "../registry/names.ts";
import type { PlannedTag } from "../tags/plan.ts";
import type { TagMoves } from "./undo.ts";

/** One platform's image, ready to be stored. */
export interface PushImage {
  /** As in an OCI index: `{os: "linux", architecture: "amd64"}`, variant where there is one. */
  readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly manifest: ManifestDocument;
  readonly config: BlobSource;
  readonly layers: readonly BlobSource[];
}

/** Which existing tags may be given another digest; the same digest is always fine. */
export type Overwrite = "never" | "moving" | "always";

/** A document about an image (SBOM, provenance), stored as an artifact that refers to it. */
export interface Attachment {
  /** Digest of the manifest that it is about: the root or one of the images. */
  readonly subject: string;
  /** For example `application/spdx+json`. */
  readonly artifactType: string;
  readonly bytes: Buffer;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What is to be pushed. */
export interface PushJob {
  readonly repositories: readonly [Repository, ...Repository[]];
  /** What the tags will name: the only image's manifest, or the index of all (`rootOf` makes it). */
  readonly root: ManifestDocument;
  readonly images: readonly [PushImage, ...PushImage[]];
  /** The same in every repository, in the order in which they are set. Empty: by digest only. */
  readonly tags: readonly PlannedTag[];
  readonly overwrite: Overwrite;
  readonly attachments: readonly Attachment[];
}

/** What was done to one tag of one repository. */
export interface PushedTag {
  /** The repository's full name. */
  readonly image: string;
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly action: "created" | "moved" | "unchanged";
  /** What it named before, empty for a new tag. */
  readonly before: string;
}

/** A push that is proven: every tag names `digest`, and the registry serves bytes of that digest. */
export interface PushResult {
  readonly outcome: "succeeded" | "unchanged";
  readonly digest: string;
  readonly tags: readonly PushedTag[];
  /** Digests of the attached documents, per repository. */
  readonly attached: readonly { readonly image: string; readonly subject: string; readonly digest: string }[];
  /** Bytes of blobs uploaded, mounted and already present ones excluded. */
  readonly uploadedBytes: number;
}

/** What a push works with. */
export interface PushPorts {
  /** The client of the repository's registry; the same one for all repositories of one registry. */
  client(repository: Repository): RegistryClient;
  readonly log: Log;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /**
   * Keeps the tag moves (names and digests only) for a post step, before the
   * first tag moves and again, with undefined, when all have.
   */
  saveMoves(moves: TagMoves | undefined): void;
}

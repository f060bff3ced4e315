import { messageOf, RemoteError } from "../errors.ts";

/** What an upload left at the store. */
export interface UploadedArtifact {
  /** The store's id; "" when nothing was uploaded. */
  readonly id: string;
  /** A page for people; "" where the store has none. */
  readonly url: string;
  /** Bytes that the store holds. */
  readonly size: number;
}

/** What a download put on this machine. */
export interface DownloadedArtifact {
  /** The only file of the artifact, or the folder when it holds several. */
  readonly path: string;
  /** `sha256:<hex>` of that only file; "" for a folder. */
  readonly digest: string;
  /** Every file, relative to the folder, sorted. */
  readonly files: readonly string[];
}

/** Options of an upload. */
export interface UploadOptions {
  /** Days; 0 means the repository's default. */
  readonly retentionDays: number;
}

/**
 * Where a run keeps its artifacts. Errors: `ARTIFACT_UPLOAD_FAILED`,
 * `ARTIFACT_NOT_FOUND`, `ARTIFACT_DOWNLOAD_FAILED`, `ARTIFACT_MISMATCH`.
 */
export interface ArtifactStore {
  /** `none`: this machine has no store; an upload is a no-op and a download fails. */
  readonly kind: "github" | "act" | "none";
  /** Uploads files under one name; paths inside are relative to `root`. */
  upload(
    name: string,
    root: string,
    files: readonly string[],
    options: UploadOptions,
  ): Promise<UploadedArtifact>;
  /**
   * Downloads an artifact of the same run into a folder that exists and is
   * empty. `expected` is the `sha256:<hex>` that the artifact's only file must have.
   */
  download(name: string, folder: string, expected?: string): Promise<DownloadedArtifact>;
}

/** A store whose raw download is one step; what it fetched is described and verified here. */
export interface RawStore extends Pick<ArtifactStore, "kind" | "upload"> {
  fetchInto(name: string, folder: string): Promise<void>;
}

/** The store refused or lost an upload. */
export function uploadFailed(name: string, cause: unknown): RemoteError {
  const why = reasonOf(cause);
  const isTaken = /409|conflict|already exists/i.test(why);
  return new RemoteError(`the artifact \`${name}\` could not be uploaded: ${why}`, {
    code: "ARTIFACT_UPLOAD_FAILED",
    fix: isTaken
      ? "this run already has an artifact of that name: give each job its own name, or leave the name to the action"
      : "run the job again; if it stays, see https://www.githubstatus.com",
    cause,
  });
}

/** The run has no artifact of that name. */
export function artifactNotFound(name: string, cause?: unknown): RemoteError {
  return new RemoteError(`this run has no artifact \`${name}\``, {
    code: "ARTIFACT_NOT_FOUND",
    fix: "check the name, and that the job that makes it ran before this one (`needs`)",
    cause,
  });
}

/** The artifact is there and could not be fetched whole. */
export function downloadFailed(name: string, cause: unknown): RemoteError {
  return new RemoteError(`the artifact \`${name}\` could not be downloaded: ${reasonOf(cause)}`, {
    code: "ARTIFACT_DOWNLOAD_FAILED",
    fix: "run the job again",
    cause,
  });
}

/** What the storage client throws has its status beside a message that may be empty. */
function reasonOf(cause: unknown): string {
  const hasStatus = typeof cause === "object" && cause !== null && "statusCode" in cause;
  return hasStatus ? `${messageOf(cause)} (status ${String(cause.statusCode)})` : messageOf(cause);
}

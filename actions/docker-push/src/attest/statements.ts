import type { PreparedImage } from "../image/model.ts";

/** An SPDX 2.3 JSON document of what the image holds: packages of the distribution and of lock files. */
export function spdxDocument(
  _image: PreparedImage,
  _subject: { readonly name: string; readonly digest: string; readonly created: string },
): Buffer {
  throw new Error("not built yet");
}

/** Which files of the image `spdxDocument` reads: pass it to `prepare` as `wants`. */
export function sbomWants(_path: string): boolean {
  return false;
}

/** What provenance tells; names of build arguments only, never values. */
export interface BuildFacts {
  readonly subjects: readonly { readonly name: string; readonly digest: string }[];
  readonly repository: string;
  readonly commit: string;
  readonly ref: string;
  readonly workflow: string;
  readonly runUrl: string;
  readonly runId: string;
  readonly runAttempt: string;
  readonly serverUrl: string;
  readonly engine: string;
  readonly target: string;
  readonly platforms: readonly string[];
  readonly buildArgNames: readonly string[];
  /** RFC 3339. */
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** A SLSA v1 provenance statement (in-toto), unsigned. https://slsa.dev/spec/v1.0/provenance */
export function provenanceStatement(_facts: BuildFacts): Buffer {
  throw new Error("not built yet");
}

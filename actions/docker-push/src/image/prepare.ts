import type { ExportedImage } from "../engine/engine.ts";
import type { PreparedImage } from "./model.ts";

/** How an exported image is made ready for the gates. */
export interface Preparation {
  /** Seconds since the epoch; undefined leaves times and entry order as they are (`reproducible: false`). */
  readonly commitTime: number | undefined;
  /** Added to the image's own labels, replacing those of the same name. */
  readonly labels: ReadonlyMap<string, string>;
  /** Values that the image must not hold; undefined: no scan (`scan-secrets: false`). */
  readonly secretValues: readonly string[] | undefined;
  /** Files to keep for the SBOM; absolute paths inside the image. */
  readonly wants?: (path: string) => boolean;
  /** A private folder for layers that have to be unpacked first. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Reads every image of an export, one per platform; throws EXPORT_INVALID when it is none or broken. */
export async function prepare(_exported: ExportedImage, _how: Preparation): Promise<PreparedImage[]> {
  throw new Error("not built yet");
}

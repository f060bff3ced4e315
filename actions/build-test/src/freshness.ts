import { statSync } from "node:fs";
import { join } from "node:path";

/** How a file was when it was looked at. */
type Identity = string;

/** File systems tell times as coarsely as this (FAT: 2 s), milliseconds. */
const GRANULARITY_MS = 2000;

/**
 * Tells reports of this run from those that lay there before. A file counts as
 * written in the step when it is not the very file that was there at its start
 * and its own time is not from before.
 */
export class Freshness {
  private readonly root: string;
  private readonly startedAt: number;
  private readonly before: ReadonlyMap<string, Identity>;

  /** `files` are those that the globs match at the start of the step. */
  constructor(root: string, files: readonly string[], startedAt: number) {
    this.root = root;
    this.startedAt = startedAt;
    this.before = new Map(files.map((file) => [file, identify(join(root, file))]));
  }

  /** Splits files into those of this run and those from before. */
  split(files: readonly string[]): { readonly fresh: readonly string[]; readonly stale: readonly string[] } {
    const fresh = files.filter((file) => this.isFresh(file));
    return { fresh, stale: files.filter((file) => !fresh.includes(file)) };
  }

  private isFresh(file: string): boolean {
    const path = join(this.root, file);
    if (this.before.get(file) === identify(path)) return false;
    return statSync(path).mtimeMs >= this.startedAt - GRANULARITY_MS;
  }
}

function identify(path: string): Identity {
  const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join(":");
}

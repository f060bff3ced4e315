import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { Failure } from "../../../lib/errors.ts";

/** One thing in a release; paths are relative, with `/`, without `.` and `..`. */
export type Entry =
  | {
      readonly kind: "file";
      readonly path: string;
      /** 0o755 or 0o644: artifacts carry no more than this, and hosts should see no more. */
      readonly mode: number;
      readonly size: number;
      /** Hexadecimal. */
      readonly sha256: string;
      /** Where its bytes are on this machine. */
      readonly local: string;
    }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  /** Only empty folders are listed: the others come with their files. */
  | { readonly kind: "folder"; readonly path: string };

/** The manifest: one line an entry, sorted, the same for the same content on every machine. */
export function renderManifest(entries: readonly Entry[]): string {
  return [...entries]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((entry) => `${manifestLine(entry)}\n`)
    .join("");
}

/** The line of one entry; two entries with the same line are the same thing. */
export function manifestLine(entry: Entry): string {
  if (entry.kind === "link") return `l\t${entry.path}\t${entry.target}`;
  if (entry.kind === "folder") return `d\t${entry.path}`;
  return `f\t${entry.path}\t${entry.mode.toString(8)}\t${entry.size}\t${entry.sha256}`;
}

/** `sha256:<hex>` of a manifest: what a release is, whatever it is called. */
export function digestOf(manifest: string): string {
  return `sha256:${createHash("sha256").update(manifest).digest("hex")}`;
}

/** Bytes that a release needs on a disk with blocks of 4 KiB. */
export function diskBytes(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + (entry.kind === "file" ? roundUp(entry.size) : 4096), 0);
}

function roundUp(size: number): number {
  return Math.ceil(size / 4096) * 4096;
}

/** Files up to here are read in one piece: a stream for each costs more than the reading. */
export const SMALL_BYTES = 262_144;

/** Hash and size of a file, read once; `expected` is its size as far as known. */
export async function hashFile(path: string, expected: number): Promise<{ sha256: string; size: number }> {
  if (expected <= SMALL_BYTES) {
    const bytes = readFileSync(path);
    return { sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length };
  }
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 262_144 })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { sha256: hash.digest("hex"), size };
}

/** A path as it will stand in the release; throws UNSAFE_ARCHIVE for one that leaves it or that no shell tool can carry. */
export function safePath(path: string, origin: string): string {
  if (/[\p{Cc}\\]/u.test(path))
    throw unsafe(
      `${origin} holds the name ${JSON.stringify(path)}: control characters and \\ cannot be carried`,
    );
  if (path.startsWith("/")) throw unsafe(`${origin} holds the absolute path \`${path}\``);
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw unsafe(`${origin} holds \`${path}\`, which leaves the release`);
  return parts.join("/");
}

/** Throws UNSAFE_ARCHIVE when a link leaves the release, or when a path goes through a link. */
export function checkLinks(entries: readonly Entry[], origin: string): void {
  const links = new Set(entries.filter((entry) => entry.kind === "link").map((entry) => entry.path));
  for (const entry of entries) {
    const parts = entry.path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const parent = parts.slice(0, depth).join("/");
      if (links.has(parent)) throw unsafe(`${origin} holds \`${entry.path}\` below the link \`${parent}\``);
    }
    if (entry.kind === "link" && leaves(entry.path, entry.target))
      throw unsafe(
        `${origin} holds the link \`${entry.path}\` to \`${entry.target}\`, which leaves the release`,
      );
  }
}

function leaves(path: string, target: string): boolean {
  if (target === "" || target.startsWith("/") || /[\p{Cc}\\]/u.test(target)) return true;
  let depth = path.split("/").length - 1;
  for (const part of target.split("/")) {
    if (part === "..") depth--;
    else if (part !== "" && part !== ".") depth++;
    if (depth < 0) return true;
  }
  return false;
}

function unsafe(message: string): Failure {
  return new Failure(message, {
    code: "UNSAFE_ARCHIVE",
    fix: "leave it out of the artifact, or list it in `exclude`",
  });
}

import { readdirSync, realpathSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import picomatch from "picomatch";

/** Folders that no glob enters unless it names them. */
const SKIPPED = new Set(["node_modules", ".git"]);

/** What was found and what was refused. */
export interface Found {
  /** Paths relative to `root` with `/`, sorted, files and links to files only. */
  readonly files: readonly string[];
  /** Matches that lie outside of the workspace once their links are resolved. */
  readonly outside: readonly string[];
}

/**
 * Finds files by globs relative to `root`; `!glob` excludes, a folder means
 * everything in it, links to folders are not entered. Nothing outside of
 * `workspace` is ever found, links resolved.
 */
export function findFiles(root: string, globs: readonly string[], workspace: string): Found {
  const boundary = realpathSync(workspace);
  const excluded = globs.filter((glob) => glob.startsWith("!")).map((glob) => matcher(glob.slice(1)));
  const files = new Set<string>();
  const outside = new Set<string>();
  for (const glob of globs) {
    if (glob.startsWith("!")) continue;
    for (const file of matchesOf(root, glob)) {
      if (excluded.some((isExcluded) => isExcluded(file))) continue;
      if (isInside(boundary, join(root, file))) files.add(file);
      else outside.add(file);
    }
  }
  return { files: [...files].sort(byBytes), outside: [...outside].sort(byBytes) };
}

/** Whether a path, its links resolved, is the boundary or lies in it. A broken link is not. */
export function isInside(boundary: string, path: string): boolean {
  try {
    const real = realpathSync(path);
    return real === boundary || real.startsWith(boundary + sep);
  } catch {
    return false;
  }
}

/** The order of C's strcmp, the same on every machine and in every locale. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function matchesOf(root: string, glob: string): string[] {
  const clean = relative(root, resolve(root, glob)).split(sep).join("/");
  const { base, isGlob } = picomatch.scan(clean);
  const start = isGlob ? base : clean;
  const kind = kindOf(join(root, start));
  if (!isGlob && kind === "file") return [clean];
  if (kind !== "folder") return [];
  const isMatch = isGlob ? matcher(clean) : () => true;
  const found: string[] = [];
  walk(root, start === "." ? "" : start, namesSkipped(clean), (file) => {
    if (isMatch(file)) found.push(file);
  });
  return found;
}

function matcher(glob: string): (path: string) => boolean {
  const clean = glob.replace(/^\.\//, "").replace(/\/+$/, "");
  const whole = picomatch(clean, { dot: true });
  const below = picomatch(`${clean}/**`, { dot: true });
  return (path) => whole(path) || below(path);
}

function namesSkipped(glob: string): ReadonlySet<string> {
  return new Set([...SKIPPED].filter((name) => glob.split("/").includes(name)));
}

function walk(
  root: string,
  folder: string,
  allowed: ReadonlySet<string>,
  visit: (file: string) => void,
): void {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name) || allowed.has(entry.name)) walk(root, path, allowed, visit);
    } else if (entry.isFile() || entry.isSymbolicLink()) visit(path);
  }
}

function kindOf(path: string): "file" | "folder" | "missing" {
  try {
    return statSync(path).isDirectory() ? "folder" : "file";
  } catch {
    return "missing";
  }
}

import { type Dirent, lstatSync, readdirSync, realpathSync, statSync } from "node:fs";
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
  /** Folders on the way that this user may not list (a container's data, for example). */
  readonly closed: readonly string[];
}

/**
 * Finds files by globs relative to `root`; `!glob` excludes, a folder means
 * everything in it, links to folders are not entered. Nothing outside of
 * `workspace` is ever found, links resolved. With `links` symbolic links are
 * found whatever they point to inside, else only what is a file in the end.
 */
export function findFiles(
  root: string,
  globs: readonly string[],
  workspace: string,
  options: { readonly links?: boolean } = {},
): Found {
  const boundary = realpathSync(workspace);
  const excluded = globs.filter((glob) => glob.startsWith("!")).map((glob) => matcher(glob.slice(1)));
  const wanted = globs.filter((glob) => !glob.startsWith("!"));
  const files: string[] = [];
  const outside: string[] = [];
  const leading = wanted.filter((glob) => leadsOut(boundary, root, glob));
  outside.push(...leading);
  const inward = wanted.filter((glob) => !leading.includes(glob));
  const closed = new Set<string>();
  for (const file of matchesOf(root, inward, closed)) {
    if (excluded.some((isExcluded) => isExcluded(file))) continue;
    const path = join(root, file);
    if (!isInside(boundary, path) && !(options.links && isDangling(path))) outside.push(file);
    else if (options.links || kindOf(path) === "file") files.push(file);
  }
  return { files: files.sort(byBytes), outside: outside.sort(byBytes), closed: [...closed] };
}

/** Whether all that a glob can match lies outside: such a tree is not walked, it may be the whole machine. */
function leadsOut(boundary: string, root: string, glob: string): boolean {
  const { base } = picomatch.scan(relative(root, resolve(root, glob)).split(sep).join("/"));
  const path = resolve(root, base);
  return path !== boundary && !path.startsWith(boundary + sep);
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

/** All globs that start in the same folder share one walk: trees are large and globs are many. */
function matchesOf(root: string, globs: readonly string[], closed: Set<string>): Set<string> {
  const found = new Set<string>();
  const walks = new Map<string, Walk>();
  for (const glob of globs) {
    const clean = relative(root, resolve(root, glob)).split(sep).join("/");
    const { base, isGlob } = picomatch.scan(clean);
    const start = isGlob ? base : clean;
    const kind = kindOf(join(root, start));
    if (!isGlob && kind !== "folder") {
      if (kind === "file" || isDangling(join(root, start))) found.add(clean);
    } else if (kind === "folder") {
      const allowed = [...SKIPPED].filter((name) => clean.split("/").includes(name));
      const key = [start, ...allowed].join("\0");
      const known = walks.get(key) ?? { start: start === "." ? "" : start, allowed, matchers: [] };
      walks.set(key, known);
      known.matchers.push(isGlob ? matcher(clean) : () => true);
    }
  }
  for (const { start, allowed, matchers } of walks.values()) {
    const visit = (file: string) => {
      if (matchers.some((isMatch) => isMatch(file))) found.add(file);
    };
    walk(start, { root, allowed, visit, closed });
  }
  return found;
}

interface Walk {
  readonly start: string;
  /** Names of SKIPPED that a glob names itself. */
  readonly allowed: readonly string[];
  readonly matchers: ((path: string) => boolean)[];
}

function matcher(glob: string): (path: string) => boolean {
  const clean = glob.replace(/^\.\//, "").replace(/\/+$/, "");
  const whole = picomatch(clean, { dot: true });
  const below = picomatch(`${clean}/**`, { dot: true });
  return (path) => whole(path) || below(path);
}

interface Visit {
  readonly root: string;
  readonly allowed: readonly string[];
  readonly visit: (file: string) => void;
  readonly closed: Set<string>;
}

function walk(folder: string, to: Visit): void {
  for (const entry of listOf(folder, to)) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!SKIPPED.has(entry.name) || to.allowed.includes(entry.name)) walk(path, to);
    } else if (entry.isFile() || entry.isSymbolicLink()) to.visit(path);
  }
}

/** A folder that vanished meanwhile holds nothing; one that is closed is noted. */
function listOf(folder: string, { root, closed }: Visit): Dirent[] {
  try {
    return readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    const code = typeof error === "object" && error !== null && "code" in error ? error.code : "";
    if (code === "EACCES" || code === "EPERM") closed.add(folder);
    else if (code !== "ENOENT") throw error;
    return [];
  }
}

function kindOf(path: string): "file" | "folder" | "missing" {
  try {
    const info = statSync(path);
    if (info.isDirectory()) return "folder";
    // Reading a pipe or a socket would wait without end.
    return info.isFile() ? "file" : "missing";
  } catch {
    return "missing";
  }
}

/** A link whose target is not there (yet); its own folder decides where it lies. */
function isDangling(path: string): boolean {
  return kindOf(path) === "missing" && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

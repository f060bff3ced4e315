import { lstatSync } from "node:fs";
import { lstat, readdir, readlink, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import picomatch from "picomatch";
import { Failure } from "../../../lib/errors.ts";
import { compileExclude, type Excluded } from "./exclude.ts";
import { checkLinks, type Entry, hashFile, safePath } from "./manifest.ts";
import { isArchive, unpackArchive } from "./unpack.ts";

/** What is to be sent and how it is to be cut. */
export interface SourceRequest {
  /** Absolute; `source` is relative to it. */
  readonly workingDirectory: string;
  readonly source: readonly string[];
  readonly exclude: readonly string[];
  readonly stripComponents: number;
  /** Folders that nothing may be taken from outside of: the workspace and the runner's temp folder. */
  readonly roots: readonly string[];
  /** A fresh folder for what an archive holds. */
  readonly scratch: string;
}

/**
 * Everything that goes into the release, sorted. A folder's contents go to the
 * root, files and globs keep their path below the working directory, a single
 * archive is unpacked. Fails with SOURCE_EMPTY, UNSAFE_ARCHIVE or
 * SOURCE_UNREADABLE before anything remote is touched.
 */
export async function gatherSource(request: SourceRequest): Promise<readonly Entry[]> {
  const taken = new Map<string, Entry>();
  const patterns = request.source.filter((item) => !item.startsWith("!"));
  const excluded = compileExclude([
    ...request.exclude,
    ...request.source.filter((s) => s.startsWith("!")).map((s) => s.slice(1)),
  ]);
  const only = patterns.length === 1 ? patterns[0] : undefined;
  for (const item of patterns) {
    const path = resolve(request.workingDirectory, item);
    const found =
      item === only && isArchive(item) && (await isFile(path))
        ? await fromArchive(path, request, excluded)
        : await fromItem(item, path, request, excluded);
    for (const entry of found) {
      const cut = strip(entry, request.stripComponents);
      if (cut) taken.set(cut.path, cut);
    }
  }
  const entries = [...taken.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  checkLinks(entries, "the source");
  if (!entries.some((entry) => entry.kind === "file")) throw empty(request);
  return entries;
}

function empty(request: SourceRequest): Failure {
  return new Failure(
    `\`source\` (${request.source.join(", ")}) holds no file${request.stripComponents > 0 ? " after `strip_components`" : ""}: nothing to deploy`,
    {
      code: "SOURCE_EMPTY",
      fix: `check that the build ran and wrote there; paths are relative to \`working-directory\` (${request.workingDirectory})`,
    },
  );
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

async function fromArchive(path: string, request: SourceRequest, excluded: Excluded): Promise<Entry[]> {
  await stayInside(path, request);
  const entries = await unpackArchive(path, request.scratch);
  return entries.filter((entry) => !excluded(entry.path, entry.kind === "folder"));
}

async function fromItem(
  item: string,
  path: string,
  request: SourceRequest,
  excluded: Excluded,
): Promise<Entry[]> {
  const info = await lstat(path).catch(() => undefined);
  if (!info && picomatch.scan(item).isGlob) return fromGlob(item, request, excluded);
  if (!info) {
    throw new Failure(`\`source\` names \`${item}\`, which does not exist in ${request.workingDirectory}`, {
      code: "SOURCE_EMPTY",
      fix: "check that the build ran, or correct `source`",
    });
  }
  await stayInside(path, request);
  if ((await stat(path)).isDirectory()) return walk(path, "", excluded);
  const name = belowWorkingDirectory(path, request);
  if (excluded(name, false)) return [];
  return [await describe(path, name)];
}

async function fromGlob(glob: string, request: SourceRequest, excluded: Excluded): Promise<Entry[]> {
  const clean = isAbsolute(glob) ? relative(request.workingDirectory, glob) : glob.replace(/^\.\//, "");
  const base = picomatch.scan(clean).base;
  const root = resolve(request.workingDirectory, base);
  await stayInside(root, request);
  const prefix = base === "" ? "" : safePath(base, "`source`");
  const matches = picomatch(clean, { dot: true });
  const all = (await isFolder(root)) ? await walk(root, prefix, excluded) : [];
  return all.filter((entry) => matches(entry.path));
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** Symbolic links resolved: what counts is where the bytes come from. */
async function stayInside(path: string, request: SourceRequest): Promise<void> {
  const real = await realpath(path).catch(() => resolve(path));
  for (const root of request.roots) {
    const inside = relative(await realpath(root).catch(() => root), real);
    if (inside === "" || (!inside.startsWith("..") && !isAbsolute(inside))) return;
  }
  throw new Failure(`\`source\` leaves the workspace: ${path} is ${real}`, {
    code: "BAD_INPUT",
    fix: "name files below the workspace or the runner's temp folder",
  });
}

function belowWorkingDirectory(path: string, request: SourceRequest): string {
  const inside = relative(request.workingDirectory, path);
  const outside = inside.startsWith("..") || isAbsolute(inside);
  return safePath(
    (outside ? path.slice(path.lastIndexOf(sep) + 1) : inside).split(sep).join("/"),
    "`source`",
  );
}

async function walk(folder: string, prefix: string, excluded: Excluded): Promise<Entry[]> {
  const entries: Entry[] = [];
  const names = await readdir(folder, { withFileTypes: true });
  for (const item of names.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = safePath(prefix === "" ? item.name : `${prefix}/${item.name}`, "`source`");
    const isDirectory = item.isDirectory();
    if (excluded(path, isDirectory)) continue;
    const local = join(folder, item.name);
    if (isDirectory) entries.push(...(await walk(local, path, excluded)));
    else if (item.isFile() || item.isSymbolicLink()) entries.push(await describe(local, path));
  }
  if (names.length === 0 && prefix !== "") entries.push({ kind: "folder", path: prefix });
  return entries;
}

async function describe(local: string, path: string): Promise<Entry> {
  const info = lstatSync(local);
  if (info.isSymbolicLink()) return { kind: "link", path, target: await readlink(local) };
  return {
    kind: "file",
    path,
    mode: info.mode & 0o111 ? 0o755 : 0o644,
    local,
    ...(await hashFile(local, info.size)),
  };
}

/** Without its first `count` parts; nothing is left of a path that has no more than these. */
function strip(entry: Entry, count: number): Entry | undefined {
  if (count === 0) return entry;
  const parts = entry.path.split("/").slice(count);
  return parts.length === 0 ? undefined : { ...entry, path: parts.join("/") };
}

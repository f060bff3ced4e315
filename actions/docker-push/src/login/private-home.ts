import { chmodSync, existsSync, lstatSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { dockerHome } from "../engine/docker-home.ts";

const PREFIX = "goci-docker-";

/** A folder for DOCKER_CONFIG that is ours alone. */
export interface PrivateHome {
  readonly folder: string;
  /** Writes what engines need, logins among it (0600), beside links to the user's own plug-ins and contexts. */
  fill(
    env: Readonly<Record<string, string | undefined>>,
    auths: Readonly<Record<string, { readonly auth: string }>>,
  ): void;
}

/** Makes the folder, closed to others (0700) and empty, under the runner's temporary folder. */
export function makePrivateHome(runnerTemp: string): PrivateHome {
  const folder = mkdtempSync(join(runnerTemp, PREFIX));
  chmodSync(folder, 0o700);
  return { folder, fill: (env, auths) => dockerHome(folder, env, auths) };
}

/**
 * Removes such a folder; also from a post step, which knows its path from saved
 * state only and so removes nothing else. Gone already is fine.
 */
export function removePrivateHome(folder: string, runnerTemp: string): void {
  if (!existsSync(folder) || !basename(folder).startsWith(PREFIX) || lstatSync(folder).isSymbolicLink())
    return;
  if (realpathSync(dirname(folder)) !== realpathSync(runnerTemp)) return;
  rmSync(folder, { recursive: true, force: true });
}

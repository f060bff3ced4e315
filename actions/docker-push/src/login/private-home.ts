import { chmodSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
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

/** Makes the folder, closed to others (0700) and empty, inside of one that its owner removes. */
export function makePrivateHome(parent: string): PrivateHome {
  const folder = mkdtempSync(join(parent, PREFIX));
  chmodSync(folder, 0o700);
  return { folder, fill: (env, auths) => dockerHome(folder, env, auths) };
}

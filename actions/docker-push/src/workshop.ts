import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { RunContext } from "../../../lib/action.ts";

/** The name under which the post step finds the folder. */
export const FOLDER_STATE = "folder";

/** How such folders are called. */
export const FOLDER_PREFIX = "goci-docker-push-";

/** The private folder of a run: exports, compressed layers, the engine's logins. Nobody else can look in. */
export interface Workshop {
  readonly folder: string;
  /** A folder inside of it, made when it is first asked for. */
  place(name: string): string;
  remove(): void;
}

/** Keeps the folder's path for the post step, then makes it: a kill at any moment leaves nothing unknown. */
export function openWorkshop({ github, state }: Pick<RunContext, "github" | "state">): Workshop {
  mkdirSync(github.temp, { recursive: true });
  const folder = join(github.temp, `${FOLDER_PREFIX}${randomBytes(8).toString("hex")}`);
  state.save(FOLDER_STATE, folder);
  mkdirSync(folder, { mode: 0o700 });
  return {
    folder,
    place: (name) => {
      const path = join(folder, name);
      mkdirSync(path, { recursive: true, mode: 0o700 });
      return path;
    },
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

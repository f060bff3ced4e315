import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
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

/** Makes the folder and keeps its path for the post step before anything is put into it. */
export function openWorkshop({ github, state }: Pick<RunContext, "github" | "state">): Workshop {
  mkdirSync(github.temp, { recursive: true });
  const folder = mkdtempSync(join(github.temp, FOLDER_PREFIX));
  chmodSync(folder, 0o700);
  state.save(FOLDER_STATE, folder);
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

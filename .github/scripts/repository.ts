import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The top folder of this checkout. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** Where scripts keep what git ignores: built stages, the Python environment, results. */
export const TOOLS = join(ROOT, ".tools");

/** Names of the folders under actions/ that have an action.yml. */
export function actionNames(root = ROOT): string[] {
  const folder = join(root, "actions");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "action.yml")))
    .sort();
}

/** One file that the runner starts: `entry` is its source, `out` the folder of its bundle inside dist. */
export interface Entry {
  readonly action: string;
  readonly entry: "index" | "post" | "worker";
  readonly out: "." | "post" | "worker";
}

/** The entries of one action: src/index.ts, and src/post.ts and src/worker.ts where there are such. */
export function entriesOf(action: string, root = ROOT): Entry[] {
  const all: readonly Entry[] = [
    { action, entry: "index", out: "." },
    { action, entry: "post", out: "post" },
    { action, entry: "worker", out: "worker" },
  ];
  return all.filter(({ entry }) => existsSync(join(root, "actions", action, "src", `${entry}.ts`)));
}

/** Every file under a folder, relative to it, sorted; folders named in `skip` are left out. */
export function filesUnder(folder: string, skip: readonly string[] = ["node_modules"]): string[] {
  const files: string[] = [];
  const walk = (inside: string) => {
    for (const item of readdirSync(join(folder, inside), { withFileTypes: true })) {
      if (skip.includes(item.name)) continue;
      const path = inside === "" ? item.name : `${inside}/${item.name}`;
      if (item.isDirectory()) walk(path);
      else files.push(path);
    }
  };
  if (existsSync(folder)) walk("");
  return files.sort();
}

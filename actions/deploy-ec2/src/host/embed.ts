/**
 * Writes scripts.ts from the shell files beside it: a bundle is one file, and the shell files stay
 * real ones that shellcheck and an editor understand. Run it after a change: `node embed.ts`.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The text of scripts.ts for the shell files in a folder; comments and blank lines are left out. */
export function renderScripts(folder: string): string {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith(".sh"))
    .sort();
  const entries = names.map((name) => {
    const lines = readFileSync(join(folder, name), "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "" && !line.trim().startsWith("#"));
    return `  ${name.replace(".sh", "")}: ${JSON.stringify(`${lines.join("\n")}\n`)},`;
  });
  return [
    "// Made by embed.ts from the .sh files of this folder: edit those.",
    "// biome-ignore-all format: one script a line",
    "/** The scripts that run on the host. */",
    `export const scripts = {\n${entries.join("\n")}\n} as const;\n`,
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = dirname(fileURLToPath(import.meta.url));
  writeFileSync(join(folder, "scripts.ts"), renderScripts(folder));
}

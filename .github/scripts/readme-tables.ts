import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseActionFile, withTables } from "./action-files.ts";
import { actionNames, ROOT } from "./repository.ts";

/** Brings the tables of every action's README up to date with its action.yml. */
for (const name of actionNames()) {
  const file = parseActionFile(readFileSync(join(ROOT, "actions", name, "action.yml"), "utf8"));
  const path = join(ROOT, "actions", name, "README.md");
  const before = existsSync(path)
    ? readFileSync(path, "utf8")
    : `# ${name}\n\n${String(file.description ?? "")}\n`;
  const after = withTables(before, file);
  if (existsSync(path) && after === before) continue;
  writeFileSync(path, after);
  console.log(`actions/${name}/README.md: tables written`);
}

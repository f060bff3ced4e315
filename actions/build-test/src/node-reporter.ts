import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Node's own JUnit reporter with a file for each process: a script that runs
 * `node --test` twice would overwrite the first report with the second. It
 * writes at once, so that a process that dies leaves a report that is cut off
 * and not none. https://nodejs.org/api/test.html#custom-reporters
 */
const SOURCE = `import { closeSync, openSync, writeSync } from "node:fs";
import { junit } from "node:test/reporters";

export default async function* report(events) {
  const name = \`\${process.pid}-\${process.hrtime.bigint()}.xml\`;
  const file = openSync(new URL(name, import.meta.url), "wx", 0o600);
  for await (const text of junit(events)) writeSync(file, text);
  closeSync(file);
}
`;

/** Makes the folder and the reporter in it; returns the reporter's URL. */
export function makeNodeReporter(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "reporter.mjs");
  writeFileSync(path, SOURCE);
  return pathToFileURL(path).href;
}

/** What the processes reported there. */
export function nodeReports(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(".xml"));
  return names.sort().map((name) => join(folder, name));
}

import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { buildActions } from "./bundle.ts";
import { leaveCounts } from "./counts.ts";
import { compareDist } from "./dist-check.ts";
import { actionNames, entriesOf, filesUnder, ROOT } from "./repository.ts";
import { smoke } from "./smoke.ts";
import { inParallel } from "./spawn.ts";

const USAGE = `usage: node .github/scripts/dist.ts [--check] [action ...]
Builds actions/<action>/dist of the actions named, else of all, and runs every built file once.
--check builds in another folder instead, compares every byte with dist, and runs what is in dist.`;

const built = actionNames().filter((name) => entriesOf(name).length > 0);
const args = process.argv.slice(2);
const named = args.filter((arg) => !arg.startsWith("-"));
const unknown = [
  ...named.filter((name) => !built.includes(name)),
  ...args.filter((arg) => arg.startsWith("-") && arg !== "--check"),
];
const actions = named.length > 0 ? named : built;
const width = Math.max(1, Math.min(4, availableParallelism()));

if (unknown.length > 0) {
  console.error(`${unknown.join(", ")}: not an action with a src/index.ts\n${USAGE}`);
  process.exitCode = 2;
} else if (args.includes("--check")) {
  await check();
} else {
  await build();
}

async function build(): Promise<void> {
  const startedAt = performance.now();
  const problems = [...(await buildActions(ROOT, actions, width))];
  for (const action of actions) {
    if (!problems.some((line) => line.startsWith(`${action}/`))) console.log(sizes(action));
  }
  if (problems.length === 0) {
    const ran = (await inParallel(actions, width, smoke)).flat();
    for (const { name, problem } of ran) if (problem) problems.push(`${name}: ${problem}`);
    console.log(`${ran.length} built files ran, ${problems.length} of them badly`);
  }
  for (const problem of problems) console.error(problem);
  console.log(`dist: ${actions.length} actions in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  if (problems.length > 0) process.exitCode = 1;
}

async function check(): Promise<void> {
  const results = [
    ...(await compareDist(actions, width)),
    ...(await inParallel(actions, width, smoke)).flat(),
  ];
  for (const { name, problem } of results) console.log(problem ? `FAIL ${name}: ${problem}` : `ok   ${name}`);
  const failed = results.filter(({ problem }) => problem !== "").length;
  leaveCounts("dist", { passed: results.length - failed, failed, skipped: 0 });
}

/** `build-test: index.js 61 kB, post/index.js 12 kB, 4 chunks 2013 kB`. */
function sizes(action: string): string {
  const folder = join(ROOT, "actions", action, "dist");
  const kilobytes = (name: string) => Math.ceil(statSync(join(folder, name)).size / 1000);
  const scripts = filesUnder(folder).filter((name) => name.endsWith(".js"));
  const entries = scripts.filter((name) => /(^|\/)index\.js$/.test(name));
  const chunks = scripts.filter((name) => !entries.includes(name));
  const parts = entries.map((name) => `${name} ${kilobytes(name)} kB`);
  const rest = chunks.reduce((sum, name) => sum + kilobytes(name), 0);
  if (chunks.length > 0) parts.push(`${chunks.length} chunks ${rest} kB`);
  return `${action}: ${parts.join(", ")}`;
}

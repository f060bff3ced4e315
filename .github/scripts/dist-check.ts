import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildActions } from "./bundle.ts";
import { filesUnder, ROOT, TOOLS } from "./repository.ts";
import { run } from "./spawn.ts";

/** One action whose dist was built again, and what differs, "" when every byte is the same. */
export interface DistResult {
  readonly name: string;
  readonly problem: string;
}

/** Builds the actions again in a copy of the repository, deeper in the file system, and compares every byte of dist. */
export async function compareDist(actions: readonly string[], width: number): Promise<DistResult[]> {
  const holder = join(TOOLS, `dist-check-${process.pid}`);
  const copy = join(holder, "another", "folder");
  try {
    await copySources(copy);
    const problems = await buildActions(copy, actions, width);
    return actions.map((action) => {
      const own = problems.filter((line) => line.startsWith(`${action}/`) || line.startsWith("TypeScript:"));
      const problem = own.length > 0 ? own.join("\n") : difference(action, copy);
      return { name: `${action} dist is what its sources give`, problem };
    });
  } finally {
    rmSync(holder, { recursive: true, force: true });
  }
}

async function copySources(copy: string): Promise<void> {
  mkdirSync(copy, { recursive: true });
  for (const name of ["package.json", "tsconfig.json", "LICENSE"]) cpSync(join(ROOT, name), join(copy, name));
  for (const name of ["actions", "lib"]) {
    cpSync(join(ROOT, name), join(copy, name), {
      recursive: true,
      filter: (path) => !/[\\/](dist|test|testing|fixtures)$/.test(path),
    });
  }
  // Hard links, since symbolic ones would change the module ids in the bundles; a plain copy where links cannot be.
  const from = join(ROOT, "node_modules");
  const linked = await run(["cp", "-al", from, join(copy, "node_modules")]);
  if (linked.code === 0) return;
  rmSync(join(copy, "node_modules"), { recursive: true, force: true });
  cpSync(from, join(copy, "node_modules"), { recursive: true, verbatimSymlinks: true });
}

function difference(action: string, copy: string): string {
  const committed = join(ROOT, "actions", action, "dist");
  const rebuilt = join(copy, "actions", action, "dist");
  if (!existsSync(committed)) return "it has no dist: run `make dist`";
  const names = new Set([...filesUnder(committed), ...filesUnder(rebuilt)]);
  const differing = [...names].filter((name) => !sameFile(join(committed, name), join(rebuilt, name)));
  return differing.length === 0 ? "" : `${differing.join(", ")} differ: run \`make dist\` and commit dist`;
}

function sameFile(one: string, other: string): boolean {
  return existsSync(one) && existsSync(other) && readFileSync(one).equals(readFileSync(other));
}

import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { actionFileProblems, parseActionFile, withTables } from "./action-files.ts";
import { importProblems } from "./imports.ts";
import { actionNames, ROOT, TOOLS } from "./repository.ts";
import { sizeProblem } from "./sizes.ts";
import { type Ended, run } from "./spawn.ts";

/** How a check ended and what to print below its line. */
export interface Verdict {
  readonly kind: "passed" | "failed" | "skipped";
  readonly lines: readonly string[];
}

/** One check of `make check`. */
export interface Check {
  readonly name: string;
  run(): Promise<Verdict>;
}

const BIOME = join(ROOT, "node_modules/@biomejs/biome/bin/biome");
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const node = (script: string, ...args: string[]) => run([process.execPath, script, ...args], { cwd: ROOT });

/** Every check, the slow ones first. */
export const CHECKS: readonly Check[] = [
  { name: "types", run: async () => ended(await node(TSC, "--noEmit", "-p", "tsconfig.json")) },
  { name: "types of sample-app", run: async () => ended(await node(TSC, "--noEmit", "-p", "sample-app")) },
  { name: "format and lint", run: async () => ended(await node(BIOME, "ci", "--colors=off", ".")) },
  { name: "functions of at most 50 lines", run: checkFunctions },
  { name: "sizes of files", run: () => overSources((path, code) => [sizeProblem(path, code)]) },
  { name: "directions of imports", run: checkImports },
  { name: "action.yml files", run: checkActionFiles },
  { name: "tables in READMEs", run: checkTables },
  {
    name: "inputs of workflows",
    run: async () => ended(await node(join(ROOT, ".github/scripts/workflow-inputs.ts"), "--check")),
  },
  { name: "lock files name no registry", run: checkLocks },
  { name: "no path of this machine", run: checkPaths },
  { name: "shell scripts", run: () => withTool("shellcheck", ["*.sh", ".ci/run"], []) },
  { name: "workflows (actionlint)", run: checkWorkflows },
  {
    name: "workflows (zizmor)",
    run: () => withTool("zizmor", [], ["--offline", "--quiet", "--no-progress", "."]),
  },
];

function verdict(problems: readonly string[]): Verdict {
  const lines = problems.filter((line) => line !== "");
  return { kind: lines.length === 0 ? "passed" : "failed", lines };
}

function ended(result: Ended): Verdict {
  if (result.code === 0) return { kind: "passed", lines: [] };
  return { kind: "failed", lines: result.output.trim().split("\n").slice(0, 80) };
}

/** Files of the repository as git sees them, new ones too. */
async function files(...patterns: string[]): Promise<string[]> {
  const list = await run(["git", "ls-files", "-z", "-co", "--exclude-standard", "--", ...patterns], {
    cwd: ROOT,
  });
  if (list.code !== 0) throw new Error(`git ls-files: ${list.output}`);
  return list.stdout.split("\0").filter((path) => path !== "" && existsSync(join(ROOT, path)));
}

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

async function overSources(look: (path: string, code: string) => readonly string[]): Promise<Verdict> {
  const paths = (await files("*.ts", "*.mjs", "*.js", "*.sh")).filter((path) => !path.includes("/dist/"));
  return verdict(paths.flatMap((path) => look(path, read(path))));
}

async function checkImports(): Promise<Verdict> {
  const manifest = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
  const shipped = new Set(Object.keys(manifest.dependencies));
  return overSources((path, code) => (path.endsWith(".ts") ? importProblems(path, code, shipped) : []));
}

/** biome's rule has 50 lines as its own default; tests are left out, where `describe` is a function too. */
async function checkFunctions(): Promise<Verdict> {
  const paths = (await files("*.ts")).filter((path) => !/(^|\/)(test|dist)\//.test(path));
  return ended(
    await node(BIOME, "lint", "--colors=off", "--only=complexity/noExcessiveLinesPerFunction", ...paths),
  );
}

async function checkActionFiles(): Promise<Verdict> {
  return verdict(
    actionNames().flatMap((name) =>
      actionFileProblems(name, parseActionFile(read(`actions/${name}/action.yml`)), (path) =>
        existsSync(join(ROOT, "actions", name, path)),
      ),
    ),
  );
}

async function checkTables(): Promise<Verdict> {
  const stale = actionNames().filter((name) => {
    const readme = `actions/${name}/README.md`;
    if (!existsSync(join(ROOT, readme))) return true;
    return withTables(read(readme), parseActionFile(read(`actions/${name}/action.yml`))) !== read(readme);
  });
  return verdict(
    stale.map((name) => `actions/${name}/README.md does not match action.yml: run \`make generate\``),
  );
}

async function checkLocks(): Promise<Verdict> {
  const locks = await files("*package-lock.json");
  return verdict(
    locks
      .filter((path) => read(path).includes('"resolved"'))
      .map((path) => `${path}: has \`resolved\` addresses`),
  );
}

/** Neither the folder of this checkout nor a user's home folder may stand in a file, dist included. */
async function checkPaths(): Promise<Verdict> {
  const words = [`${ROOT}/`, ...(homedir().length > 1 ? [`${homedir()}/`] : [])];
  const hits = (await files("*")).filter((path) => {
    const text = read(path);
    return words.some((word) => text.includes(word));
  });
  return verdict(hits.map((path) => `${path}: names a folder of this machine`));
}

async function checkWorkflows(): Promise<Verdict> {
  return withTool("actionlint", [".github/workflows/*.yml"], ["-no-color", "-shellcheck="]);
}

/** Runs a tool of .tools/bin on the files that match; without the tool the check is skipped. */
async function withTool(
  tool: string,
  patterns: readonly string[],
  args: readonly string[],
): Promise<Verdict> {
  const program = join(TOOLS, "bin", tool);
  if (!existsSync(program)) {
    return { kind: "skipped", lines: [`${tool} could not be installed here (see .tools/tools.log)`] };
  }
  const paths = patterns.length > 0 ? await files(...patterns) : [];
  if (patterns.length > 0 && paths.length === 0) return { kind: "passed", lines: [] };
  return ended(await run([program, ...args, ...paths], { cwd: ROOT }));
}

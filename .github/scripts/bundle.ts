import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { minify } from "@swc/core";
import { faultsOf } from "./bundle-faults.ts";
import { type Entry, entriesOf, filesUnder } from "./repository.ts";
import { markFreeOfSideEffects } from "./side-effects.ts";
import { inParallel, run } from "./spawn.ts";

/** What a build of some actions gave: one line for each thing that went wrong, none when all is well. */
export type Problems = readonly string[];

/**
 * Builds the dist folders of some actions: TypeScript emits JavaScript into a
 * stage, ncc makes one ES module of each entry (and one for each lazy import),
 * swc makes them small. An action's dist is replaced only when all its entries
 * are sound.
 */
export async function buildActions(
  root: string,
  actions: readonly string[],
  width: number,
): Promise<Problems> {
  // Bundle bytes depend on where a module lies as seen from the working folder, so stages differ in name only.
  const stage = join(root, ".tools", `stage-${process.pid}`);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  try {
    markFreeOfSideEffects(join(root, "node_modules"));
    const emitted = await emit(root, stage);
    if (emitted.length > 0) return emitted;
    const entries = actions.flatMap((action) => entriesOf(action, root));
    const found = await inParallel(entries, width, (entry) => bundle(root, stage, entry));
    const problems = found.flat();
    for (const action of actions) {
      if (!problems.some((line) => line.startsWith(`${action}/`))) replaceDist(root, stage, action);
    }
    return problems;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** Emits lib and every action's src to `stage/js`; types are not looked at (`make check` does). */
async function emit(root: string, stage: string): Promise<Problems> {
  const up = relative(stage, root);
  const config = {
    extends: `${up}/tsconfig.json`,
    compilerOptions: { noCheck: true, noEmit: false, rootDir: up, outDir: "js", sourceMap: false },
    include: [`${up}/actions/*/src`, `${up}/lib`],
    exclude: [`${up}/lib/testing`, `${up}/lib/**/test`],
  };
  writeFileSync(join(stage, "tsconfig.json"), JSON.stringify(config));
  const tsc = await run([process.execPath, join(root, "node_modules/typescript/bin/tsc"), "-p", stage], {
    cwd: root,
  });
  writeFileSync(join(stage, "js", "package.json"), '{"type":"module"}\n');
  return tsc.code === 0 ? [] : [`TypeScript: ${tsc.output.trim()}`];
}

/** Bundles one entry into `stage/<action>/<out>`. */
async function bundle(root: string, stage: string, { action, entry, out }: Entry): Promise<Problems> {
  const label = `${action}/src/${entry}.ts`;
  const folder = join(stage, action, out === "." ? "main" : out);
  const ncc = join(root, "node_modules/@vercel/ncc/dist/ncc/cli.js");
  const source = `actions/${action}/src/${entry}.js`;
  const args = ["build", source, "--no-cache", "--quiet", "--license", "licenses.txt", "--out", folder];
  const built = await run([process.execPath, ncc, ...args], { cwd: join(stage, "js") });
  if (built.code !== 0) return [`${label}: ncc failed: ${built.output.trim()}`];
  // A Windows program of ssh2 for an agent that no runner has; scanners rightly dislike it.
  rmSync(join(folder, "pagent.exe"), { force: true });
  const names = filesUnder(folder).filter((name) => name.endsWith(".js"));
  const files = new Map(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
  const faults = faultsOf(files, root);
  for (const [name, code] of files) writeFileSync(join(folder, name), await small(code));
  return faults.map((fault) => `${label}: ${fault}`);
}

async function small(code: string): Promise<string> {
  const result = await minify(code, { module: true, ecma: 2020, compress: true, mangle: true });
  return `${result.code.trimEnd()}\n`;
}

/** Puts the new dist where the old one was; the main bundle lies at its top, the others in folders. */
function replaceDist(root: string, stage: string, action: string): void {
  const fresh = join(stage, action, "dist");
  renameSync(join(stage, action, "main"), fresh);
  for (const { out } of entriesOf(action, root)) {
    if (out !== ".") renameSync(join(stage, action, out), join(fresh, out));
  }
  const target = join(root, "actions", action, "dist");
  const old = join(stage, action, "old");
  try {
    renameSync(target, old);
  } catch {
    // The first build of this action: there is nothing to replace.
  }
  renameSync(fresh, target);
}

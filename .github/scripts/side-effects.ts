import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Tells the bundler that the modules of @actions/* and undici do nothing on
 * import, so that what is not called is left out: @actions/core alone brings an
 * HTTP stack of 420 kB for a function that no action calls. Only bundlers read
 * the mark, it is set before every build, and setting it again changes nothing,
 * so a marked node_modules builds the same bytes as a fresh one.
 */
export function markFreeOfSideEffects(nodeModules: string): void {
  for (const folder of packages(nodeModules)) {
    const path = join(folder, "package.json");
    const manifest = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    if (manifest["sideEffects"] === false) continue;
    // A new file, not the old one written over: a copy of node_modules made of hard links must not change with it.
    const fresh = `${path}.${process.pid}`;
    writeFileSync(fresh, `${JSON.stringify({ ...manifest, sideEffects: false }, null, 2)}\n`);
    renameSync(fresh, path);
  }
}

/** Folders of @actions/* and undici, those nested in other packages of @actions too. */
function packages(nodeModules: string): string[] {
  const scope = join(nodeModules, "@actions");
  const scoped = existsSync(scope) ? readdirSync(scope).map((name) => join(scope, name)) : [];
  const nested = scoped.map((folder) => join(folder, "node_modules")).filter((folder) => existsSync(folder));
  const own = [...scoped, join(nodeModules, "undici")].filter((folder) =>
    existsSync(join(folder, "package.json")),
  );
  return [...own, ...nested.flatMap(packages)];
}

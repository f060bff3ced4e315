import { builtinModules } from "node:module";

/** Native add-ons of ssh2 and of cpu-features: both are asked for inside a `try` and do without. */
const OPTIONAL = new Set(["../build/Release/cpufeatures.node", "./crypto/build/Release/sshcrypto.node"]);

const BUILTIN = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));

/** Built-in modules that are only found under `node:`. */
const isBuiltin = (name: string) => BUILTIN.has(name) || /^node:(test|sqlite|sea)(\/|$)/.test(name);

/**
 * What is wrong with a bundle before it is minified, one line each. ncc ends
 * well although a module was not found: it leaves an `eval("require")` that
 * fails on the first run.
 */
export function faultsOf(files: ReadonlyMap<string, string>, root: string): string[] {
  const faults: string[] = [];
  let shim = false;
  let needsShim = "";
  for (const [name, code] of files) {
    for (const missing of missingModules(code)) faults.push(`${name}: module \`${missing}\` was not found`);
    if (code.includes(root)) faults.push(`${name}: names the folder it was built in`);
    shim ||= /Object\.assign\(globalThis, \{ __filename/.test(code);
    if (/^(?!\s*(\/\/|\*)).*(?<!typeof )\b__dirname\b(?!:)/m.test(code)) needsShim = name;
  }
  if (needsShim && !shim) {
    faults.push(`${needsShim}: reads __dirname, which ES modules lack: import lib/esm-shim.ts first`);
  }
  return faults;
}

function missingModules(code: string): string[] {
  const missing = new Set<string>();
  for (const [, name = ""] of code.matchAll(/eval\("require"\)\("([^"]+)"\)/g)) {
    if (!OPTIONAL.has(name)) missing.add(name);
  }
  for (const [, name = ""] of code.matchAll(/createRequire\(import\.meta\.url\)\("([^"]+)"\)/g)) {
    if (!isBuiltin(name)) missing.add(name);
  }
  for (const [, name = ""] of code.matchAll(/^import (?:[^"'\n]* from )?["']([^"'\n]+)["'];$/gm)) {
    if (!isBuiltin(name)) missing.add(name);
  }
  if (code.includes("webpackMissingModule")) missing.add("(webpackMissingModule)");
  return [...missing];
}

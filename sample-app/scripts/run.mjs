// Runs a TypeScript file with a Node that strips types: this one, or the one that the repository brings.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const [file = "", ...args] = process.argv.slice(2);
const script = fileURLToPath(new URL(`../${file}`, import.meta.url));
const root = new URL("../../node_modules/", import.meta.url);
const candidates = [".node/bin/node", `node-${process.platform}-${process.arch}/bin/node`];
const newer = candidates.map((path) => fileURLToPath(new URL(path, root))).find((path) => existsSync(path));

if (process.features.typescript) {
  process.argv.splice(1, 2, script);
  await import(pathToFileURL(script).href);
} else if (newer) {
  const child = spawn(newer, [script, ...args], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`sample-app: ${newer} cannot be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
} else {
  console.error(`sample-app: Node ${process.version} cannot run TypeScript: use Node 22.18 or newer`);
  process.exitCode = 1;
}

// Makes build/: a folder that runs anywhere with ./main. The same commit gives the same bytes.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = new URL("../", import.meta.url);
const at = (path: string): string => fileURLToPath(new URL(path, root));

// Built beside its place and renamed at the end: a build that fails leaves no half of itself.
const staging = at("build.new/");

const V8_FLAGS = ["--max-semi-space-size=2"];

async function main(): Promise<void> {
  const runtime = process.env["SAMPLE_APP_RUNTIME"] || "bundled";
  if (runtime !== "bundled" && runtime !== "host") {
    throw new Error(`\`SAMPLE_APP_RUNTIME\` is "${runtime}": allowed are bundled, host`);
  }
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(`${staging}app`, { recursive: true });
  await bundle();
  cpSync(at("migrations"), `${staging}migrations`, { recursive: true });
  copyFileSync(at("openapi.json"), `${staging}openapi.json`);
  writeFileSync(`${staging}version.json`, `${JSON.stringify(describeVersion(), null, 2)}\n`);
  writeLauncher();
  if (runtime === "bundled") copyRuntime();
  rmSync(at("build"), { recursive: true, force: true });
  renameSync(staging, at("build"));
  console.log(
    `build/ is ready (${runtime === "bundled" ? `with Node ${process.version}` : "for the host's Node"})`,
  );
}

async function bundle(): Promise<void> {
  await build({
    entryPoints: [at("src/main.ts")],
    outfile: `${staging}app/main.mjs`,
    absWorkingDir: at("."),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
    // Optional parts of pg: a native driver, and the sockets of another platform.
    external: ["pg-native", "cloudflare:sockets"],
    // The CommonJS packages inside ask for Node's own modules with require().
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
  });
}

function describeVersion(): Record<string, string | null> {
  const { name, version }: Record<string, string> = JSON.parse(readFileSync(at("package.json"), "utf8"));
  return {
    name: name ?? "sample-app",
    version: version ?? "unknown",
    commit: readCommit(),
    release: process.env["RELEASE"] || process.env["RELEASE_ID"] || null,
  };
}

/** The working tree knows best; without one, as in an image build, the environment says. */
function readCommit(): string {
  try {
    const git = execFileSync("git", ["rev-parse", "HEAD"], {
      cwd: at("."),
      stdio: ["ignore", "pipe", "ignore"],
    });
    return git.toString().trim();
  } catch {
    return process.env["GITHUB_SHA"] || "unknown";
  }
}

function writeLauncher(): void {
  const platform = execFileSync("uname", ["-sm"], { encoding: "utf8" }).trim();
  const text = readFileSync(at("scripts/launcher.sh"), "utf8")
    .replace("@PLATFORM@", platform)
    .replace("@FLAGS@", V8_FLAGS.join(" "));
  writeFileSync(`${staging}main`, text);
  chmodSync(`${staging}main`, 0o755);
}

function copyRuntime(): void {
  mkdirSync(`${staging}runtime`);
  const target = `${staging}runtime/node`;
  copyFileSync(strippedNode(), target);
  chmodSync(target, 0o755);
}

/** Symbols are a seventh of Node's size and of no use here; stripping once is enough for many builds. */
function strippedNode(): string {
  const source = process.execPath;
  const { size, mtimeMs } = statSync(source);
  const key = createHash("sha256").update(`${source} ${size} ${mtimeMs}`).digest("hex").slice(0, 16);
  const folder = at("node_modules/.cache/sample-app");
  const cached = `${folder}/node-${process.version}-${key}`;
  if (existsSync(cached)) return cached;
  mkdirSync(folder, { recursive: true });
  const fresh = `${cached}.${process.pid}`;
  copyFileSync(source, fresh);
  try {
    chmodSync(fresh, 0o755);
    execFileSync("strip", [fresh], { stdio: "ignore" });
    execFileSync(fresh, ["--version"], { stdio: "ignore" });
  } catch {
    console.log("node is left as it is: no usable strip on PATH");
    copyFileSync(source, fresh);
  }
  renameSync(fresh, cached);
  return cached;
}

await main().catch((error: unknown) => {
  console.error(`build failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});

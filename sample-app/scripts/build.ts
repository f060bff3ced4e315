// Makes build/, or the folder given: it runs anywhere with ./main. The same commit gives the same bytes.
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
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const root = new URL("../", import.meta.url);
const at = (path: string): string => fileURLToPath(new URL(path, root));

// Built beside its place and renamed at the end: a build that fails leaves no half of itself.
const target = resolve(process.argv[2] ?? at("build"));
const staging = `${target}.new/`;

const V8_FLAGS = ["--max-semi-space-size=1"];

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
  rmSync(target, { recursive: true, force: true });
  renameSync(staging, target);
  console.log(
    `${target} is ready (${runtime === "bundled" ? `with Node ${process.version}` : "for the host's Node"})`,
  );
}

const MEDIA_TYPES =
  /^(application\/(json|octet-stream|problem\+json|x-www-form-urlencoded)|text\/(html|plain))$/;

/**
 * Leaves out data that no request can reach: the JSON parser accepts UTF-8, UTF-16 and UTF-32 only, so the
 * tables of other charsets are half a megabyte for nothing; and of 2,500 media types the service uses six.
 */
const withoutUnusedData: Plugin = {
  name: "without-unused-data",
  setup: (build) => {
    const charsets =
      /iconv-lite[\\/]encodings[\\/](tables[\\/].*\.json|sbcs-data-generated\.js|dbcs-data\.js)$/;
    build.onLoad({ filter: charsets }, () => ({ contents: "module.exports={}", loader: "js" }));
    build.onLoad({ filter: /mime-db[\\/]db\.json$/ }, ({ path }) => {
      const all: Record<string, unknown> = JSON.parse(readFileSync(path, "utf8"));
      const used = Object.entries(all).filter(([type]) => MEDIA_TYPES.test(type));
      return { contents: JSON.stringify(Object.fromEntries(used)), loader: "json" };
    });
  },
};

// CommonJS, because an ES import of node:http or node:crypto evaluates all their lazy exports, which loads
// undici, web streams and web crypto: 9 MB of memory that this service never uses.
async function bundle(): Promise<void> {
  await build({
    entryPoints: [at("src/main.ts")],
    outfile: `${staging}app/main.cjs`,
    absWorkingDir: at("."),
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    minify: true,
    legalComments: "none",
    logLevel: "warning",
    // Optional parts of pg: a native driver, and the sockets of another platform.
    external: ["pg-native", "cloudflare:sockets"],
    plugins: [withoutUnusedData],
    define: { "import.meta.url": "importMetaUrl" },
    banner: { js: 'const importMetaUrl=require("node:url").pathToFileURL(__filename).href;' },
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

// Start time and idle memory of the sample app, beside a bare Node that only loads pg, in the same run.
// Needs `npm ci && npm run build` in sample-app. Started without a database, it starts one for itself.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const APP = fileURLToPath(new URL("../sample-app/", import.meta.url));
const MAIN = `${APP}build/main`;
const BUNDLED_NODE = `${APP}build/runtime/node`;
const NODE = existsSync(BUNDLED_NODE) ? BUNDLED_NODE : process.execPath;
const ROUNDS = 5;
const IDLE_MS = 1_500;
const LIMITS = { readyMs: 2_000, residentMb: 64 };

type Sample = { readyMs: number; residentMb: number };

/** Milliseconds until `ready` says so, and resident memory after a quiet while. */
async function measure(child: ChildProcess, ready: () => Promise<boolean>): Promise<Sample> {
  const start = performance.now();
  try {
    while (!(await ready())) {
      if (child.exitCode !== null || performance.now() - start > 15_000) throw new Error("it did not start");
      await delay(2);
    }
    const readyMs = performance.now() - start;
    await delay(IDLE_MS);
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return { readyMs, residentMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024 };
  } finally {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    if (child.exitCode === null) await gone;
  }
}

function measureBare(): Promise<Sample> {
  const script = 'require("pg");setInterval(()=>{},1e6);process.stdout.write("ready")';
  const child = spawn(NODE, ["-e", script], { cwd: APP, stdio: ["ignore", "pipe", "inherit"] });
  let said = false;
  child.stdout.once("data", () => {
    said = true;
  });
  return measure(child, async () => said);
}

function measureApp(): Promise<Sample> {
  const env = { ...process.env, PORT: "0", BIND_ADDRESS: "127.0.0.1" };
  const child = spawn(MAIN, [], { env, cwd: "/", stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  return measure(child, async () => {
    const port = /"msg":"listening","port":(\d+)/.exec(output)?.[1];
    if (!port) return false;
    return (await fetch(`http://127.0.0.1:${port}/readyz`, { headers: { Connection: "close" } })).ok;
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function report(what: string, app: number[], bare: number[], unit: string, limit: number): void {
  const [mine, theirs] = [median(app), median(bare)];
  const verdict = mine <= limit ? "within" : "OVER";
  const numbers = `${mine.toFixed(0)} ${unit} / ${theirs.toFixed(0)} ${unit} = ${(mine / theirs).toFixed(2)}`;
  console.log(
    `sample-app ${what}: ${numbers} x bare Node with pg (${verdict} the target of ${limit} ${unit})`,
  );
}

async function main(): Promise<void> {
  const app: Sample[] = [];
  const bare: Sample[] = [];
  // Taken in turns, so that a machine that slows down slows both.
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await measureBare());
    app.push(await measureApp());
  }
  const of = (samples: readonly Sample[], key: keyof Sample): number[] =>
    samples.map((sample) => sample[key]);
  report("ready", of(app, "readyMs"), of(bare, "readyMs"), "ms", LIMITS.readyMs);
  report("idle memory", of(app, "residentMb"), of(bare, "residentMb"), "MB", LIMITS.residentMb);
}

if (!existsSync(MAIN) || !existsSync(`${APP}node_modules/pg`)) {
  console.error("sample-app is not built: run `npm ci && npm run build` in sample-app");
  process.exitCode = 1;
} else if (process.env["DATABASE_URL"] || process.env["DBNAME"]) {
  await main();
} else {
  const script = `${APP}scripts/with-postgres.ts`;
  const child = spawn(process.execPath, [script, process.execPath, fileURLToPath(import.meta.url)], {
    stdio: "inherit",
  });
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  process.exitCode = code ?? 1;
}

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Bench, Row } from "./bench.ts";

const APP = fileURLToPath(new URL("../sample-app/", import.meta.url));
const RUN = `${APP}scripts/run.mjs`;
const ROUNDS = 5;
const IDLE_MS = 1_000;
const PATIENCE_MS = 20_000;

interface Sample {
  readonly readyMs: number;
  readonly residentMb: number;
}

type Variables = Readonly<Record<string, string>>;

/** Time until the built sample app is ready and its memory when idle, beside a bare Node that only loads pg. */
export const bench: Bench = {
  name: "sample-app",
  run: async () => {
    if (!existsSync(`${APP}node_modules/pg`)) throw new Error("run `npm ci` in sample-app first");
    const scratch = mkdtempSync(join(tmpdir(), "goci-bench-"));
    try {
      const build = join(scratch, "build");
      const built = spawnSync(process.execPath, [RUN, "scripts/build.ts", build], { encoding: "utf8" });
      if (built.status !== 0) throw new Error(`sample-app cannot be built: ${built.stderr.trim()}`);
      return await withDatabase((variables) => measureRounds(build, variables));
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  },
};

/** Lends a private PostgreSQL: a process beside it prints how to reach it and waits to be ended. */
async function withDatabase<T>(work: (variables: Variables) => Promise<T>): Promise<T> {
  const script = "console.log(JSON.stringify(process.env));setInterval(()=>{},1e6)";
  const args = [RUN, "scripts/with-postgres.ts", process.execPath, "-e", script];
  const holder = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  holder.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  try {
    await until(holder, async () => output.endsWith("}\n"));
    const { HOST = "", USER = "", PASSWORD = "", DBNAME = "", DBPORT = "" }: Variables = JSON.parse(output);
    return await work({ HOST, USER, PASSWORD, DBNAME, DBPORT });
  } finally {
    await end(holder);
  }
}

async function measureRounds(build: string, database: Variables): Promise<Row[]> {
  const app: Sample[] = [];
  const bare: Sample[] = [];
  // Rounds are interleaved, so that a busy moment of the machine falls on both alike.
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await measureBare(join(build, "runtime/node")));
    app.push(await measureApp(join(build, "main"), database));
  }
  const row = (what: string, key: keyof Sample, unit: string, aim: number): Row[] => {
    const value = median(app.map((sample) => sample[key]));
    const beside = { what: "bare Node with pg", value: median(bare.map((sample) => sample[key])) };
    return [
      { what: `sample-app: ${what}`, value, unit, aim },
      { what: `sample-app: ${what}, ratio`, value, unit, beside },
    ];
  };
  return [...row("ready", "readyMs", "ms", 2_000), ...row("idle memory", "residentMb", "MB", 64)];
}

async function measureBare(node: string): Promise<Sample> {
  const script = 'require("pg");setInterval(()=>{},1e6);process.stdout.write("ready")';
  const child = spawn(node, ["-e", script], { cwd: APP, stdio: ["ignore", "pipe", "inherit"] });
  let said = false;
  child.stdout.once("data", () => {
    said = true;
  });
  return measure(child, async () => said);
}

async function measureApp(main: string, database: Variables): Promise<Sample> {
  const env = { PATH: process.env["PATH"], PORT: "0", BIND_ADDRESS: "127.0.0.1", ...database };
  const child = spawn(main, [], { env, cwd: "/", stdio: ["ignore", "pipe", "inherit"] });
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

/** Milliseconds until `ready` says so, and resident memory after a quiet while. */
async function measure(child: ChildProcess, ready: () => Promise<boolean>): Promise<Sample> {
  const startedAt = performance.now();
  try {
    await until(child, ready);
    const readyMs = performance.now() - startedAt;
    await delay(IDLE_MS);
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return { readyMs, residentMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024 };
  } finally {
    await end(child);
  }
}

async function until(child: ChildProcess, ready: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await ready())) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error("a process did not start");
    await delay(2);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

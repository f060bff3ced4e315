import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Bench, Row } from "./bench.ts";

const BUNDLE = fileURLToPath(new URL("../actions/load-test/dist/index.js", import.meta.url));
const AUTOCANNON = createRequire(import.meta.url).resolve("autocannon");
const ROUNDS = 2;
const SECONDS = 2;
const CONNECTIONS = 10;
const OPEN_RATE = 10_000;

/** CPU of the load generator for each request beside autocannon's, and how well one thread holds a high rate. */
export const bench: Bench = {
  name: "load",
  run: async () => {
    const scratch = mkdtempSync(join(tmpdir(), "goci-bench-"));
    const server = spawn(process.execPath, ["--input-type=module", "--eval", SERVER], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      return await measure(`http://127.0.0.1:${await firstLine(server)}/`, scratch);
    } finally {
      server.kill();
      rmSync(scratch, { recursive: true, force: true });
    }
  },
};

/** A target that costs as little as Node allows, so that the generators are what is measured. */
const SERVER = `
import { createServer } from "node:net";
const answer = "HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 6\\r\\n\\r\\nhello\\n";
const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {});
  socket.on("data", () => socket.write(answer, "latin1"));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

interface Sample {
  /** CPU microseconds of the whole process, start-up included, for each request. */
  readonly cpuUs: number;
  readonly perSecond: number;
}

async function measure(url: string, scratch: string): Promise<Row[]> {
  const own: Sample[] = [];
  const other: Sample[] = [];
  // Alternating, so that a busy moment of the machine falls on both.
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await runOwn(url, scratch));
    other.push(await runAutocannon(url, scratch));
  }
  // A thread can be late because the machine is busy, but not early: the best of some tries is the truest.
  const tries = [];
  for (let i = 0; i < ROUNDS; i++) tries.push(await runOpen(url, scratch));
  const { lagMs, ratio } = tries.reduce((a, b) => (b.lagMs < a.lagMs ? b : a));
  const least = (samples: readonly Sample[]) => Math.min(...samples.map((sample) => sample.cpuUs));
  const rate = (samples: readonly Sample[]) =>
    Math.round(Math.max(...samples.map((sample) => sample.perSecond)));
  return [
    {
      what: "load-test: CPU per request",
      value: least(own),
      unit: "us",
      beside: { what: "autocannon", value: least(other) },
      aim: 1,
      note: `${CONNECTIONS} connections; ${rate(own)}/s and ${rate(other)}/s`,
    },
    {
      what: `load-test: send lag p99 at ${OPEN_RATE}/s, 1 thread`,
      value: lagMs,
      unit: "ms",
      aim: 10,
      note: `sent ${(ratio * 100).toFixed(1)} % of the planned requests`,
    },
  ];
}

async function runOwn(url: string, scratch: string): Promise<Sample> {
  const inputs = { users: String(CONNECTIONS), "max-rate": "1000000" };
  const { cpuUs, outputs } = await runAction(url, scratch, inputs);
  const requests = Number(outputs.get("requests"));
  return { cpuUs: cpuUs / requests, perSecond: requests / SECONDS };
}

async function runOpen(url: string, scratch: string): Promise<{ lagMs: number; ratio: number }> {
  const inputs = { rate: String(OPEN_RATE), workers: "1", "warm-up": "1s" };
  const { outputs } = await runAction(url, scratch, inputs);
  const result = JSON.parse(readFileSync(outputs.get("result-path") ?? "", "utf8")) as {
    readonly generator: { readonly lagP99: number; readonly achievedRateRatio: number };
  };
  return { lagMs: result.generator.lagP99, ratio: result.generator.achievedRateRatio };
}

async function runAction(
  url: string,
  scratch: string,
  inputs: Readonly<Record<string, string>>,
): Promise<{ cpuUs: number; outputs: ReadonlyMap<string, string> }> {
  const output = join(scratch, "output");
  writeFileSync(output, "");
  const all = { url, duration: `${SECONDS}s`, "warm-up": "0", summary: "false", ...inputs };
  const env: Record<string, string> = { GITHUB_OUTPUT: output, RUNNER_TEMP: scratch };
  for (const [name, value] of Object.entries(all)) env[`INPUT_${name.toUpperCase()}`] = value;
  const { cpuUs } = await runNode([BUNDLE], env, scratch);
  const lines = readFileSync(output, "utf8").matchAll(/^(.+?)<<(\S+)\n(.*)\n\2$/gm);
  return { cpuUs, outputs: new Map([...lines].map(([, name = "", , value = ""]) => [name, value])) };
}

async function runAutocannon(url: string, scratch: string): Promise<Sample> {
  const args = [AUTOCANNON, "-c", String(CONNECTIONS), "-d", String(SECONDS), "-n", "-j", url];
  const { cpuUs, stdout } = await runNode(args, {}, scratch);
  const { requests } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as {
    readonly requests: { readonly total: number };
  };
  return { cpuUs: cpuUs / requests.total, perSecond: requests.total / SECONDS };
}

/** Writes the CPU time of its process, all threads, microseconds, as the process ends. */
const PROBE = `if (require("node:worker_threads").isMainThread) process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  require("node:fs").writeFileSync(process.env.CPU_FILE, String(user + system));
});
`;

async function runNode(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  scratch: string,
): Promise<{ cpuUs: number; stdout: string }> {
  const probe = join(scratch, "probe.cjs");
  const file = join(scratch, "cpu");
  writeFileSync(probe, PROBE);
  writeFileSync(file, "");
  const child = spawn(process.execPath, ["--require", probe, ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...env, CPU_FILE: file },
    stdio: ["ignore", "pipe", "ignore"],
    timeout: (SECONDS + 15) * 1000,
  });
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("utf8");
  });
  await new Promise((resolve) => child.on("close", resolve));
  return { cpuUs: Number(readFileSync(file, "utf8")), stdout };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString("utf8").trim()));
    child.once("exit", () => reject(new Error("the target of the benchmark did not start")));
  });
}

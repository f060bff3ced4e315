import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Bench, Row } from "./bench.ts";

const ACTIONS = fileURLToPath(new URL("../actions", import.meta.url));
const ROUNDS = 9;

/** CPU time that each bundle needs to refuse empty inputs, beside a Node process that does nothing; and its size. */
export const bench: Bench = {
  name: "startup",
  run: async () => {
    const scratch = mkdtempSync(join(tmpdir(), "goci-bench-"));
    try {
      return measure(scratch);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  },
};

function measure(scratch: string): Row[] {
  const empty = join(scratch, "empty.mjs");
  writeFileSync(empty, "");
  const bundles = findBundles();
  const least = new Map<string, number>();
  // Rounds are interleaved, so that a busy moment of the machine falls on all alike; the least is the truest.
  for (let round = 0; round < ROUNDS; round++) {
    for (const file of [empty, ...bundles.map(({ path }) => path)]) {
      least.set(file, Math.min(least.get(file) ?? Infinity, cpuMs(file, scratch)));
    }
  }
  const beside = { what: "empty Node process", value: least.get(empty) ?? Number.NaN };
  return bundles.flatMap(({ name, path }): Row[] => [
    {
      what: `${name}: CPU with empty inputs`,
      value: least.get(path) ?? Number.NaN,
      unit: "ms",
      beside,
      aim: 2,
    },
    { what: `${name}: entry size`, value: statSync(path).size / 1e6, unit: "MB", aim: 1 },
  ]);
}

function findBundles(): { name: string; path: string }[] {
  return readdirSync(ACTIONS)
    .sort()
    .flatMap((action) => [
      { name: action, path: join(ACTIONS, action, "dist/index.js") },
      { name: `${action} post`, path: join(ACTIONS, action, "dist/post/index.js") },
    ])
    .filter(({ path }) => statSync(path, { throwIfNoEntry: false }) !== undefined);
}

/** Writes the CPU time of its process, microseconds, as the process ends. */
const PROBE = `process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  require("node:fs").writeFileSync(process.env.CPU_FILE, String(user + system));
});
`;

/** User and system time of one run, milliseconds. */
function cpuMs(file: string, scratch: string): number {
  const probe = join(scratch, "probe.cjs");
  const result = join(scratch, "cpu");
  const commands = join(scratch, "commands");
  writeFileSync(probe, PROBE);
  writeFileSync(commands, "");
  rmSync(result, { force: true });
  spawnSync(process.execPath, ["--require", probe, file], {
    cwd: scratch,
    env: {
      PATH: process.env["PATH"] ?? "",
      CPU_FILE: result,
      RUNNER_TEMP: scratch,
      GITHUB_WORKSPACE: scratch,
      GITHUB_OUTPUT: commands,
      GITHUB_STATE: commands,
    },
    timeout: 30_000,
  });
  return Number(readFileSync(result, "utf8")) / 1000;
}

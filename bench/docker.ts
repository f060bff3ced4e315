import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretSearch } from "../actions/docker-push/src/scan/secret-search.ts";
import {
  engineProblem,
  importBase,
  type RunningEngine,
  startDockerEngine,
} from "../lib/testing/docker-engine.ts";
import { hasRegistry, startRegistry, type TestRegistry } from "../lib/testing/registry.ts";
import { FakeRunner } from "../lib/testing/runner.ts";
import type { Bench, Row } from "./bench.ts";

const MEGABYTES = 20;
const ROUNDS = 3;
const SCANNED_MB = 100;
/** What a user who changes nothing waits for, and what a registry is asked then. */
const UNCHANGED_MS = 2000;
const UNCHANGED_REQUESTS = 15;
const SCAN_MS = 2000;

/** An image of 20 MB through docker-push (built, searched, packed, pushed, proven) beside `docker build` and `docker push`. */
export const bench: Bench = { name: "docker", run };

async function run(): Promise<Row[]> {
  const scan = scanRow();
  const problem = engineProblem() ?? (hasRegistry() ? "" : "docker-registry is not installed");
  if (problem)
    return [scan, { what: "docker-push", value: Number.NaN, unit: "ms", note: `skipped: ${problem}` }];
  const folder = mkdtempSync(join(tmpdir(), "goci-bench-docker-"));
  const [engine, registry] = await Promise.all([startDockerEngine(), startRegistry({ open: true })]);
  const runner = new FakeRunner({ ...engine.env, PATH: process.env["PATH"] ?? "" });
  try {
    importBase(engine);
    return [...(await measure({ engine, registry, runner, plain: folder })), scan];
  } finally {
    runner.dispose();
    await Promise.all([engine.stop(), registry.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Site {
  readonly engine: RunningEngine;
  readonly registry: TestRegistry;
  readonly runner: FakeRunner;
  /** Context of the plain build; the other is the runner's workspace. */
  readonly plain: string;
}

async function measure(site: Site): Promise<Row[]> {
  const times: Record<"ours" | "plain" | "oursAgain" | "plainAgain", number[]> = {
    ...{ ours: [], plain: [], oursAgain: [], plainAgain: [] },
  };
  let requests = 0;
  // Alternating, so that a busy moment of the machine falls on both.
  for (let round = 0; round < ROUNDS; round++) {
    writeContext(site.runner.workspace);
    writeContext(site.plain);
    times.ours.push(await ours(site, "succeeded"));
    times.plain.push(await plain(site));
    const asked = askedByUs(site.registry);
    times.oursAgain.push(await ours(site, "unchanged"));
    requests = askedByUs(site.registry) - asked;
    times.plainAgain.push(await plain(site));
  }
  const beside = (value: number) => ({ what: "docker build + push", value });
  return [
    {
      what: `docker-push, ${MEGABYTES} MB, new`,
      value: median(times.ours),
      unit: "ms",
      beside: beside(median(times.plain)),
      aim: 2,
    },
    {
      what: `docker-push, ${MEGABYTES} MB, unchanged`,
      value: median(times.oursAgain),
      unit: "ms",
      aim: UNCHANGED_MS,
      note: `docker build + push: ${median(times.plainAgain).toFixed(0)} ms, and it searches nothing`,
    },
    {
      what: "requests to the registry, unchanged",
      value: requests,
      unit: "requests",
      aim: UNCHANGED_REQUESTS,
    },
  ];
}

/** By path: what `docker push` asked may come to the log late. */
function askedByUs(registry: TestRegistry): number {
  return registry.accessLog().filter(({ target }) => target.startsWith("/v2/ours/")).length;
}

async function ours({ registry, runner }: Site, outcome: string): Promise<number> {
  const inputs = {
    images: `${registry.host}/ours`,
    tags: "one\ntwo",
    "branch-tags": "",
    overwrite: "always",
  };
  const startedAt = performance.now();
  const step = await runner.main("docker-push", inputs);
  const ms = performance.now() - startedAt;
  if (step.outputs["outcome"] !== outcome) throw new Error(`expected ${outcome}: ${step.output}`);
  return ms;
}

async function plain({ engine, registry, plain: context }: Site): Promise<number> {
  const [one, two] = [`${registry.host}/plain:one`, `${registry.host}/plain:two`];
  const startedAt = performance.now();
  engine.docker(["build", "--tag", one, "--tag", two, context], { DOCKER_BUILDKIT: "0" });
  for (const name of [one, two]) engine.docker(["push", name]);
  return performance.now() - startedAt;
}

/** Half text, half noise, so that packing has something to do and not everything; new at every call. */
function writeContext(folder: string): void {
  const data = join(folder, "data");
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data, { recursive: true });
  writeFileSync(join(folder, "Dockerfile"), "FROM base:test\nCOPY data/ /data/\n");
  for (let index = 0; index < MEGABYTES; index++) {
    const seed = createHash("sha512").update(randomBytes(16)).digest("hex");
    const text = Buffer.from(`// ${seed}\n${"export const value = 1;\n".repeat(22_000)}`).subarray(
      0,
      500_000,
    );
    writeFileSync(join(data, `part-${index}`), Buffer.concat([text, randomBytes(500_000)]));
  }
}

/** What every layer goes through: the search for given secrets and token shapes. */
function scanRow(): Row {
  const search = new SecretSearch(["a-registry-password", "another given secret", "and-a-third-one"]);
  const chunk = Buffer.concat([randomBytes(32_768), Buffer.from("const value = token(1);\n".repeat(1366))]);
  const startedAt = performance.now();
  const stream = search.stream();
  for (let sent = 0; sent < SCANNED_MB * 1e6; sent += chunk.length) stream.push(chunk);
  stream.end();
  const what = `search for secrets in ${SCANNED_MB} MB`;
  return { what, value: performance.now() - startedAt, unit: "ms", aim: SCAN_MS };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

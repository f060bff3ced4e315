import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Fleet } from "../src/fleet.ts";
import { monotonicMs } from "../src/generator.ts";
import type { LoadInputs, Model } from "../src/inputs.ts";
import { type LoadSpec, putLoad, type Watch } from "../src/load.ts";
import { Measurement } from "../src/measurement.ts";
import { progressWatch } from "../src/progress.ts";
import { Tally } from "../src/tally.ts";
import { parseThresholds } from "../src/thresholds.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "goci-load-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const OPEN: Model = { kind: "open", rate: 100, profile: { kind: "constant" } };
const CLOSED: Model = { kind: "closed", users: 5, spawnRate: 5 };

/** Puts a load on nothing: `body` stands for what a load thread does with its `plan`. */
async function loadBy(body: string, threads: number, change: Partial<LoadSpec>, watch: Watch = () => false) {
  const file = join(folder, `${Math.random()}.mjs`);
  const head = `import { parentPort as port } from "node:worker_threads";
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const histogram = (us, count) => ({ pairs: Uint32Array.of(us, count), min: us, max: us, sum: us * count });
const none = { pairs: new Uint32Array(), min: 0, max: 0, sum: 0 };
const answers = (plan, second, count, lastAnswerAt) => port.postMessage({ type: "second", worker: plan.worker,
  second: { second, warmUp: [], service: none, connect: none, lag: none, inFlight: 0, busy: 0, measured: [
    { endpoint: 0, sent: count, answered: count, bytes: 0, latency: histogram(1000, count), failures: [],
      strayRedirects: 0, lastAnswerAt }] } });
const done = (plan, cut = "") => port.postMessage({ type: "done", worker: plan.worker,
  end: { cut, at: plan.startAt + 1, interrupted: 0, unsent: 0, connections: 0 } });
port.on("message", async ({ type, plan }) => { if (type === "load") { ${body} } });
port.postMessage({ type: "ready" });
`;
  writeFileSync(file, head);
  const fleet = new Fleet(file, threads);
  const endpoint = {
    name: "GET /",
    method: "GET",
    path: "/",
    weight: 1,
    headers: [],
    body: "",
    expect: { statuses: [], contains: "" },
  };
  const spec: LoadSpec = {
    target: { origin: "http://127.0.0.1:9", secure: false, host: "127.0.0.1", port: 9 },
    endpoints: [endpoint],
    model: OPEN,
    durationMs: 10_000,
    warmUpMs: 0,
    requestTimeoutMs: 1000,
    maxInFlight: 5,
    maxRate: 1000,
    maxRequests: 1000,
    ...change,
  };
  const { signal } = new AbortController();
  const load = await putLoad(fleet, spec, { now: Date.now, monotonic: monotonicMs, signal, watch });
  await fleet.close();
  return load;
}

test("a second is judged when every thread has told of it", async () => {
  const heard: number[] = [];
  const body = `await sleep(plan.worker * 100); answers(plan, 0, 50, 0); await sleep(200); done(plan);`;
  await loadBy(body, 2, {}, ({ measurement }) => {
    heard.push(measurement.total.answered);
    return false;
  });
  expect(heard).toEqual([100]);
});

test("a thread that has nothing left to send holds nobody up", async () => {
  let heard = 0;
  const body = `if (plan.worker === 0) { answers(plan, 0, 1, 0); return done(plan); }
    for (let i = 0; i < 3; i++) { await sleep(50); answers(plan, i, 1, 0); } done(plan);`;
  await loadBy(body, 2, {}, () => {
    heard++;
    return false;
  });
  expect(heard).toBe(3);
});

test("a run that has had its whole time is not cut short", async () => {
  const body = `await sleep(1100); answers(plan, 1, 50, 0); await sleep(50); done(plan);`;
  const whole = await loadBy(body, 1, { durationMs: 1000 }, () => true);
  expect(whole.health.cut).toBe("");
  const cut = await loadBy(body, 1, { durationMs: 5000 }, () => true);
  expect(cut.health.cut).toBe("aborted");
});

test("the time of one answer behind the end is no lack of answers, more than that is", async () => {
  const ending = (ms: number) => `answers(plan, 0, 1000, plan.startAt + ${ms}); done(plan);`;
  expect((await loadBy(ending(10_001), 1, {})).measured.seconds).toBeCloseTo(10, 6);
  expect((await loadBy(ending(12_001), 1, {})).measured.seconds).toBeCloseTo(12, 6);
});

test("as many users as `max-in-flight` allows may all wait at once", async () => {
  const body = `done(plan, plan.maxInFlight <= 5 ? "in-flight-cap" : "");`;
  expect((await loadBy(body, 1, { model: CLOSED })).health.cut).toBe("");
  expect((await loadBy(body, 1, { model: OPEN })).health.cut).toBe("in-flight-cap");
});

/** Whether `abort-on-fail` would stop after 10 s with so many answers of 200 ms. */
function stops(model: LoadInputs["model"], answers: number): boolean {
  const tally = new Tally(1);
  for (let i = 0; i < answers; i++) tally.of(0, true).answer(200, 0, false, 1);
  const measurement = new Measurement(1);
  measurement.add(tally.drain(0, 0, 0, 0));
  const { thresholds } = parseThresholds("rps>=99", ["GET /"]);
  const inputs = { endpoints: [], model, thresholds, abortOnFail: true, abortAfterMs: 10_000 };
  return progressWatch(inputs, () => {})({ measurement, measuredMs: 10_000 });
}

test.each([
  ["what is on its way is no lack of answers", OPEN, 980, false],
  ["too few answers", OPEN, 960, true],
  [
    "a rate that still grows",
    { kind: "open", rate: 1, profile: { kind: "ramp", from: 1, to: 300 } },
    300,
    false,
  ],
] as const)("abort-on-fail and rps: %s", (_name, model, answers, stopped) => {
  expect(stops(model, answers)).toBe(stopped);
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Fleet, type SharedPlan, shareOfCount } from "../src/fleet.ts";

const PLAN: SharedPlan = {
  target: { origin: "http://127.0.0.1:9", secure: false, host: "127.0.0.1", port: 9 },
  endpoints: [],
  timeoutMs: 1000,
  maxInFlight: 10,
  model: () => ({ kind: "open", segments: [] }),
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "goci-fleet-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A load thread that does as told. */
function thread(body: string): string {
  const file = join(folder, `${Math.random()}.mjs`);
  const head = `import { parentPort as port } from "node:worker_threads";
const end = { cut: "", at: 1, interrupted: 0, unsent: 0, connections: 0 };
`;
  writeFileSync(file, `${head}${body}\nport.postMessage({ type: "ready" });\n`);
  return file;
}

const listener = { second: () => {}, ended: () => {} };

test("a thread that dies is lost, and the others are stopped", async () => {
  const file = thread(`port.on("message", ({ type, plan }) => {
    if (type === "stop") port.postMessage({ type: "done", worker: 1, end: { ...end, cut: "stopped" } });
    else if (plan.worker === 0) process.exit(3);
  });`);
  const fleet = new Fleet(file, 2);
  const end = await fleet.load(PLAN, listener, new AbortController().signal);
  expect(end.lost).toEqual(["load thread 0 ended with code 3"]);
  expect(end.ends).toEqual([expect.objectContaining({ cut: "stopped" })]);
  await fleet.close();
});

test("a thread that throws is lost with its reason", async () => {
  const fleet = new Fleet(thread(`port.on("message", () => { throw new Error("out of luck"); });`), 1);
  const end = await fleet.load(PLAN, listener, new AbortController().signal);
  expect(end.lost).toEqual(["load thread 0 ended with code 1: out of luck"]);
  await fleet.close();
});

test("a thread that does not stop when told to is not waited for", async () => {
  const fleet = new Fleet(thread(`port.on("message", () => {});`), 1);
  const startedAt = performance.now();
  const end = await fleet.load(PLAN, listener, AbortSignal.abort());
  expect(end.ends).toEqual([]);
  expect(performance.now() - startedAt).toBeLessThan(5000);
  await fleet.close();
});

test("a thread that does not even load fails the load", async () => {
  const fleet = new Fleet(thread(`throw new Error("broken file");`), 1);
  await expect(fleet.load(PLAN, listener, new AbortController().signal)).rejects.toThrow("broken file");
  await fleet.close();
});

test.each([
  [10, 3, [4, 3, 3]],
  [1, 2, [1, 0]],
  [0, 2, [0, 0]],
])("%d things for %d threads", (total, workers, shares) => {
  expect(Array.from({ length: workers }, (_, worker) => shareOfCount(total, worker, workers))).toEqual(
    shares,
  );
});

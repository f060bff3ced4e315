import { expect, test } from "@jest/globals";
import { ClosedDrive } from "../src/drive.ts";
import type { ClosedModel, LoadPlan } from "../src/messages.ts";
import type { Requester } from "../src/requester.ts";

test("the limit on the rate of users holds also when a stalled target answers all at once", () => {
  const model: ClosedModel = {
    kind: "closed",
    warmUpUsers: 0,
    users: 10,
    spawnRate: 1000,
    warmUpMs: 0,
    rampMs: 0,
    durationMs: 60_000,
    maxRate: 100,
    maxRequests: 100_000,
  };
  const waiting: ((reached: boolean) => void)[] = [];
  const requester = {
    send: (
      _which: number,
      _due: number,
      _measured: boolean,
      _now: number,
      then: (reached: boolean) => void,
    ) => void waiting.push(then),
  } as unknown as Requester;
  const plan = { worker: 0, workers: 1, endpoints: [{ weight: 1 }] } as unknown as LoadPlan;
  const start = performance.now() - 5000;
  const drive = new ClosedDrive(model, plan, requester, start);
  for (let ms = 0; ms <= 300; ms++) drive.advance(start + ms);
  expect(waiting).toHaveLength(10);
  let sent = 0;
  // Answers come as fast as requests are sent: without the limit this would go on for all 500 that were "saved".
  while (waiting.length > 0 && sent < 500) {
    sent++;
    waiting.shift()?.(true);
  }
  // 20 ms may be caught up, and each millisecond that this loop takes allows a tenth of a request.
  expect(sent - 10).toBeLessThan(20);
});

import { expect, test } from "@jest/globals";
import { completions, failures } from "./figures.ts";

test("a completion is noticed within 5 s, 3 s in the mean, with at most 2 calls a look and 24 a minute", async () => {
  const figures = await completions(120);
  expect(figures.maxLagMs).toBeLessThanOrEqual(5000);
  expect(figures.meanLagMs).toBeLessThanOrEqual(3000);
  expect(figures.callsPerMinute).toBeLessThanOrEqual(24);
  expect(figures.callsPerLook).toBeLessThanOrEqual(2);
  expect(figures.callsBeside).toBeLessThanOrEqual(7 + 3);
});

test("a failed rollout is answered within 10 s", async () => {
  const figures = await failures(60);
  expect(figures.maxLagMs).toBeLessThanOrEqual(10_000);
});

import { describe, expect, test } from "@jest/globals";
import { compare, compareWith, seeded } from "../src/baseline.ts";
import { Histogram } from "../src/histogram.ts";
import type { ResultDocument } from "../src/result.ts";

const PLAN = { engine: "builtin", model: "open", rate: 100, users: null, profile: "constant" };
const MACHINE = { cpu: "Some CPU", cores: 2, node: "v24", platform: "linux-x64" };

/** A run of `seconds` seconds whose latencies are around `ms`; each second has its own luck, as on real machines. */
function runOf(ms: number, seconds: number, seed: number, change: object = {}): ResultDocument {
  const random = seeded(seed);
  const rows = Array.from({ length: seconds }, (_, second) => {
    const luck = 0.9 + random() * 0.2;
    const histogram = new Histogram();
    for (let i = 0; i < 100; i++) histogram.record(ms * luck * (0.5 + random()));
    return { second, measured: true, histogram: [...histogram.data().pairs] };
  });
  const document: unknown = {
    schema: "goci/load-result/v1",
    verdict: "pass",
    plan: PLAN,
    machine: MACHINE,
    seconds: rows,
    ...change,
  };
  return document as ResultDocument;
}

describe("compare", () => {
  test("30 % slower is seen, with an interval that holds the truth", () => {
    const found = compare(runOf(130, 30, 1), runOf(100, 30, 2), 0.1);
    if (!found.compared) throw new Error(found.why);
    expect(found.regressed).toBe(true);
    expect(found.low).toBeGreaterThan(0.2);
    expect(found.high).toBeLessThan(0.4);
  });

  test("faster is no regression, nor is slower by less than allowed", () => {
    expect(compare(runOf(70, 30, 1), runOf(100, 30, 2), 0.1)).toMatchObject({ regressed: false });
    expect(compare(runOf(108, 60, 1), runOf(100, 60, 2), 0.15)).toMatchObject({ regressed: false });
  });

  test("the same target against itself: at most one false alarm in 100", () => {
    const alarms = Array.from({ length: 100 }, (_, i) =>
      compare(runOf(100, 12, 2 * i + 1), runOf(100, 12, 2 * i + 2), 0.05),
    ).filter((found) => found.compared && found.regressed);
    expect(alarms.length).toBeLessThanOrEqual(1);
  });

  test("a long run takes no longer and says the same", () => {
    const found = compare(runOf(130, 600, 1), runOf(100, 600, 2), 0.1);
    expect(found).toMatchObject({ compared: true, regressed: true });
  });

  test("the same files give the same verdict", () => {
    const [now, before] = [runOf(111, 20, 1), runOf(100, 20, 2)];
    expect(compare(now, before, 0.1)).toEqual(compare(now, before, 0.1));
  });

  test.each([
    ["another rate", { plan: { ...PLAN, rate: 200 } }, /rate is 100 now and 200/],
    ["another profile", { plan: { ...PLAN, profile: "spike:9" } }, /profile/],
    ["another machine", { machine: { ...MACHINE, cpu: "Other" } }, /machines differ/],
    ["an invalid baseline", { verdict: "invalid" }, /verdict is invalid/],
    ["too short", { seconds: runOf(100, 3, 5).seconds }, /fewer than 5/],
  ])("not compared: %s", (_name, change, why) => {
    expect(compare(runOf(100, 30, 1), runOf(100, 30, 2, change), 0.1)).toEqual({
      compared: false,
      why: expect.stringMatching(why),
    });
  });

  test("a regression is a verdict with its numbers", () => {
    const { judgement } = compareWith(runOf(150, 30, 1), runOf(100, 30, 2), 0.1);
    expect(judgement).toMatchObject({ verdict: "fail", code: "REGRESSION" });
    expect(judgement?.reason).toMatch(/^p95 is \d+\.\d % slower than the baseline .*allows 10\.0 %\)$/);
  });
});

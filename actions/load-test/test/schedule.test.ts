import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseProfile, peakRate, segmentsOf } from "../src/profile.ts";
import { Schedule, type Segment } from "../src/schedule.ts";

const flat = (ms: number, rate: number, measured = true): Segment => ({ ms, from: rate, to: rate, measured });

describe("Schedule", () => {
  test("request i of a constant rate is due at i / rate", () => {
    const schedule = new Schedule([flat(2000, 500)]);
    expect(schedule.total).toBe(1000);
    expect([0, 1, 250, 999].map((i) => schedule.dueMs(i))).toEqual([0, 2, 500, 1998]);
  });

  test("the warm-up comes first and is told apart by index", () => {
    const schedule = new Schedule([flat(1000, 50, false), flat(1000, 100)]);
    expect(schedule).toMatchObject({ total: 150, firstMeasured: 50, measuredFromMs: 1000, endMs: 2000 });
    expect(schedule.dueMs(49)).toBeCloseTo(980);
    expect(schedule.dueMs(50)).toBeCloseTo(1000);
    expect(schedule.dueMs(51)).toBeCloseTo(1010);
  });

  test("a ramp from 0 to 100 over 10 s: half of its requests come in the last 2.93 s", () => {
    const schedule = new Schedule([{ ms: 10_000, from: 0, to: 100, measured: true }]);
    expect(schedule.total).toBe(500);
    expect(schedule.dueMs(250)).toBeCloseTo(10_000 * Math.SQRT1_2, 3);
  });

  test("a ramp down is the mirror image of a ramp up", () => {
    const up = new Schedule([{ ms: 4000, from: 10, to: 90, measured: true }]);
    const down = new Schedule([{ ms: 4000, from: 90, to: 10, measured: true }]);
    for (const i of [1, 50, 100, 199]) expect(down.dueMs(i)).toBeCloseTo(4000 - up.dueMs(200 - i), 6);
  });

  test("due times never go back, stay inside, and the gaps sum up to the rate", () => {
    const segment = fc.record({
      ms: fc.integer({ min: 1, max: 5000 }),
      from: fc.integer({ min: 0, max: 400 }),
      to: fc.integer({ min: 0, max: 400 }),
      measured: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (segments) => {
        const schedule = new Schedule(segments);
        let before = 0;
        for (let i = 0; i < schedule.total; i++) {
          const due = schedule.dueMs(i);
          expect(due).toBeGreaterThanOrEqual(before - 1e-6);
          expect(due).toBeLessThanOrEqual(schedule.endMs + 1e-6);
          before = due;
        }
        const area = segments.reduce((sum, { ms, from, to }) => sum + (((from + to) / 2) * ms) / 1000, 0);
        expect(Math.abs(schedule.total - area)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });
});

describe("profile", () => {
  test.each([
    ["constant", { kind: "constant" }],
    ["find-max", { kind: "find-max" }],
    ["ramp:10-100", { kind: "ramp", from: 10, to: 100 }],
    ["steps: 100, 200,400", { kind: "steps", rates: [100, 200, 400] }],
    ["spike:900", { kind: "spike", peak: 900 }],
  ])("%s is read", (text, profile) => {
    expect(parseProfile(text)).toEqual(profile);
  });

  test.each([
    "",
    "wave",
    "ramp",
    "ramp:10",
    "ramp:0-0",
    "ramp:-5-10",
    "steps:",
    "steps:5,,6",
    "steps:5,0",
    "spike:",
    "spike:0",
  ])("%j is refused", (text) => {
    expect(parseProfile(text)).toHaveProperty("problem");
  });

  test.each([
    [
      "constant",
      [
        [1000, 50, 50],
        [10_000, 100, 100],
      ],
    ],
    [
      "ramp:20-80",
      [
        [1000, 10, 10],
        [10_000, 20, 80],
      ],
    ],
    [
      "steps:10,30",
      [
        [1000, 5, 5],
        [5000, 10, 10],
        [5000, 30, 30],
      ],
    ],
    [
      "spike:900",
      [
        [1000, 50, 50],
        [4000, 100, 100],
        [2000, 900, 900],
        [4000, 100, 100],
      ],
    ],
  ])("%s at 100/s, warm-up 1 s, 10 s", (text, spans) => {
    const profile = parseProfile(text);
    if ("problem" in profile) throw new Error(profile.problem);
    const segments = segmentsOf(profile, 100, 1000, 10_000);
    expect(segments.map(({ ms, from, to }) => [ms, from, to])).toEqual(spans);
    expect(segments.map(({ measured }) => measured)).toEqual(segments.map((_, i) => i > 0));
    expect(peakRate(profile, 100)).toBe(Math.max(...segments.slice(1).flatMap(({ from, to }) => [from, to])));
  });

  test("no warm-up, no segment for it", () => {
    expect(segmentsOf({ kind: "constant" }, 100, 0, 1000)).toHaveLength(1);
  });
});

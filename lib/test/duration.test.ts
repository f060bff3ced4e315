import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { formatDuration } from "../clock.ts";
import { type DurationUnit, durationText, LONGEST_MS, parseDuration } from "../duration.ts";

describe("parseDuration", () => {
  test.each<[string, DurationUnit, number | undefined]>([
    ["500ms", "s", 500],
    ["90s", "m", 90_000],
    ["10m", "s", 600_000],
    ["1h30m", "s", 5_400_000],
    ["1.5s", "s", 1500],
    ["30", "m", 1_800_000],
    ["30", "s", 30_000],
    ["0", "s", 0],
    [" 2S ", "m", 2000],
    ["1m2ms", "s", 60_002],
    ["1.4ms", "s", 1],
    ["", "s", undefined],
    ["-5s", "s", undefined],
    ["5 s", "s", undefined],
    ["5d", "s", undefined],
    ["1e3", "s", undefined],
    ["s", "s", undefined],
    ["1h30", "m", undefined],
    ["٣s", "s", undefined],
  ])("reads %p with bare numbers in %s as %p ms", (text, bare, expected) => {
    expect(parseDuration(text, bare)).toBe(expected);
  });

  test("reads back what durationText writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LONGEST_MS }), (ms) => {
        expect(parseDuration(durationText(ms), "h")).toBe(ms);
      }),
    );
  });

  test("the longest duration still fits Node's timers", () => {
    expect(LONGEST_MS).toBeLessThanOrEqual(2 ** 31 - 1);
  });
});

test.each([
  [0, "0 ms"],
  [850, "850 ms"],
  [4200, "4.2 s"],
  [60_000, "1 min"],
  [200_000, "3 min 20 s"],
])("formatDuration(%p) is %p", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

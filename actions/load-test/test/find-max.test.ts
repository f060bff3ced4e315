import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { nextRate, PROBES } from "../src/find-max.ts";

/** Searches on a target that keeps up to `capacity` requests a second; returns the rates tried and the best. */
function search(start: number, most: number, capacity: number): { tried: number[]; best: number } {
  const tried: { rate: number; ok: boolean }[] = [];
  for (;;) {
    const rate = nextRate(start, most, tried);
    if (rate === undefined) break;
    tried.push({ rate, ok: rate <= capacity });
  }
  const kept = tried.filter((item) => item.ok).map((item) => item.rate);
  return { tried: tried.map((item) => item.rate), best: Math.max(0, ...kept) };
}

describe("nextRate", () => {
  test.each([
    [100, 20_000, 450, [100, 200, 400, 800, 600, 500, 450, 475]],
    [100, 150, 1000, [100, 150]],
    [100, 50, 1000, [50]],
    [100, 20_000, 30, [100, 50, 25, 38, 32, 29, 31, 30]],
  ])("from %d, at most %d, a target of %d", (start, most, capacity, rates) => {
    expect(search(start, most, capacity).tried).toEqual(rates);
  });

  test("never above the limit, never twice the same, never more than the probes, and never too high a result", () => {
    const rate = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(rate, rate, rate, (start, most, capacity) => {
        const { tried, best } = search(start, most, capacity);
        expect(Math.max(...tried)).toBeLessThanOrEqual(most);
        expect(new Set(tried).size).toBe(tried.length);
        expect(tried.length).toBeLessThanOrEqual(PROBES);
        expect(best).toBeLessThanOrEqual(capacity);
      }),
    );
  });

  test("a target within reach is found to within 20 %", () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 1500 }), (capacity) => {
        expect(search(100, 20_000, capacity).best).toBeGreaterThanOrEqual(capacity * 0.8);
      }),
    );
  });
});

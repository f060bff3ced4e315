import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { bucketOf, bucketTop, Histogram, LARGEST_US, mergeHistograms } from "../src/histogram.ts";

const microseconds = fc.integer({ min: 0, max: LARGEST_US });

function filled(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const us of values) histogram.record(us / 1000);
  return histogram;
}

describe("buckets", () => {
  test("a value lies in its bucket, and the bucket's top is at most 0.1 % above it", () => {
    fc.assert(
      fc.property(microseconds, (us) => {
        const top = bucketTop(bucketOf(us));
        expect(top).toBeGreaterThanOrEqual(us);
        expect(top - us).toBeLessThanOrEqual(us * 0.001);
        expect(bucketOf(top)).toBe(bucketOf(us));
      }),
    );
  });

  test.each([0, 1, 2047, 2048, 2049, 4095, 4096, 2 ** 31 - 1, 2 ** 31, LARGEST_US])(
    "no gap behind %d",
    (us) => {
      expect(bucketOf(us + 1) - bucketOf(us)).toBeLessThanOrEqual(1);
      expect(bucketOf(us + 1)).toBeGreaterThanOrEqual(bucketOf(us));
    },
  );
});

describe("Histogram", () => {
  test("the merge of parts is the histogram of all values", () => {
    fc.assert(
      fc.property(fc.array(fc.array(microseconds, { maxLength: 40 }), { maxLength: 6 }), (parts) => {
        const whole = filled(parts.flat());
        const merged = mergeHistograms(parts.map((part) => filled(part).data()));
        expect(merged.data()).toEqual(whole.data());
        expect(merged.count).toBe(whole.count);
        for (const percent of [0.1, 50, 95, 99.9, 100]) {
          expect(merged.percentile(percent)).toBe(whole.percentile(percent));
        }
      }),
    );
  });

  test("a percentile is within 0.1 % of the sorted list's", () => {
    fc.assert(
      fc.property(
        fc.array(microseconds, { minLength: 1, maxLength: 300 }),
        fc.constantFrom(1, 50, 90, 95, 99, 99.9, 100),
        (values, percent) => {
          const sorted = [...values].sort((a, b) => a - b);
          const truth = sorted[Math.max(0, Math.ceil((percent / 100) * values.length - 1e-9) - 1)] ?? 0;
          const found = (filled(values).percentile(percent) ?? 0) * 1000;
          expect(Math.abs(found - truth)).toBeLessThanOrEqual(truth * 0.001 + 1e-6);
        },
      ),
    );
  });

  test("no percentile is above the maximum", () => {
    const histogram = filled([117_980, 117_981, 117_983]);
    expect(histogram.percentile(99)).toBe(117.983);
    expect(histogram.max()).toBe(117.983);
  });

  test("an empty one has no numbers", () => {
    const empty = new Histogram();
    expect([empty.percentile(50), empty.max(), empty.min(), empty.mean()]).toEqual(Array(4).fill(undefined));
  });

  test("drain returns what was there and leaves nothing", () => {
    const histogram = filled([5, 70_000]);
    expect([...histogram.drain().pairs]).toEqual([5, 1, bucketOf(70_000), 1]);
    expect(histogram.count).toBe(0);
    expect(histogram.drain().pairs).toHaveLength(0);
    histogram.record(0.007);
    expect(histogram.percentile(50)).toBe(0.007);
  });

  test("more than an hour counts as an hour, less than nothing as nothing", () => {
    expect(filled([LARGEST_US * 2]).max()).toBe(3_600_000);
    expect(filled([-5]).max()).toBe(0);
  });
});

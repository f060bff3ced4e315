import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { read } from "./read.ts";

/** Green: readable, at least one test ran, none failed. */
async function isGreen(content: Uint8Array): Promise<boolean> {
  try {
    const report = await read(content);
    const ran = report?.tests.filter((one) => one.status !== "skipped") ?? [];
    return ran.length > 0 && ran.every((one) => one.status === "passed");
  } catch {
    return false;
  }
}

const go = (...events: object[]) => `${events.map((event) => JSON.stringify(event)).join("\n")}\n`;

const GREEN: Readonly<Record<string, string>> = {
  junit: `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3"><testsuite name="s"><testcase name="a" time="0.1"/><testcase name="b"><skipped/></testcase></testsuite>
<testcase name="c" classname="k"><system-out>ok 1
1..1</system-out></testcase></testsuites>`,
  "go test -json": go(
    { Action: "start", Package: "p" },
    { Action: "run", Package: "p", Test: "A" },
    { Action: "output", Package: "p", Test: "A", Output: "x\n" },
    { Action: "pass", Package: "p", Test: "A", Elapsed: 0.1 },
    { Action: "pass", Package: "p", Elapsed: 0.2 },
  ).trimEnd(),
  "TAP, plan first": "TAP version 13\n1..3\nok 1 - a\n# Subtest: o\n    ok 1 - x\n    1..1\nok 2 - o\nok 3\n",
  "TAP, plan last": "TAP version 13\nok 1 - a\nok 2 - b\n1..2",
  ctrf: JSON.stringify({
    results: {
      tool: { name: "t" },
      summary: { tests: 1, failed: 0 },
      tests: [{ name: "a", status: "passed", duration: 1 }],
    },
  }),
};

describe("a report that is cut off is never green", () => {
  test.each(Object.entries(GREEN))("%s, at every byte", async (_name, text) => {
    const bytes = Buffer.from(text);
    expect(await isGreen(bytes)).toBe(true);
    for (let length = 0; length < bytes.length; length++) {
      const isCutGreen = await isGreen(bytes.subarray(0, length));
      if (isCutGreen) throw new Error(`green when cut to ${length} bytes: ${text.slice(0, length)}`);
    }
  });
});

const RED: Readonly<Record<string, string>> = {
  junit:
    '<testsuites failures="1"><testcase name="a"><failure message="m">d</failure></testcase><testcase name="b"/></testsuites>',
  "go test -json": go(
    { Action: "run", Package: "p", Test: "A" },
    { Action: "fail", Package: "p", Test: "A", Elapsed: 0.1 },
    { Action: "run", Package: "p", Test: "B" },
    { Action: "pass", Package: "p", Test: "B" },
    { Action: "fail", Package: "p" },
  ),
  TAP: "TAP version 13\n1..2\nnot ok 1 - a\nok 2 - b\n",
  ctrf: JSON.stringify({
    results: {
      summary: { tests: 2, failed: 1 },
      tests: [
        { name: "a", status: "failed", duration: 1 },
        { name: "b", status: "passed", duration: 1 },
      ],
    },
  }),
};

describe("damage never turns red to green", () => {
  test.each(Object.entries(RED))(
    "%s, with a piece taken out of its end or its middle",
    async (_name, text) => {
      const bytes = Buffer.from(text);
      for (let length = 0; length < bytes.length; length++) {
        expect(await isGreen(bytes.subarray(0, length))).toBe(false);
      }
    },
  );

  test("JUnit with any run of bytes missing is never green", async () => {
    // The failed test as a whole may be missing: then only the suite's own count tells.
    const bytes = Buffer.from(RED["junit"] ?? "");
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 60 }), async (start, size) => {
        const cut = Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + size)]);
        const isCountGone = !cut.includes('failures="1"');
        return isCountGone || !(await isGreen(cut));
      }),
      { numRuns: 300, seed: 7 },
    );
  });
});

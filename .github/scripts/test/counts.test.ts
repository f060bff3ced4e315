import { describe, expect, test } from "@jest/globals";
import { countsOfJest, countsOfNodeTest } from "../counts.ts";
import { inParallel, run } from "../spawn.ts";

describe("counts of jest", () => {
  test.each([
    [
      "all well",
      { numPassedTests: 3, numPendingTests: 1, numTodoTests: 1 },
      0,
      { passed: 3, failed: 0, skipped: 2 },
    ],
    ["a failed test", { numPassedTests: 3, numFailedTests: 2 }, 1, { passed: 3, failed: 2, skipped: 0 }],
    ["a file that did not load", { numRuntimeErrorTestSuites: 1 }, 1, { passed: 0, failed: 1, skipped: 0 }],
    ["red for another reason", { numPassedTests: 3 }, 1, { passed: 3, failed: 1, skipped: 0 }],
    ["no result", undefined, 1, { passed: 0, failed: 1, skipped: 0 }],
  ])("%s", (_name, result, code, counts) => {
    expect(countsOfJest(result, code)).toEqual(counts);
  });
});

describe("counts of node:test", () => {
  const report = (pass: number, fail: number, skipped = 0) =>
    `<testsuites><!-- tests ${pass + fail + skipped} --><!-- pass ${pass} --><!-- fail ${fail} --><!-- cancelled 0 --><!-- skipped ${skipped} --><!-- todo 0 --></testsuites>`;

  test.each([
    ["all well", report(20, 0, 1), 0, { passed: 20, failed: 0, skipped: 1 }],
    ["a failed test", report(19, 1), 1, { passed: 19, failed: 1, skipped: 0 }],
    ["red without a failed test", report(20, 0), 1, { passed: 20, failed: 1, skipped: 0 }],
    ["no report", "", 0, { passed: 0, failed: 1, skipped: 0 }],
    ["an empty report", report(0, 0), 0, { passed: 0, failed: 1, skipped: 0 }],
  ])("%s", (_name, junit, code, counts) => {
    expect(countsOfNodeTest(junit, code)).toEqual(counts);
  });
});

describe("run", () => {
  test("gives code and output, and is no error when the program is missing or too slow", async () => {
    expect(await run([process.execPath, "-e", "console.log(1); process.exit(4)"])).toMatchObject({
      code: 4,
      stdout: "1\n",
    });
    expect(await run(["no-such-program-here"])).toMatchObject({ code: -1 });
    expect(await run([process.execPath, "-e", "setInterval(()=>{},1e3)"], { timeoutMs: 500 })).toMatchObject({
      code: -1,
    });
  });

  test("inParallel keeps the order and its width", async () => {
    let now = 0;
    let most = 0;
    const results = await inParallel([30, 10, 20, 1], 2, async (ms) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, ms));
      now--;
      return ms;
    });
    expect(results).toEqual([30, 10, 20, 1]);
    expect(most).toBe(2);
  });
});

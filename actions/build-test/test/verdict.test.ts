import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { testCase } from "../src/reports/test-report.ts";
import type { StepEnd } from "../src/run-step.ts";
import { failureOf, judgeTests, type TestRun } from "../src/verdict.ts";

const good = testCase({ name: "a", status: "passed" });
const bad = testCase({ name: "b", status: "failed", message: "1 is not 2" });
const skipped = testCase({ name: "c", status: "skipped" });

function end(problem = ""): StepEnd {
  const step = { stage: "test", argv: ["npm", "test"], why: "", stdout: "prose" } as const;
  return { step, line: "npm test", problem, tail: ["last line"], stdoutFile: "", ms: 1 };
}

function run(known: Partial<TestRun>): TestRun {
  const ends = known.ends ?? [end()];
  const isExplained = (known.quarantined ?? 0) > 0 || known.counted?.includes(bad);
  return {
    ends,
    explained: isExplained ? ends : [],
    reports: { tests: [], read: [], unreadable: [], ignored: [] },
    counted: [],
    quarantined: 0,
    stale: [],
    expectsNone: false,
    isSkipped: false,
    noTests: "",
    unreported: [],
    ...known,
  };
}

const unreadable = { tests: [], read: [], unreadable: [{ file: "r.xml", why: "it is empty" }], ignored: [] };
const codes = (known: Partial<TestRun>) => judgeTests(run(known)).problems.map((problem) => problem.code);

describe("exit codes and reports together", () => {
  test.each<[string, Partial<TestRun>, string[]]>([
    ["exit 0, all passed", { counted: [good] }, []],
    ["exit 0, one failed", { counted: [good, bad] }, ["TESTS_FAILED"]],
    ["exit 1, one failed", { ends: [end("exit code 1")], counted: [good, bad] }, ["TESTS_FAILED"]],
    ["killed beside a quarantined failure", { ends: [end("SIGSEGV")], quarantined: 1 }, ["TESTS_CRASHED"]],
    [
      "exit 139 beside a quarantined failure",
      { ends: [end("exit code 139")], quarantined: 1 },
      ["TESTS_CRASHED"],
    ],
    [
      "another command's quarantined failure",
      { ends: [end("exit code 1")], quarantined: 1, explained: [] },
      ["TESTS_CRASHED"],
    ],
    ["exit 1, none failed", { ends: [end("exit code 1")], counted: [good] }, ["TESTS_CRASHED"]],
    ["exit 1, no report", { ends: [end("exit code 1")] }, ["TESTS_CRASHED"]],
    ["a signal", { ends: [end("SIGSEGV")], counted: [good] }, ["TESTS_CRASHED"]],
    ["exit 0, no report", {}, ["NO_TESTS"]],
    ["exit 0, a report without tests", { unreported: ["npm test"] }, ["NO_TESTS"]],
    ["exit 0, all skipped", { counted: [skipped] }, ["NO_TESTS"]],
    ["one of two commands without a report", { counted: [good], unreported: ["go test"] }, ["NO_TESTS"]],
    ["exit 0, a damaged report", { counted: [good], reports: unreadable }, ["REPORT_UNREADABLE"]],
    [
      "exit 1, a damaged report",
      { ends: [end("exit code 1")], reports: unreadable },
      ["TESTS_CRASHED", "REPORT_UNREADABLE"],
    ],
    [
      "exit 1, only quarantined failures",
      { ends: [end("exit code 1")], counted: [good], quarantined: 1 },
      [],
    ],
    ["no report expected", { expectsNone: true }, []],
    ["no report expected, but exit 1", { expectsNone: true, ends: [end("exit code 1")] }, ["TESTS_CRASHED"]],
    ["tests skipped by the user", { isSkipped: true, ends: [] }, []],
    ["nothing to run", { ends: [], noTests: "no script" }, ["NO_TESTS"]],
  ])("%s", (_name, known, expected) => expect(codes(known)).toEqual(expected));

  test("a stale report is named where it is missed", () => {
    const [problem] = judgeTests(run({ stale: ["old.xml"], unreported: ["npm test"] })).problems;
    expect(problem?.message).toContain("old.xml is from before this step");
  });

  test("green only with exit 0, at least one passed test, none failed, every report whole", () => {
    const status = fc.constantFrom(good, bad, skipped);
    fc.assert(
      fc.property(fc.array(status), fc.boolean(), fc.boolean(), (counted, exitOk, whole) => {
        const ends = [end(exitOk ? "" : "exit code 2")];
        const reports = whole ? run({}).reports : unreadable;
        const isGreen = judgeTests(run({ ends, counted, reports })).problems.length === 0;
        const mayBeGreen = exitOk && whole && counted.includes(good) && !counted.includes(bad);
        return isGreen === mayBeGreen;
      }),
    );
  });
});

describe("one verdict over all gates", () => {
  test("the most telling problem speaks, the others are evidence", () => {
    const problem = (code: string) => ({ code, message: `m ${code}`, fix: "f", evidence: ["e"] });
    const failure = failureOf([problem("FINDINGS"), problem("TESTS_FAILED"), problem("COVERAGE_LOW")]);
    expect(failure?.code).toBe("TESTS_FAILED");
    expect(failure?.message).toBe("m TESTS_FAILED (also: COVERAGE_LOW, FINDINGS)");
    expect(failure?.evidence).toEqual(["e", "COVERAGE_LOW: m COVERAGE_LOW", "FINDINGS: m FINDINGS"]);
  });

  test("no problem is no failure", () => expect(failureOf([])).toBeUndefined());
});

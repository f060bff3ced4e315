import { Failure } from "../../../lib/errors.ts";
import type { Reports } from "./reports/read-reports.ts";
import { type TestCase, titleOf } from "./reports/test-report.ts";
import type { StepEnd } from "./run-step.ts";

/** One gate as it was judged; the `gates` output is a list of these. */
export interface Gate {
  readonly gate: string;
  readonly limit: string;
  readonly value: string;
  readonly verdict: "passed" | "failed" | "skipped" | "warning";
}

/** What a gate that failed says. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  readonly evidence: readonly string[];
}

/** The most telling problem comes first, whatever order the gates were looked at in. */
const ORDER = [
  "TESTS_FAILED",
  "TESTS_CRASHED",
  "REPORT_UNREADABLE",
  "NO_TESTS",
  "QUARANTINE_EXPIRED",
  "FLAKY",
  "COVERAGE_LOW",
  "FINDINGS",
];

/** All problems as one failure: the first speaks, the others are evidence. Undefined when there is none. */
export function failureOf(problems: readonly Problem[]): Failure | undefined {
  const [first, ...others] = [...problems].sort((a, b) => ORDER.indexOf(a.code) - ORDER.indexOf(b.code));
  if (!first) return undefined;
  const also = others.length === 0 ? "" : ` (also: ${others.map((problem) => problem.code).join(", ")})`;
  return new Failure(`${first.message}${also}`, {
    code: first.code,
    fix: first.fix,
    evidence: [...first.evidence, ...others.map((problem) => `${problem.code}: ${problem.message}`)],
  });
}

/** What is known after the test commands. */
export interface TestRun {
  readonly ends: readonly StepEnd[];
  readonly reports: Reports;
  /** The tests that count: without the quarantined failures. */
  readonly counted: readonly TestCase[];
  readonly quarantined: number;
  /** Test commands whose exit code is explained by a failed or quarantined test of theirs. */
  readonly explained: readonly StepEnd[];
  /** Reports that are there and were not written in this run. */
  readonly stale: readonly string[];
  /** `report-paths` is `none` and no language was detected: no report is expected. */
  readonly expectsNone: boolean;
  /** No test command was run, as the user wanted. */
  readonly isSkipped: boolean;
  /** Why there was nothing to run; "" when there was. */
  readonly noTests: string;
  /** Test commands whose tests no report holds. */
  readonly unreported: readonly string[];
}

/** Reconciles exit codes with reports: green needs both, and each must be complete. */
export function judgeTests(run: TestRun): { readonly problems: readonly Problem[]; readonly gate: Gate } {
  const failed = run.counted.filter((test) => test.status === "failed");
  const problems: Problem[] = [];
  if (failed.length > 0) problems.push(testsFailed(failed, run));
  // A failed test explains an exit code, and never that the command was killed.
  const crashed = run.ends.filter(
    (end) => end.problem !== "" && (isKilled(end) || !run.explained.includes(end)),
  );
  if (crashed.length > 0 && failed.length === 0) problems.push(testsCrashed(crashed));
  if (run.reports.unreadable.length > 0) problems.push(unreadable(run.reports.unreadable));
  const ran = run.counted.filter((test) => test.status !== "skipped").length + run.quarantined;
  const isMissing = ran === 0 || run.unreported.length > 0;
  if (isMissing && !run.expectsNone && !run.isSkipped && problems.length === 0) problems.push(noTests(run));
  const isGreen = problems.length === 0;
  const value =
    run.counted.length === 0 && isGreen
      ? "none expected"
      : `${failed.length} failed of ${run.counted.length}`;
  return {
    problems,
    gate: {
      gate: "tests",
      limit: "0 failed",
      value,
      verdict: isGreen ? (ran === 0 ? "skipped" : "passed") : "failed",
    },
  };
}

/** A signal ended the command, or (as shells and npm tell it, 128 + signal) one of its children. */
export function isKilled(end: StepEnd): boolean {
  return /^(SIG[A-Z0-9]+|exit code 1(3[2-9]|4[13]))$/.test(end.problem);
}

function testsFailed(failed: readonly TestCase[], run: TestRun): Problem {
  const [first] = failed;
  const told = first ? `${titleOf(first)}${first.message ? `: ${first.message}` : ""}` : "";
  return {
    code: "TESTS_FAILED",
    message: `${failed.length} of ${run.counted.length} ${run.counted.length === 1 ? "test" : "tests"} failed: ${told}`,
    fix: "see the failed tests in the job summary",
    evidence: failed.slice(0, 20).map((test) => `${titleOf(test)}${test.message ? `: ${test.message}` : ""}`),
  };
}

function testsCrashed(ends: readonly StepEnd[]): Problem {
  const [first] = ends;
  const why = first && isKilled(first) ? "before it was done" : "and no report names a failed test";
  return {
    code: "TESTS_CRASHED",
    message: `\`${first?.line ?? ""}\` ended with ${first?.problem ?? ""} ${why}`,
    fix: "see its last lines: the test run itself broke",
    evidence: ends.flatMap((end) => end.tail),
  };
}

function unreadable(list: Reports["unreadable"]): Problem {
  const [first] = list;
  const more = list.length > 1 ? ` (and ${list.length - 1} more)` : "";
  return {
    code: "REPORT_UNREADABLE",
    message: `the report ${first?.file ?? ""} cannot be read: ${first?.why ?? ""}${more}`,
    fix: "let the reporter write the whole file, or correct `report-paths` or `coverage-paths`",
    evidence: list.map(({ file, why }) => `${file}: ${why}`),
  };
}

function noTests(run: TestRun): Problem {
  const howTo =
    "let the tests write JUnit XML (node:test: --test-reporter=junit, jest: jest-junit, vitest: --reporter=junit, pytest: --junit-xml) and name the file in `report-paths`";
  if (run.noTests !== "") {
    return {
      code: "NO_TESTS",
      message: `there are no tests to run: ${run.noTests}`,
      fix: "add a test script or set `test-command` (`none` skips)",
      evidence: [],
    };
  }
  if (run.counted.length > 0 && run.unreported.length === 0) {
    const message = `no test ran: all ${run.counted.length} were skipped`;
    return { code: "NO_TESTS", message, fix: "let at least one test run", evidence: [] };
  }
  const stale =
    run.stale.length > 0 ? ` (${run.stale.join(", ")} is from before this step and was not read)` : "";
  const who = run.unreported.length > 0 ? `\`${run.unreported.join("`, `")}\`` : "the test command";
  return {
    code: "NO_TESTS",
    message: `${who} ended well, and no report says that a test ran${stale}`,
    fix: howTo,
    evidence: run.reports.read.map(({ file, tests }) => `${file}: ${tests} tests`),
  };
}

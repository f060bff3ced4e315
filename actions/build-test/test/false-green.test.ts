import { afterEach, describe, expect, test } from "@jest/globals";
import type { FakeRunner } from "../../../lib/testing/runner.ts";
import { BARE, expectWellFormed, newJob } from "./job.ts";

let job: FakeRunner | undefined;

afterEach(() => {
  job?.dispose();
  job = undefined;
});

const GREEN = '<testsuites><testsuite name="s"><testcase name="a"/></testsuite></testsuites>';
const lines = (...events: object[]) => `${events.map((event) => JSON.stringify(event)).join("\n")}\n`;
const passing = [
  { Action: "run", Package: "p", Test: "A" },
  { Action: "pass", Package: "p", Test: "A" },
  { Action: "pass", Package: "p" },
];

/** Reports over which other tools end green, with the exit code of the tests, and what is to be said instead. */
const CASES: readonly (readonly [string, string, number, string])[] = [
  [
    "node:test JUnit, failures at the root",
    '<testsuites><testcase name="a" failure="x"><failure type="testCodeFailure"/></testcase><testcase name="b"><failure/></testcase></testsuites>',
    0,
    "TESTS_FAILED",
  ],
  [
    "failures two suites deep",
    '<testsuites><testsuite name="a"><testsuite name="b"><testsuite name="c"><testcase name="t"><failure/></testcase></testsuite></testsuite></testsuite></testsuites>',
    0,
    "TESTS_FAILED",
  ],
  [
    "a failure after 400 passed tests",
    `<testsuite>${'<testcase name="p"/>'.repeat(400)}<testcase name="f"><failure/></testcase>${'<testcase name="p"/>'.repeat(99)}</testsuite>`,
    0,
    "TESTS_FAILED",
  ],
  [
    "go: a failed build beside a passing package",
    lines(
      { Action: "build-output", ImportPath: "q", Output: "q.go:1:1: bad\n" },
      { Action: "build-fail", ImportPath: "q" },
      { Action: "fail", Package: "q", FailedBuild: "q" },
      ...passing,
    ),
    0,
    "TESTS_FAILED",
  ],
  [
    "go: a panic without an end",
    lines(
      { Action: "run", Package: "p", Test: "A" },
      { Action: "output", Package: "p", Test: "A", Output: "panic: x\n" },
    ),
    0,
    "TESTS_FAILED",
  ],
  ["a document cut off by a crash", GREEN.slice(0, -14), 0, "REPORT_UNREADABLE"],
  ["a document cut off by a crash that was noticed", GREEN.slice(0, -14), 2, "TESTS_CRASHED"],
  ["zero tests", "<testsuites/>", 0, "NO_TESTS"],
  ["only skipped tests", '<testsuite><testcase name="a"><skipped/></testcase></testsuite>', 0, "NO_TESTS"],
  ["an empty file", "", 0, "REPORT_UNREADABLE"],
  ["prose instead of a report", "all tests passed\n", 0, "REPORT_UNREADABLE"],
  ["another kind of XML", "<coverage/>", 0, "REPORT_UNREADABLE"],
  ["passed tests and a non-zero exit", GREEN, 1, "TESTS_CRASHED"],
  [
    "a flaky test over budget",
    '<testsuite><testcase name="a"><flakyFailure/></testcase></testsuite>',
    0,
    "FLAKY",
  ],
  ["TAP with fewer tests than planned", "TAP version 13\n1..3\nok 1\nok 2\n", 0, "TESTS_FAILED"],
  ["TAP without its plan", "TAP version 13\nok 1 - a\n", 0, "REPORT_UNREADABLE"],
];

describe("never green", () => {
  test.each(CASES)("%s", async (_name, report, exit, code) => {
    job = newJob({ "report.src": report });
    const step = await job.main("build-test", {
      ...BARE,
      "test-command": `sh -c 'cp report.src out.xml; exit ${exit}'`,
    });
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["outcome"], step.outputs["failure-code"]]).toEqual([
      1,
      "failed",
      code,
    ]);
  });

  test("a report that lay there before the step is not read", async () => {
    job = newJob({ "out.xml": GREEN });
    const step = await job.main("build-test", { ...BARE, "test-command": "true" });
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["failure-code"]]).toEqual([1, "NO_TESTS"]);
    expect(step.outputs["failure-reason"]).toContain("out.xml is from before this step");
  });

  test("a report that is brought with an old time is not read", async () => {
    job = newJob({ "report.src": GREEN });
    const step = await job.main("build-test", {
      ...BARE,
      "test-command": "sh -c 'cp report.src out.xml; touch -d 2020-01-01 out.xml'",
    });
    expect([step.exitCode, step.outputs["failure-code"]]).toEqual([1, "NO_TESTS"]);
  });

  test("no report at all", async () => {
    job = newJob({});
    const step = await job.main("build-test", { ...BARE, "test-command": "true" });
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["failure-code"]]).toEqual([1, "NO_TESTS"]);
    expect(step.errors[0]?.data).toContain("report-paths");
  });

  test("tests that die of a signal", async () => {
    job = newJob({ "report.src": GREEN });
    const step = await job.main("build-test", {
      ...BARE,
      "test-command": "sh -c 'cp report.src out.xml; kill -SEGV $$'",
    });
    expect([step.exitCode, step.outputs["failure-code"]]).toEqual([1, "TESTS_CRASHED"]);
    expect(step.outputs["failure-reason"]).toContain("SIGSEGV");
  });

  test("a coverage file that is cut off", async () => {
    job = newJob({ "report.src": GREEN, "lcov.src": "SF:a.js\nDA:1,1\n" });
    const step = await job.main("build-test", {
      ...BARE,
      "test-command": "sh -c 'cp report.src out.xml; cp lcov.src lcov.info'",
    });
    expect([step.exitCode, step.outputs["failure-code"]]).toEqual([1, "REPORT_UNREADABLE"]);
  });

  test("coverage that is named and missing", async () => {
    job = newJob({ "report.src": GREEN });
    const step = await job.main("build-test", {
      ...BARE,
      "test-command": "cp report.src out.xml",
      "coverage-paths": "lcov.info",
    });
    expect([step.exitCode, step.outputs["failure-code"]]).toEqual([1, "COVERAGE_LOW"]);
  });

  test("a Node project whose tests report nothing, beside a Go module that does", async () => {
    job = newJob("go-module");
    const both = newJob({ "package.json": '{"scripts":{"test":"echo fine"}}' });
    both.dispose();
    const { writeFileSync } = await import("node:fs");
    writeFileSync(`${job.workspace}/package.json`, '{"scripts":{"test":"echo fine"}}');
    const step = await job.main("build-test", { "install-command": "none" });
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["failure-code"]]).toEqual([1, "NO_TESTS"]);
    expect(step.outputs["failure-reason"]).toContain("`npm test` ended well");
  });
});

describe("green all the same", () => {
  test("no report where none is expected", async () => {
    job = newJob({});
    const step = await job.main("build-test", {
      language: "none",
      "report-paths": "none",
      "test-command": "true",
    });
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["outcome"]]).toEqual([0, "succeeded"]);
  });

  test("a failure in quarantine, until its day", async () => {
    const entry = (expires: string) => `- {test: f, owner: ann, reason: later, expires: ${expires}}`;
    job = newJob({
      "report.src": '<testsuite><testcase name="f"><failure/></testcase><testcase name="g"/></testsuite>',
      "live.yml": entry("2999-01-01"),
      "dead.yml": entry("2020-01-01"),
    });
    const inputs = { ...BARE, "test-command": "sh -c 'cp report.src out.xml; exit 1'" };
    const live = await job.main("build-test", { ...inputs, "quarantine-file": "live.yml" });
    expectWellFormed(live);
    expect([live.exitCode, live.outputs["tests-total"], live.outputs["tests-failed"]]).toEqual([0, "2", "0"]);
    const dead = await job.main("build-test", { ...inputs, "quarantine-file": "dead.yml" });
    expectWellFormed(dead);
    expect(dead.outputs["failure-reason"]).toContain("(also: QUARANTINE_EXPIRED)");
  });

  test("TAP that the tests print", async () => {
    job = newJob({
      "package.json": JSON.stringify({ scripts: { test: "printf 'TAP version 13\\nok 1 - a\\n1..1\\n'" } }),
    });
    const step = await job.main("build-test", { "install-command": "none" });
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["tests-passed"]]).toEqual([0, "1"]);
  });
});

import { describe, expect, test } from "@jest/globals";
import { expectValidReport, reportProblems } from "../testing/report-schema.ts";

const GREEN = {
  schema: "goci/report/v1",
  action: "build-test",
  outcome: "succeeded",
  failureCode: null,
  commit: "0123456789abcdef0123456789abcdef01234567",
  run: "https://github.com/acme/shop/actions/runs/1001",
  startedAt: "2026-01-01T00:00:00.000Z",
  durationMs: 12,
  phases: [{ name: "test", ms: 3, outcome: "succeeded" }],
  materials: [{ type: "commit", name: "main", digest: "" }],
  subjects: [{ type: "artifact", name: "shop", digest: `sha256:${"a".repeat(64)}` }],
  error: null,
};

const RED = {
  ...GREEN,
  outcome: "failed",
  failureCode: "TESTS_FAILED",
  error: { code: "TESTS_FAILED", message: "1 test failed", fix: "", evidence: ["a line"] },
};

describe("the report's schema", () => {
  test("accepts a green and a red report, also with fields of the action's own", () => {
    expectValidReport(GREEN);
    expectValidReport(RED);
    expectValidReport({ ...GREEN, tests: { total: 3 }, hosts: ["a"], ratio: 0.5, note: null });
  });

  test.each([
    ["another version", { ...GREEN, schema: "goci/report/v2" }],
    ["an outcome that nobody promised", { ...GREEN, outcome: "fine" }],
    ["an action that does not exist", { ...GREEN, action: "deploy" }],
    ["green with a failure code", { ...GREEN, failureCode: "TESTS_FAILED" }],
    ["green with an error", { ...RED, outcome: "succeeded" }],
    ["red without an error", { ...RED, error: null }],
    ["red without a failure code", { ...RED, failureCode: null }],
    ["a code in lower case", { ...RED, failureCode: "tests-failed" }],
    ["a message of two lines", { ...RED, error: { ...RED.error, message: "a\nb" } }],
    ["a digest that is none", { ...GREEN, subjects: [{ type: "image", name: "x", digest: "sha256:12" }] }],
    ["a material of an unknown type", { ...GREEN, materials: [{ type: "wheel", name: "x", digest: "" }] }],
    ["half a millisecond", { ...GREEN, durationMs: 0.5 }],
    ["a time without a zone", { ...GREEN, startedAt: "2026-01-01T00:00:00" }],
    ["a branch instead of a commit", { ...GREEN, commit: "main" }],
  ])("refuses %s", (_name, report) => {
    expect(reportProblems(report)).not.toEqual([]);
  });

  test.each(Object.keys(GREEN))("refuses a report without `%s`", (field) => {
    expect(
      reportProblems(Object.fromEntries(Object.entries(GREEN).filter(([key]) => key !== field))),
    ).not.toEqual([]);
  });

  test("says so when there is no report at all", () => {
    expect(() => expectValidReport(undefined)).toThrow("no report");
  });
});

import { type ParsedReport, ReportProblem, type TestCase, testCase } from "./test-report.ts";

/** Whether a JSON document is a Common Test Report, https://ctrf.io */
export function isCtrf(value: unknown): boolean {
  const results = field(value, "results");
  return Array.isArray(field(results, "tests")) && field(results, "summary") !== undefined;
}

/**
 * Reads CTRF. Its summary is the reporter's own word: failures that it counts
 * and does not list make the report unreadable, and so does a shorter list.
 */
export function parseCtrf(value: unknown): ParsedReport {
  const results = field(value, "results");
  const list = field(results, "tests");
  if (!Array.isArray(list)) throw new ReportProblem("it has no `results.tests`");
  const tests = list.map(toTestCase);
  const summary = field(results, "summary");
  const failed = tests.filter((test) => test.status === "failed").length;
  const total = count(summary, "tests");
  if (count(summary, "failed") > failed) {
    throw new ReportProblem(
      `its summary counts ${count(summary, "failed")} failed tests and it lists ${failed}`,
    );
  }
  if (total > tests.length)
    throw new ReportProblem(`its summary counts ${total} tests and it lists ${tests.length}`);
  return { format: "ctrf", tests };
}

function toTestCase(item: unknown): TestCase {
  const status = text(item, "status");
  const suite = field(item, "suite");
  return testCase({
    suite: Array.isArray(suite) ? suite.map(String).join(" > ") : text(item, "suite"),
    name: text(item, "name") || "(unnamed)",
    // `pending` and `skipped` did not run; anything that is not known to be good is a failure.
    status: status === "passed" ? "passed" : /^(skipped|pending)$/.test(status) ? "skipped" : "failed",
    ms: count(item, "duration"),
    file: text(item, "filePath"),
    line: count(item, "line"),
    message: text(item, "message"),
    detail: text(item, "trace"),
    flaky: status === "passed" && field(item, "flaky") === true,
  });
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === "string" ? found : "";
}

function count(value: unknown, name: string): number {
  const found = field(value, name);
  return typeof found === "number" && Number.isFinite(found) && found > 0 ? found : 0;
}

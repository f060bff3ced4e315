import { type ParsedReport, ReportProblem, type TestCase, testCase } from "./test-report.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Whether a JSON document is what `jest --json` and vitest's json reporter write. */
export function isJestJson(value: unknown): boolean {
  const root = fieldsOf(value);
  return typeof root["numTotalTests"] === "number" && Array.isArray(root["testResults"]);
}

/**
 * Reads the JSON of jest or vitest. A file that could not be run has failed,
 * and totals that count more than is listed make the report unreadable.
 * https://jestjs.io/docs/cli#--json
 */
export function parseJestJson(value: unknown): ParsedReport {
  const root = fieldsOf(value);
  const files = Array.isArray(root["testResults"]) ? root["testResults"].map(fieldsOf) : [];
  const tests = files.flatMap(testsOf);
  const failed = tests.filter((test) => test.status === "failed").length;
  if (root["wasInterrupted"] === true) throw new ReportProblem("the run was interrupted");
  if (count(root["numTotalTests"]) > tests.length) {
    throw new ReportProblem(`it counts ${count(root["numTotalTests"])} tests and lists ${tests.length}`);
  }
  if (count(root["numFailedTests"]) > failed) {
    throw new ReportProblem(`it counts ${count(root["numFailedTests"])} failed tests and lists ${failed}`);
  }
  if (root["success"] === false && failed === 0) {
    tests.push(testCase({ name: "(run)", status: "failed", message: "the run failed though no test did" }));
  }
  return { format: "jest-json", tests };
}

function testsOf(file: Fields): TestCase[] {
  const path = text(file["name"]);
  const list = Array.isArray(file["assertionResults"]) ? file["assertionResults"].map(fieldsOf) : [];
  const tests = list.map((item) => toTestCase(item, path));
  if (file["status"] === "failed" && !tests.some((test) => test.status === "failed")) {
    const message = text(file["message"]);
    tests.push(
      testCase({ name: "(file)", suite: path, status: "failed", file: path, message, detail: message }),
    );
  }
  return tests;
}

function toTestCase(item: Fields, file: string): TestCase {
  const status = text(item["status"]);
  const messages = Array.isArray(item["failureMessages"]) ? item["failureMessages"].map(String) : [];
  const titles = Array.isArray(item["ancestorTitles"]) ? item["ancestorTitles"].map(String) : [];
  const isSkipped = /^(pending|skipped|todo|disabled)$/.test(status);
  return testCase({
    suite: titles.filter((title) => title !== "").join(" > "),
    name: text(item["title"]) || "(unnamed)",
    status: status === "passed" ? "passed" : isSkipped ? "skipped" : "failed",
    ms: count(item["duration"]),
    file,
    line: count(fieldsOf(item["location"])["line"]),
    message: (messages[0] ?? "").replace(/^Error: /, ""),
    detail: messages.join("\n\n"),
    // jest.retryTimes: more than one try, and the last one passed.
    flaky: status === "passed" && count(item["invocations"]) > 1,
  });
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

/** How one test ended. `todo` tests count as skipped whatever they did. */
export type TestStatus = "passed" | "failed" | "skipped";

/** One leaf test of any format. */
export interface TestCase {
  /** Suite path or package, outermost first, joined with ` > `; "" at the root. */
  readonly suite: string;
  readonly classname: string;
  readonly name: string;
  readonly status: TestStatus;
  readonly ms: number;
  /** As the report names it: absolute or relative; "" when unknown. */
  readonly file: string;
  /** From 1; 0 when unknown. */
  readonly line: number;
  /** One line that says why it failed or was skipped. */
  readonly message: string;
  /** Stack or output of a failure, bounded. */
  readonly detail: string;
  /** It failed at least once and passed in the end, as the report itself says. */
  readonly flaky: boolean;
}

export type ReportFormat = "junit" | "go-test-json" | "tap" | "ctrf" | "jest-json";

/** A report that was read whole. */
export interface ParsedReport {
  readonly format: ReportFormat;
  readonly tests: readonly TestCase[];
}

/** The report is cut off, damaged or says two things at once. The message needs no file name. */
export class ReportProblem extends Error {}

const DETAIL_LIMIT = 20_000;

/** A test case with what is not given left empty. */
export function testCase(known: Partial<TestCase> & Pick<TestCase, "name" | "status">): TestCase {
  return {
    suite: known.suite ?? "",
    classname: known.classname ?? "",
    name: known.name,
    status: known.status,
    ms: known.ms ?? 0,
    file: known.file ?? "",
    line: known.line ?? 0,
    message: firstLine(known.message ?? ""),
    detail: (known.detail ?? "").slice(0, DETAIL_LIMIT),
    flaky: known.flaky ?? false,
  };
}

/** The first line that says something, at most 500 characters. */
export function firstLine(text: string): string {
  const line = text.split(/\r?\n/).find((candidate) => candidate.trim() !== "");
  return (line ?? "").trim().slice(0, 500);
}

/** The name under which people know a test: `suite > class > name`, without repeating itself. */
export function titleOf(test: TestCase): string {
  const parts = [test.suite, test.classname, test.name].filter((part) => part !== "");
  return parts.filter((part, index) => !(parts[index + 1] ?? "").startsWith(part)).join(" > ");
}

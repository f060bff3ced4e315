import { type ParsedReport, ReportProblem, type TestCase, testCase } from "./test-report.ts";

/** The results at one level of indentation, until the parent's own line closes it. */
interface Level {
  plan: number | undefined;
  readonly indent: number;
  count: number;
  readonly tests: TestCase[];
}

const RESULT = /^(ok|not ok)\b(?:\s+(\d+))?(?:\s+-)?\s*(.*)$/;
const DIRECTIVE = /\s+#\s*(skip\S*|todo)\b\s*(.*)$/i;

/**
 * Reads TAP 13 and 14 with nested subtests; only leaves count. A missing or
 * different plan, and `Bail out!`, make the report a failure or unreadable.
 * https://testanything.org/tap-version-14-specification.html
 */
export class TapReader {
  private readonly levels: Level[] = [newLevel(0)];
  private yaml: { readonly indent: number; readonly lines: string[] } | undefined;
  private last: { readonly tests: TestCase[]; readonly index: number } | undefined;
  private bailed: string | undefined;
  private afterResult = false;
  private isCut = false;

  /** Takes one line without its end; `isWhole` is false for a last line that has none. */
  line(text: string, isWhole = true): void {
    // A result cut in the middle (`ok` of `ok 3 # TODO`) still reads as one; a cut plan does not match.
    this.isCut = !isWhole && !/^\s*1\.\./.test(text);
    if (this.takeYaml(text)) return;
    const indent = text.length - text.trimStart().length;
    const body = text.trim();
    const afterResult = this.afterResult;
    this.afterResult = false;
    if (body.startsWith("Bail out!")) this.bailed ??= body.slice(9).trim() || "no reason given";
    else if (body === "---" && afterResult) this.yaml = { indent, lines: [] };
    else if (/^1\.\.\d+/.test(body)) this.levelAt(indent).plan = Number(/^1\.\.(\d+)/.exec(body)?.[1]);
    else if (RESULT.test(body)) this.takeResult(indent, body);
  }

  /** The whole report. Throws a `ReportProblem` for a cut stream. */
  end(): ParsedReport {
    if (this.yaml) throw new ReportProblem("it ends inside the details of a test");
    const root = this.levels[0] ?? newLevel(0);
    if (this.isCut) throw new ReportProblem("its last line is cut off");
    if (this.levels.length > 1) throw new ReportProblem("it ends inside a subtest");
    if (root.plan === undefined && this.bailed === undefined)
      throw new ReportProblem("its plan (`1..N`) is missing");
    const tests = [...root.tests, ...planFailure(root, "")];
    if (this.bailed !== undefined) {
      tests.push(testCase({ name: "Bail out!", status: "failed", message: this.bailed }));
    }
    return { format: "tap", tests };
  }

  private takeYaml(text: string): boolean {
    if (!this.yaml) return false;
    if (text.trim() !== "...") {
      this.yaml.lines.push(text.slice(this.yaml.indent));
      return true;
    }
    const detail = this.yaml.lines.join("\n");
    this.yaml = undefined;
    const test = this.last?.tests[this.last.index];
    if (this.last && test) this.last.tests[this.last.index] = withDetail(test, detail);
    return true;
  }

  private levelAt(indent: number): Level {
    let level = this.levels.at(-1) ?? newLevel(0);
    if (indent > level.indent) {
      level = newLevel(indent);
      this.levels.push(level);
    }
    return level;
  }

  private takeResult(indent: number, body: string): void {
    const [, verdict, , rest = ""] = RESULT.exec(body) ?? [];
    const directive = DIRECTIVE.exec(rest);
    const name = rest.slice(0, directive ? directive.index : undefined).trim() || "(unnamed)";
    const children: TestCase[] = [];
    while ((this.levels.at(-1)?.indent ?? 0) > indent) {
      const child = this.levels.pop();
      if (child) children.unshift(...child.tests, ...planFailure(child, name));
    }
    const level = this.levelAt(indent);
    level.count++;
    const kind = directive?.[1]?.toLowerCase() ?? "";
    const isFailed = verdict === "not ok" && kind === "";
    const isExplained = children.some((test) => test.status === "failed");
    for (const child of children) level.tests.push(under(name, kind === "todo" ? asTodo(child) : child));
    this.last = undefined;
    this.afterResult = true;
    if (children.length > 0 && (!isFailed || isExplained)) return;
    const status = kind !== "" ? "skipped" : isFailed ? "failed" : "passed";
    level.tests.push(testCase({ name, status, message: directive?.[2] ?? "" }));
    this.last = { tests: level.tests, index: level.tests.length - 1 };
  }
}

function newLevel(indent: number): Level {
  return { plan: undefined, indent, count: 0, tests: [] };
}

function planFailure(level: Level, suite: string): TestCase[] {
  if (level.plan === undefined || level.plan === level.count) return [];
  const message = `${level.plan} tests were planned and ${level.count} ran`;
  return [testCase({ suite, name: "(plan)", status: "failed", message })];
}

function under(parent: string, test: TestCase): TestCase {
  return {
    ...test,
    suite: test.suite === "" || test.suite === parent ? parent : `${parent} > ${test.suite}`,
  };
}

function asTodo(test: TestCase): TestCase {
  return { ...test, status: "skipped", message: test.message || "todo" };
}

function withDetail(test: TestCase, detail: string): TestCase {
  const ms = Number(/^\s*duration_ms:\s*([\d.]+)/m.exec(detail)?.[1] ?? 0);
  const place = /^\s*location:\s*['"]?(.+?):(\d+):\d+['"]?\s*$/m.exec(detail);
  const message = /^\s*(?:error|message):\s*(?:\|-\s*\n\s*)?['"]?(.+?)['"]?\s*$/m.exec(detail)?.[1];
  return testCase({
    ...test,
    ms,
    file: place?.[1] ?? "",
    line: Number(place?.[2] ?? 0),
    message: test.status === "failed" ? (message ?? "") : test.message,
    detail: test.status === "failed" ? detail : "",
  });
}

import { type SaxesAttributePlain, SaxesParser, type SaxesTagPlain } from "saxes";
import { firstLine, type ParsedReport, ReportProblem, type TestCase, testCase } from "./test-report.ts";

type Attributes = Readonly<Record<string, string>>;

interface Suite {
  readonly name: string;
  readonly file: string;
  readonly declared: number;
  /** Failures and errors seen in it or below, todo ones included. */
  broken: number;
}

interface OpenCase {
  readonly attributes: Attributes;
  broken: string[];
  detail: string[];
  skipped: string | undefined;
  todo: boolean;
  flaky: boolean;
}

/** Elements of a test case whose text is kept. */
const BROKEN = new Set(["failure", "error"]);
/** Surefire's marks of a test that failed first and passed in a later try. */
const FLAKY = new Set(["flakyFailure", "flakyError"]);

/** How writers without elements mark what failed, and (GoogleTest and others) what did not run. */
const FAILED = /^(fail(ed|ure)?|error)$/i;
const NOT_RUN = /^(notrun|skipped|suppressed|disabled|ignored|pending)$/i;

/**
 * Reads JUnit XML of any dialect as a stream: suites nested at will, test cases
 * at the root, failures as elements or attributes. A document type is refused
 * (entities could expand without end), and so is a document that is cut off.
 */
export class JUnitReader {
  private readonly parser = new SaxesParser();
  private readonly tests: TestCase[] = [];
  private readonly suites: Suite[] = [];
  private open: OpenCase | undefined;
  private text: string[] | undefined;
  private rootSeen = false;

  constructor() {
    this.parser.on("error", (error) => {
      throw new ReportProblem(error.message.replace(/^\d+:\d+:\s*/, ""));
    });
    this.parser.on("doctype", () => {
      throw new ReportProblem("it has a document type declaration, which is refused");
    });
    this.parser.on("opentag", (tag) => this.onOpen(tag));
    this.parser.on("closetag", (tag) => this.onClose(tag.name));
    this.parser.on("text", (text) => this.text?.push(text));
    this.parser.on("cdata", (text) => this.text?.push(text));
  }

  /** Takes the next piece of the document. Throws a `ReportProblem`. */
  write(chunk: string): void {
    this.parser.write(chunk);
  }

  /** The whole report. Throws a `ReportProblem` when the document is not complete. */
  end(): ParsedReport {
    this.parser.close();
    if (!this.rootSeen) throw new ReportProblem("it is empty");
    return { format: "junit", tests: this.tests };
  }

  private onOpen(tag: SaxesTagPlain): void {
    const attributes = tag.attributes as Record<string, SaxesAttributePlain["value"]>;
    if (!this.rootSeen) {
      this.rootSeen = true;
      if (tag.name !== "testsuites" && tag.name !== "testsuite") {
        throw new ReportProblem(`its root is <${tag.name}>, not <testsuites> or <testsuite>`);
      }
    }
    if (tag.name === "testsuite" || tag.name === "testsuites") this.openSuite(tag.name, attributes);
    else if (tag.name === "testcase") this.openCase(attributes);
    else this.openDetail(tag.name, attributes);
  }

  private openSuite(tag: string, attributes: Attributes): void {
    this.suites.push({
      name: tag === "testsuites" ? "" : (attributes["name"] ?? ""),
      file: attributes["file"] ?? attributes["filepath"] ?? "",
      declared: wholeNumber(attributes["failures"]) + wholeNumber(attributes["errors"]),
      broken: 0,
    });
  }

  private openCase(attributes: Attributes): void {
    // A case inside of another one: the outer ends here, so that what broke in it is not lost.
    this.closeCase();
    this.open = { attributes, broken: [], detail: [], skipped: undefined, todo: false, flaky: false };
    const inAttribute = attributes["failure"] ?? attributes["error"];
    if (inAttribute !== undefined) this.open.broken.push(inAttribute);
  }

  private openDetail(name: string, attributes: Attributes): void {
    const message = attributes["message"] ?? "";
    if (BROKEN.has(name)) {
      // A failure of the suite itself (a collection error, a crashed set-up) is a failed test named after it.
      this.open ??= this.suiteAsCase();
      this.open.broken.push(message || attributes["type"] || "");
      this.text = [];
    } else if (this.open && FLAKY.has(name)) this.open.flaky = true;
    else if (this.open && name === "skipped") {
      this.open.skipped = message;
      this.open.todo = attributes["type"] === "todo";
    }
  }

  private suiteAsCase(): OpenCase {
    const suite = this.suites.at(-1);
    const attributes = { name: suite?.name || "(suite)", "goci-suite": "true" };
    return { attributes, broken: [], detail: [], skipped: undefined, todo: false, flaky: false };
  }

  private onClose(name: string): void {
    if (BROKEN.has(name) && this.open) {
      this.open.detail.push((this.text ?? []).join("").trim());
      this.text = undefined;
      if (this.open.attributes["goci-suite"]) this.closeCase();
    } else if (name === "testcase") this.closeCase();
    else if (name === "testsuite" || name === "testsuites") this.closeSuite();
  }

  private closeCase(): void {
    const open = this.open;
    this.open = undefined;
    if (!open) return;
    const says = (pattern: RegExp) => statusesOf(open.attributes).some((status) => pattern.test(status));
    const isBroken = open.broken.length > 0 || says(FAILED);
    // A case may hold several failures, and totals count each of them.
    for (const suite of this.suites) if (isBroken) suite.broken += Math.max(1, open.broken.length);
    const isMarked = open.skipped !== undefined || says(NOT_RUN);
    const isSkipped = open.todo || (isMarked && !isBroken);
    const detail = open.detail.filter((text) => text !== "").join("\n\n");
    const message = open.broken.find((text) => text !== "") ?? "";
    const innermost = this.suites.at(-1);
    this.tests.push(
      testCase({
        suite: pathOf(this.suites),
        classname: open.attributes["classname"] ?? open.attributes["class"] ?? "",
        name: decodeAgain(open.attributes["name"] ?? "(unnamed)"),
        status: isSkipped ? "skipped" : isBroken ? "failed" : "passed",
        ms: seconds(open.attributes["time"]),
        file: open.attributes["file"] ?? innermost?.file ?? "",
        line: wholeNumber(open.attributes["line"]),
        message: decodeAgain(isSkipped ? (open.skipped ?? "") : message || firstLine(detail)),
        detail: isBroken ? detail : "",
        flaky: open.flaky && !isBroken,
      }),
    );
  }

  private closeSuite(): void {
    const suite = this.suites.pop();
    if (!suite || suite.declared <= suite.broken) return;
    // The totals are the reporter's own word: failures that it counts and does not list are failures.
    const path = pathOf([...this.suites, suite]);
    const message = `the suite counts ${suite.declared} failures and lists ${suite.broken === 0 ? "none of them" : suite.broken}`;
    this.tests.push(testCase({ suite: path, name: suite.name || "(suite)", status: "failed", message }));
    for (const outer of this.suites) outer.broken += suite.declared - suite.broken;
  }
}

function pathOf(suites: readonly Suite[]): string {
  return suites
    .map((suite) => suite.name)
    .filter((name) => name !== "")
    .join(" > ");
}

/** GoogleTest says `run` in one and how it ended in the other. */
function statusesOf(attributes: Attributes): string[] {
  return [attributes["status"] ?? "", attributes["result"] ?? ""];
}

const ENTITIES: Readonly<Record<string, string>> = { quot: '"', apos: "'", lt: "<", gt: ">", amp: "&" };

/** Node's own reporter escapes attributes twice; only how names read depends on it. */
function decodeAgain(text: string): string {
  return text.replace(/&(quot|apos|lt|gt|amp);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}

/** `1,234.5` seconds as milliseconds; 0 for what is no number. */
function seconds(text: string | undefined): number {
  const value = Number((text ?? "").replace(/,/g, ""));
  return Number.isFinite(value) && value > 0 ? Math.round(value * 1_000_000) / 1000 : 0;
}

function wholeNumber(text: string | undefined): number {
  const value = Number((text ?? "").replace(/,/g, ""));
  return Number.isInteger(value) && value > 0 ? value : 0;
}

import { firstLine, type ParsedReport, ReportProblem, type TestCase, testCase } from "./test-report.ts";

/** One event of `go test -json`, https://pkg.go.dev/cmd/test2json */
export interface GoEvent {
  readonly Action: string;
  readonly Package?: string;
  readonly ImportPath?: string;
  readonly Test?: string;
  readonly Elapsed?: number;
  readonly Output?: string;
  readonly FailedBuild?: string;
}

interface OpenTest {
  status: "passed" | "failed" | "skipped" | undefined;
  ms: number;
  output: string;
  isParent: boolean;
}

interface OpenPackage {
  status: "passed" | "failed" | "skipped" | undefined;
  ms: number;
  output: string;
  failedBuild: string;
  readonly tests: Map<string, OpenTest>;
  readonly finished: TestCase[];
}

const OUTPUT_LIMIT = 20_000;
const ENDS: Readonly<Record<string, "passed" | "failed" | "skipped">> = {
  pass: "passed",
  bench: "passed",
  fail: "failed",
  skip: "skipped",
};

/** The event of a line, or undefined for the noise that tools print in between. */
export function parseGoEvent(line: string): GoEvent | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || !("Action" in value)) return undefined;
    return typeof value.Action === "string" ? (value as GoEvent) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads `go test -json`. Only leaves count: a parent fails with its child. A
 * test or package that started and never ended (panic, os.Exit, a cut stream)
 * has failed, and so has a package whose build failed.
 */
export class GoTestReader {
  private readonly packages = new Map<string, OpenPackage>();
  private readonly builds = new Map<string, string>();
  private events = 0;

  /** Takes one line without its end; lines that are no events are noise. */
  line(text: string): void {
    const event = parseGoEvent(text);
    if (!event) return;
    this.events++;
    const isBuild = event.Action === "build-output" || event.Action === "build-fail";
    if (isBuild) this.takeBuild(event);
    if (isBuild || event.Package === undefined) return;
    const owner = this.packageOf(event.Package);
    if (event.Test === undefined) takePackageEvent(owner, event);
    else takeTestEvent(owner, event, event.Test);
  }

  /** The whole report. Throws a `ReportProblem` when there was no event at all. */
  end(): ParsedReport {
    if (this.events === 0) throw new ReportProblem("it holds no event of `go test -json`");
    const tests: TestCase[] = [];
    for (const [name, owner] of this.packages) tests.push(...this.closePackage(name, owner));
    for (const [name, output] of this.builds) {
      if (this.packages.has(name.replace(/ \[.*\]$/, ""))) continue;
      tests.push(failure(name, "(build)", "the build failed", output));
    }
    return { format: "go-test-json", tests };
  }

  private takeBuild(event: GoEvent): void {
    const key = event.ImportPath ?? "(build)";
    const before = this.builds.get(key) ?? "";
    this.builds.set(key, (before + (event.Output ?? "")).slice(0, OUTPUT_LIMIT));
  }

  private packageOf(name: string): OpenPackage {
    const known = this.packages.get(name);
    if (known) return known;
    const fresh: OpenPackage = {
      status: undefined,
      ms: 0,
      output: "",
      failedBuild: "",
      tests: new Map(),
      finished: [],
    };
    this.packages.set(name, fresh);
    return fresh;
  }

  private closePackage(name: string, owner: OpenPackage): TestCase[] {
    const unfinished = [...owner.tests].filter(([, test]) => test.status === undefined && !test.isParent);
    const cut = unfinished.map(([test, open]) =>
      failure(
        name,
        test,
        messageOfPanic(open.output + owner.output) || "the test never ended",
        open.output || owner.output,
      ),
    );
    const tests = [...owner.finished, ...leavesOf(name, owner), ...cut];
    if (tests.some((test) => test.status === "failed")) return tests;
    if (owner.status === undefined)
      return [...tests, failure(name, "(package)", "the package never ended", owner.output)];
    if (owner.status !== "failed") return tests;
    const build = owner.failedBuild ? (this.builds.get(owner.failedBuild) ?? "") : "";
    const message = owner.failedBuild
      ? `the build failed: ${goError(build)}`
      : messageOfPanic(owner.output) || "the package failed";
    return [
      ...tests,
      failure(name, owner.failedBuild ? "(build)" : "(package)", message, build || owner.output),
    ];
  }
}

function takePackageEvent(owner: OpenPackage, event: GoEvent): void {
  if (event.Output !== undefined) owner.output = (owner.output + event.Output).slice(-OUTPUT_LIMIT);
  if (event.FailedBuild) owner.failedBuild = event.FailedBuild;
  const end = ENDS[event.Action];
  // A failure is never taken back, whatever comes later for the same package.
  if (end !== undefined && owner.status !== "failed") owner.status = end;
  if (end !== undefined) owner.ms = milliseconds(event.Elapsed);
}

function takeTestEvent(owner: OpenPackage, event: GoEvent, name: string): void {
  const isRerun = event.Action === "run" && owner.tests.get(name)?.status !== undefined;
  if (isRerun) restart(owner, event.Package ?? "", name);
  const open = owner.tests.get(name) ?? { status: undefined, ms: 0, output: "", isParent: false };
  owner.tests.set(name, open);
  for (let slash = name.lastIndexOf("/"); slash > 0; slash = name.lastIndexOf("/", slash - 1)) {
    const parent = owner.tests.get(name.slice(0, slash));
    if (parent) parent.isParent = true;
  }
  if (event.Output !== undefined) open.output = (open.output + event.Output).slice(0, OUTPUT_LIMIT);
  const end = ENDS[event.Action];
  if (end === undefined) return;
  open.status = open.status === "failed" ? "failed" : end;
  open.ms = milliseconds(event.Elapsed);
}

/** `-count=2` runs a test again under the same name: the first run is settled before. */
function restart(owner: OpenPackage, packageName: string, name: string): void {
  const again = [...owner.tests.keys()].filter((key) => key === name || key.startsWith(`${name}/`));
  const settled: OpenPackage = { ...owner, tests: new Map() };
  for (const key of again) {
    const test = owner.tests.get(key);
    if (test) settled.tests.set(key, test);
    owner.tests.delete(key);
  }
  owner.finished.push(...leavesOf(packageName, settled));
}

/** The ended leaves; a parent counts only when it failed and none of its children did. */
function leavesOf(packageName: string, owner: OpenPackage): TestCase[] {
  const tests: TestCase[] = [];
  for (const [name, test] of owner.tests) {
    if (test.status === undefined) {
      if (!test.isParent) continue;
      const isExplained = hasBrokenChild(owner, name);
      if (!isExplained) tests.push(failure(packageName, name, "the test never ended", test.output));
      continue;
    }
    if (test.isParent && (test.status !== "failed" || hasBrokenChild(owner, name))) continue;
    const message = test.status === "failed" ? messageOfFailure(test.output) : skipReason(test);
    const place = /^\s+([\w./-]+\.go):(\d+): /m.exec(test.output);
    tests.push(
      testCase({
        suite: packageName,
        name,
        status: test.status,
        ms: test.ms,
        message,
        detail: test.status === "failed" ? test.output.trimEnd() : "",
        file: test.status === "failed" ? (place?.[1] ?? "") : "",
        line: test.status === "failed" ? Number(place?.[2] ?? 0) : 0,
      }),
    );
  }
  return tests;
}

function hasBrokenChild(owner: OpenPackage, parent: string): boolean {
  for (const [name, test] of owner.tests) {
    const isBroken = test.status === "failed" || test.status === undefined;
    if (isBroken && name.startsWith(`${parent}/`)) return true;
  }
  return false;
}

function failure(suite: string, name: string, message: string, detail: string): TestCase {
  return testCase({ suite, name, status: "failed", message, detail: detail.trimEnd() });
}

function messageOfFailure(output: string): string {
  const panic = messageOfPanic(output);
  if (panic) return panic;
  const lines = output.split("\n").filter((line) => line.trim() !== "" && !/^\s*(===|---) /.test(line));
  return firstLine((lines[0] ?? "").replace(/^\s+[\w./-]+\.go:\d+: /, "")) || "the test failed";
}

function messageOfPanic(output: string): string {
  return /^(?:panic: .*|fatal error: .*)$/m.exec(output)?.[0] ?? "";
}

function skipReason(test: OpenTest): string {
  if (test.status !== "skipped") return "";
  return /^\s+[\w./-]+\.go:\d+: (.*)$/m.exec(test.output)?.[1] ?? "";
}

function goError(output: string): string {
  return firstLine(
    output
      .split("\n")
      .filter((line) => !line.startsWith("#"))
      .join("\n"),
  );
}

function milliseconds(elapsed: number | undefined): number {
  return typeof elapsed === "number" && elapsed > 0 ? Math.round(elapsed * 1000) : 0;
}

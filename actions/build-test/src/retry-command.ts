import type { Step } from "./plan.ts";
import type { TestCase } from "./reports/test-report.ts";

/** How a test command can be told to run some of its tests only. */
export type RetryKind = "go" | "node-test" | "runner";

/** A command that runs some tests again. */
export interface RetryCommand {
  readonly argv: Step["argv"];
  /** To be added to NODE_OPTIONS; "" for none. */
  readonly nodeOptions: string;
}

/** What `go test` reports for a package that has no name of a test to run again. */
const NO_TEST = /^\(/;

/** What node:test calls a test file whose process broke: tests of it may never have run. */
const NODE_FILE = /\.[cm]?[jt]sx?$/;

/**
 * The tests among these that can be run again by name. Not those that ended
 * the run of others: to run them alone would say nothing of what never ran.
 */
export function retriable(kind: RetryKind, tests: readonly TestCase[]): readonly TestCase[] {
  if (kind === "go") return tests.filter((test) => !NO_TEST.test(test.name) && endedByItself(test));
  return tests.filter(
    (test) =>
      !/^\((file|run|suite|plan)\)$/.test(test.name) && !(kind === "node-test" && NODE_FILE.test(test.name)),
  );
}

/** A Go test that panics, calls os.Exit or runs into the timeout takes its whole package with it. */
function endedByItself(test: TestCase): boolean {
  return /^\s*--- FAIL: /m.test(test.detail) && !/^(panic: |fatal error: )/m.test(test.detail);
}

/**
 * Whether a command line is one call that runs all tests even when one fails.
 * After `a && b` or a bail-out the others never ran, and a run of the failed
 * ones alone would not run them either.
 */
export function runsAllAtOnce(line: string): boolean {
  return !/[|&;<>]|--?(bail|failfast)\b/.test(line);
}

/** `go test` for the packages and top-level tests that failed; undefined when its arguments cannot be told apart. */
export function goRetry(argv: Step["argv"], tests: readonly TestCase[]): RetryCommand | undefined {
  const [program, verb, ...rest] = argv;
  const isClear = rest.every(
    (word) => (word.startsWith("-") && !/^--?failfast\b/.test(word)) || /^(\.|[\w.-]+\/)/.test(word),
  );
  if (program !== "go" || verb !== "test" || !isClear) return undefined;
  const kept = rest.filter(
    (word) => word.startsWith("-") && !/^--?(json|coverprofile|run|count)\b/.test(word),
  );
  const names = unique(tests.map((test) => test.name.split("/")[0] ?? ""));
  const run = `-run=^(${names.map(escapeRegex).join("|")})$`;
  return {
    argv: ["go", "test", "-json", "-count=1", ...kept, run, ...unique(tests.map((test) => test.suite))],
    nodeOptions: "",
  };
}

/** jest and vitest take a pattern over suite and test titles joined by spaces. */
export function runnerRetry(argv: Step["argv"], tests: readonly TestCase[]): RetryCommand {
  return {
    argv: [...argv, "-t", `^(${unique(tests.map(fullTitle)).map(escapeRegex).join("|")})$`],
    nodeOptions: "",
  };
}

/** node:test takes patterns over names; a name alone may match more than one test, which does no harm. */
export function nodeTestRetry(argv: Step["argv"], tests: readonly TestCase[]): RetryCommand {
  const patterns = unique(tests.map((test) => test.name)).map((name) => {
    const pattern = escapeRegex(name).replace(/[\\"]/g, "\\$&");
    return `--test-name-pattern="${pattern}"`;
  });
  return { argv, nodeOptions: patterns.join(" ") };
}

function fullTitle(test: TestCase): string {
  return [test.suite.replaceAll(" > ", " "), test.name].filter((part) => part !== "").join(" ");
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

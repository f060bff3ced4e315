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

/** The tests among these that can be run again by name. */
export function retriable(kind: RetryKind, tests: readonly TestCase[]): readonly TestCase[] {
  return tests.filter(
    (test) => !NO_TEST.test(test.name) || (kind !== "go" && !/^\((file|run|suite|plan)\)$/.test(test.name)),
  );
}

/** `go test` for the packages and top-level tests that failed; undefined when its arguments cannot be told apart. */
export function goRetry(argv: Step["argv"], tests: readonly TestCase[]): RetryCommand | undefined {
  const [program, verb, ...rest] = argv;
  const isClear = rest.every((word) => word.startsWith("-") || /^(\.|[\w.-]+\/)/.test(word));
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

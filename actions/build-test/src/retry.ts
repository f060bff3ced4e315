import { join } from "node:path";
import { nodeTestOptions } from "./child-env.ts";
import { runnerReport } from "./commands.ts";
import type { Job } from "./job.ts";
import { makeNodeReporter, nodeReports } from "./node-reporter.ts";
import { readReport } from "./reports/read-reports.ts";
import { type TestCase, titleOf } from "./reports/test-report.ts";
import {
  goRetry,
  nodeTestRetry,
  type RetryCommand,
  type RetryKind,
  retriable,
  runnerRetry,
  runsAllAtOnce,
} from "./retry-command.ts";
import { runStep, type StepEnd } from "./run-step.ts";
import { isKilled } from "./verdict.ts";

/** More failures than these, and more than a tenth of all tests: that is no flakiness, and is not run again. */
const MOST = 20;

/** Tests and commands after the retries. */
export interface Retried {
  readonly tests: readonly TestCase[];
  readonly ends: readonly StepEnd[];
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Runs failed tests again, up to `retries` times. One that then passes is a
 * flaky test: passed, and counted by the flaky gate. A command whose failed
 * tests have all passed since is no longer held against its exit code.
 */
export async function retryFailed(
  job: Job,
  ends: readonly StepEnd[],
  tests: readonly TestCase[],
  variables: Variables,
): Promise<Retried> {
  let current: Retried = { tests, ends };
  for (let attempt = 1; attempt <= job.inputs.retries; attempt++) {
    const failed = current.tests.filter((test) => test.status === "failed");
    if (failed.length === 0) break;
    if (failed.length > MOST && failed.length > tests.length / 10) {
      job.context.log.info(`${failed.length} failed tests are too many to be flaky: not run again`);
      break;
    }
    current = await job.context.phase(`retry ${attempt}`, () =>
      runAgain(job, current, failed, attempt, variables),
    );
  }
  return current;
}

async function runAgain(
  job: Job,
  current: Retried,
  failed: readonly TestCase[],
  attempt: number,
  variables: Variables,
): Promise<Retried> {
  let { tests } = current;
  const ends: StepEnd[] = [];
  for (const [index, end] of current.ends.entries()) {
    const mine = failed.filter((test) => isTestOf(job, end, test));
    if (mine.length === 0 || isKilled(end)) {
      ends.push(end);
      continue;
    }
    const file = join(job.work(), `retry-${attempt}-${index + 1}`);
    const { passed, endedWell } = await passedAgain(job, end, mine, file, variables);
    tests = tests.map((test) => (passed.has(keyOf(test)) && isOnly(test, tests) ? asFlaky(test) : test));
    const isSettled =
      endedWell && mine.every((test) => passed.has(keyOf(test)) && isOnly(test, current.tests));
    ends.push(isSettled ? { ...end, problem: "" } : end);
  }
  return { tests, ends };
}

/** The keys of the tests that passed this time, and whether the command itself ended well. */
async function passedAgain(
  job: Job,
  end: StepEnd,
  failed: readonly TestCase[],
  file: string,
  variables: Variables,
): Promise<{ readonly passed: ReadonlySet<string>; readonly endedWell: boolean }> {
  const kind = kindOf(job, end);
  const again = kind === undefined ? [] : retriable(kind, failed);
  const command = kind && again.length > 0 ? commandOf(job, end, kind, again, file) : undefined;
  if (!kind || !command) {
    job.context.log.info(`\`${end.line}\` cannot be told to run only its failed tests: not run again`);
    return { passed: new Set(), endedWell: false };
  }
  for (const test of again) job.context.log.info(`again: ${titleOf(test)}`);
  const options =
    kind === "node-test"
      ? {
          NODE_OPTIONS: `${nodeTestOptions(job.context.env["NODE_OPTIONS"], makeNodeReporter(file))} ${command.nodeOptions}`,
        }
      : {};
  const stdoutFile = kind === "go" ? file : "";
  const place = { folder: job.root, env: job.env({ ...variables, ...options }), stdoutFile };
  const { problem } = await runStep({ ...end.step, argv: command.argv }, place, job.context);
  const reports = kind === "node-test" ? nodeReports(file) : [file];
  const read = await Promise.all(reports.map((path) => readReport(path).catch(() => undefined)));
  const tests = read.flatMap((report) => report?.tests ?? []);
  const passed = new Set(tests.filter((test) => test.status === "passed").map(keyOf));
  for (const test of tests) if (test.status === "failed") passed.delete(keyOf(test));
  return { passed, endedWell: problem === "" };
}

function kindOf(job: Job, end: StepEnd): RetryKind | undefined {
  if (end.step.stdout === "go-test-json") return "go";
  if (job.inputs.reportPaths !== undefined) return undefined;
  const isScript = /^(npm|yarn|pnpm|bun)$/.test(end.step.argv[0]);
  const line = isScript ? (job.project.packageJson?.scripts["test"] ?? "") : end.line;
  if (!runsAllAtOnce(line)) return undefined;
  if (end.step.argv.some((word) => word.endsWith(runnerReport(job)))) return "runner";
  return job.plan.usesNodeTest && /\bnode\b.*\s--test\b/.test(line) ? "node-test" : undefined;
}

function commandOf(
  job: Job,
  end: StepEnd,
  kind: RetryKind,
  tests: readonly TestCase[],
  file: string,
): RetryCommand | undefined {
  if (kind === "go") return goRetry(end.step.argv, tests);
  if (kind === "node-test") return nodeTestRetry(end.step.argv, tests);
  const [program, ...rest] = end.step.argv;
  return runnerRetry([program, ...rest.map((word) => word.replace(runnerReport(job), file))], tests);
}

/** Whether a test is one of this command's, as far as that can be told: Go's from all others. */
export function isTestOf(job: Job, end: StepEnd, test: TestCase): boolean {
  return isGoTest(job, test) === (end.step.stdout === "go-test-json");
}

function isGoTest(job: Job, test: TestCase): boolean {
  const name = job.project.goModule;
  return name !== undefined && (test.suite === name || test.suite.startsWith(`${name}/`));
}

function asFlaky(test: TestCase): TestCase {
  return test.status === "failed" ? { ...test, status: "passed", flaky: true } : test;
}

/** Two tests of one name cannot be told apart: what passed may be the other one. */
function isOnly(test: TestCase, tests: readonly TestCase[]): boolean {
  return tests.filter((other) => keyOf(other) === keyOf(test)).length === 1;
}

function keyOf(test: TestCase): string {
  return [test.suite, test.classname, test.name].join("\0");
}

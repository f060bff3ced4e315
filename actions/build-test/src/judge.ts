import { join } from "node:path";
import { formatDuration } from "../../../lib/clock.ts";
import type { Mask } from "../../../lib/mask.ts";
import { annotationsOf } from "./annotations.ts";
import type { CoverageVerdict } from "./coverage/gates.ts";
import { findFiles } from "./find-files.ts";
import { type Before, type Gathered, gatherCoverage, gatherReports } from "./gather.ts";
import type { Job } from "./job.ts";
import { applyQuarantine, judgeQuarantine } from "./quarantine.ts";
import { type TestCase, titleOf } from "./reports/test-report.ts";
import { countTests, writeReports } from "./reports/write-reports.ts";
import { isTestOf, retryFailed } from "./retry.ts";
import type { StepEnd } from "./run-step.ts";
import { judgeFindings } from "./sarif.ts";
import { tellVerdict } from "./tell.ts";
import { failureOf, type Gate, judgeTests, type Problem } from "./verdict.ts";

interface Judged {
  readonly gates: readonly Gate[];
  readonly problems: readonly Problem[];
}

/** Reads the reports, evaluates every gate, tells the result, and throws the one verdict when it is red. */
export async function judge(
  job: Job,
  before: Before,
  firstEnds: readonly StepEnd[],
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  const { gathered, coverage } = await job.context.phase("reports", async () => ({
    gathered: await gatherReports(job, before, firstEnds),
    // Before any retry: a run of some tests only would leave less coverage behind.
    coverage: await gatherCoverage(job, before),
  }));
  const retried = await retryFailed(job, firstEnds, gathered.reports.tests, variables);
  await job.context.phase("verdict", async () => {
    const { mask, clock } = job.context;
    const { ends } = retried;
    // What a test prints may hold a secret; nothing below sees it.
    const tests = retried.tests.map((test) => redacted(test, mask));
    const today = new Date(clock.now()).toISOString().slice(0, 10);
    const quarantine = applyQuarantine(tests, job.quarantine, today);
    if (coverage.notice)
      job.context.log.annotate({ level: "notice", title: "build-test", message: coverage.notice });
    const judged = combine([
      judgeTestRun(job, ends, gathered, quarantine),
      judgeFlaky(job, quarantine.counted),
      job.quarantine.length === 0 ? undefined : one(judgeQuarantine(job.quarantine, quarantine.expired)),
      coverage,
      judgeSarif(job),
      judgeDuration(job),
    ]);
    const ms = ends.reduce((sum, end) => sum + end.ms, 0);
    const paths = await writeReports(join(job.work(), "reports"), tests, ms);
    annotate(job, quarantine.counted);
    tellVerdict(job, {
      counted: quarantine.counted,
      quarantined: quarantine.quarantined,
      tests,
      ms,
      coverage,
      gates: judged.gates,
      paths,
    });
    const failure = failureOf(judged.problems);
    if (failure) throw failure;
  });
}

function redacted(test: TestCase, mask: Mask): TestCase {
  return {
    ...test,
    suite: mask.redact(test.suite),
    classname: mask.redact(test.classname),
    name: mask.redact(test.name),
    message: mask.redact(test.message),
    detail: mask.redact(test.detail),
  };
}

function judgeTestRun(
  job: Job,
  ends: readonly StepEnd[],
  gathered: Gathered,
  { counted, quarantined }: Pick<ReturnType<typeof applyQuarantine>, "counted" | "quarantined">,
): Judged {
  const { reportPaths, plan } = job.inputs;
  const failed = [...counted.filter((test) => test.status === "failed"), ...quarantined];
  return one(
    judgeTests({
      ends,
      reports: gathered.reports,
      counted,
      quarantined: quarantined.length,
      explained: ends.filter((end) =>
        ends.length === 1 ? failed.length > 0 : failed.some((test) => isTestOf(job, end, test)),
      ),
      stale: gathered.stale,
      expectsNone: reportPaths === "none" && job.plan.languages.length === 0,
      // Reports that are asked for by name must be there even so: an earlier command may write them.
      isSkipped: plan.commands.test === "none" && !Array.isArray(reportPaths),
      noTests: ends.length === 0 ? job.plan.noTests : "",
      unreported: gathered.unreported,
    }),
  );
}

function judgeFlaky(job: Job, tests: readonly TestCase[]): Judged {
  const flaky = tests.filter((test) => test.flaky);
  const budget = job.inputs.flakyBudget;
  const isOver = flaky.length > budget;
  const gate: Gate = {
    gate: "flaky",
    limit: String(budget),
    value: String(flaky.length),
    verdict: isOver ? "failed" : "passed",
  };
  for (const test of flaky.slice(0, 5))
    job.context.log.warn(`flaky: ${titleOf(test)} failed before it passed`);
  if (!isOver) return { gates: [gate], problems: [] };
  const names = flaky.map(titleOf);
  const message = `${flaky.length} flaky ${flaky.length === 1 ? "test" : "tests"} (failed before passing), at most ${budget} tolerated: ${names[0] ?? ""}`;
  const fix = "repair them, quarantine them, or raise `flaky-budget`";
  return { gates: [gate], problems: [{ code: "FLAKY", message, fix, evidence: names.slice(0, 20) }] };
}

function judgeSarif(job: Job): Judged | undefined {
  const { sarif } = job.inputs;
  if (sarif.paths.length === 0) return undefined;
  const excluded = sarif.paths.filter((glob) => glob.startsWith("!"));
  const wanted = sarif.paths.filter((glob) => !glob.startsWith("!"));
  const found = wanted.map((glob) => findFiles(job.root, [glob, ...excluded], job.workspace));
  for (const file of found.flatMap((one) => one.outside))
    job.context.log.warn(`${file} leads out of the workspace and was not read`);
  // Each glob stands for a scanner: one that left nothing has proven nothing.
  const empty = wanted.filter((_glob, index) => found[index]?.files.length === 0);
  const files = [...new Set(found.flatMap((one) => one.files))];
  return one(judgeFindings(job.root, files, sarif, empty));
}

/** A soft gate: it warns. */
function judgeDuration(job: Job): Judged | undefined {
  const budget = job.inputs.durationBudget;
  if (budget === undefined) return undefined;
  const ms = job.context.clock.now() - job.startedAt;
  const isOver = ms > budget;
  const value = formatDuration(ms);
  if (isOver) job.context.log.warn(`the run took ${value}, \`duration-budget\` is ${formatDuration(budget)}`);
  const verdict = isOver ? "warning" : "passed";
  return { gates: [{ gate: "duration", limit: formatDuration(budget), value, verdict }], problems: [] };
}

function one(judged: { readonly gate: Gate; readonly problems: readonly Problem[] }): Judged {
  return { gates: [judged.gate], problems: judged.problems };
}

function combine(parts: readonly (Judged | CoverageVerdict | undefined)[]): Judged {
  const there = parts.filter((part) => part !== undefined);
  return { gates: there.flatMap((part) => part.gates), problems: there.flatMap((part) => part.problems) };
}

function annotate(job: Job, counted: readonly TestCase[]): void {
  if (!job.inputs.annotations) return;
  const failed = counted.filter((test) => test.status === "failed");
  const tree = { workspace: job.workspace, root: job.root, goModule: job.project.goModule ?? "" };
  for (const annotation of annotationsOf(failed, tree)) job.context.log.annotate(annotation);
  const { total, passed, failed: bad, skipped } = countTests(counted);
  job.context.log.info(`${total} tests: ${passed} passed, ${bad} failed, ${skipped} skipped`);
}

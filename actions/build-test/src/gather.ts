import { goCoverProfile, ifThere, nodeTestFolder, runnerReport } from "./commands.ts";
import { type CoverageVerdict, judgeCoverage } from "./coverage/gates.ts";
import { readCoverage } from "./coverage/read-coverage.ts";
import { findFiles } from "./find-files.ts";
import { Freshness } from "./freshness.ts";
import type { Job } from "./job.ts";
import { nodeReports } from "./node-reporter.ts";
import { type Reports, readReport, readReports } from "./reports/read-reports.ts";
import type { StepEnd } from "./run-step.ts";
import type { Problem } from "./verdict.ts";

/** Where common runners put their reports. */
const REPORT_GLOBS = [
  "**/junit*.xml",
  "**/*junit.xml",
  "**/TEST-*.xml",
  "**/{reports,test-results,test-reports}/**/*.xml",
  "**/ctrf/*.json",
  "**/ctrf-report.json",
  "!**/{vendor,testdata,fixtures}/**",
];

/** Where common coverage tools put their files. */
const COVERAGE_GLOBS = [
  "**/lcov.info",
  "**/cobertura*.xml",
  "**/coverage.xml",
  "**/coverage-final.json",
  "**/{cover,coverage}.out",
  "!**/{vendor,testdata,fixtures}/**",
];

/** The files that were there before anything ran. */
export interface Before {
  readonly reports: Freshness;
  readonly coverage: Freshness;
}

/** Remembers the reports that lie about at the start of the step. */
export function lookBefore(job: Job): Before {
  const look = (globs: readonly string[]) =>
    new Freshness(job.root, findFiles(job.root, globs, job.workspace).files, job.startedAt);
  return { reports: look(reportGlobs(job)), coverage: look(coverageGlobs(job)) };
}

/** The reports of this run. */
export interface Gathered {
  readonly reports: Reports;
  readonly stale: readonly string[];
  /** Test commands whose tests no report holds. */
  readonly unreported: readonly string[];
}

/** Finds and reads what the test commands reported. */
export async function gatherReports(job: Job, before: Before, ends: readonly StepEnd[]): Promise<Gathered> {
  const { log } = job.context;
  const lenient = job.inputs.reportPaths === undefined;
  const found = findFiles(job.root, reportGlobs(job), job.workspace);
  for (const file of found.outside) log.warn(`${file} leads out of the workspace and was not read`);
  const { fresh, stale } = before.reports.split(found.files);
  for (const file of stale) log.info(`${file} is from before this step: not read`);
  const own = job.plan.usesNodeTest && lenient ? nodeReports(nodeTestFolder(job)) : [];
  const goOutputs = ends.filter((end) => end.step.stdout === "go-test-json");
  const runner = lenient ? ifThere(runnerReport(job)) : [];
  // The runner's own report is the whole truth about it; what else lies about may be the same tests again.
  const files = runner.length > 0 ? runner : [...fresh, ...own];
  const written = await readReports(job.root, files, lenient);
  const printed = await readReports(
    job.root,
    goOutputs.map((end) => end.stdoutFile),
    false,
  );
  const spoken = lenient && written.tests.length === 0 ? await readPrinted(ends) : [];
  const fromFiles = joinReports([written, ...spoken]);
  const reports = joinReports([fromFiles, printed]);
  for (const { file, format, tests } of reports.read) log.info(`read ${file} (${format}, ${tests} tests)`);
  return { reports, stale, unreported: unreportedOf(ends, fromFiles, printed) };
}

/** A runner that writes no file may have printed TAP. */
async function readPrinted(ends: readonly StepEnd[]): Promise<Reports[]> {
  const found: Reports[] = [];
  for (const end of ends) {
    if (end.step.stdout !== "prose") continue;
    const report = await readReport(end.stdoutFile).catch(() => undefined);
    if (report?.format !== "tap" && report?.format !== "go-test-json") continue;
    const read = [
      { file: `the output of \`${end.line}\``, format: report.format, tests: report.tests.length },
    ];
    found.push({ tests: report.tests, read, unreadable: [], ignored: [] });
  }
  return found;
}

function joinReports(list: readonly Reports[]): Reports {
  return {
    tests: list.flatMap((reports) => reports.tests),
    read: list.flatMap((reports) => reports.read),
    unreadable: list.flatMap((reports) => reports.unreadable),
    ignored: list.flatMap((reports) => reports.ignored),
  };
}

/** Go's reports come from its own stdout; all others' from files. */
function unreportedOf(ends: readonly StepEnd[], fromFiles: Reports, printed: Reports): string[] {
  const hasTests = (end: StepEnd) =>
    end.step.stdout === "go-test-json"
      ? printed.read.some((report) => report.file === end.stdoutFile && report.tests > 0)
      : fromFiles.tests.length > 0;
  return ends.filter((end) => !hasTests(end)).map((end) => end.line);
}

/** Reads the coverage of this run and judges it. */
export async function gatherCoverage(job: Job, before: Before): Promise<CoverageVerdict> {
  const { log } = job.context;
  const { coverage: inputs } = job.inputs;
  const found = findFiles(job.root, coverageGlobs(job), job.workspace);
  const { fresh, stale } = before.coverage.split(found.files);
  for (const file of stale) log.info(`${file} is from before this step: not read`);
  const own = inputs.paths === undefined ? ifThere(goCoverProfile(job)) : [];
  const result = await readCoverage([...fresh, ...own], {
    root: job.root,
    exclude: inputs.exclude,
    goModule: job.project.goModule ?? "",
    lenient: inputs.paths === undefined,
  });
  for (const file of result.read) log.info(`read ${file} (coverage)`);
  const verdict = judgeCoverage(result.coverage, result.coverage.size > 0, inputs);
  const damaged = result.unreadable.map(
    ({ file, why }): Problem => ({
      code: "REPORT_UNREADABLE",
      message: `the coverage file ${file} cannot be read: ${why}`,
      fix: "let the tests write the whole file, or correct `coverage-paths`",
      evidence: [],
    }),
  );
  return { ...verdict, problems: [...damaged, ...verdict.problems] };
}

function reportGlobs(job: Job): readonly string[] {
  const { reportPaths } = job.inputs;
  return reportPaths === "none" ? [] : (reportPaths ?? REPORT_GLOBS);
}

function coverageGlobs(job: Job): readonly string[] {
  const { paths } = job.inputs.coverage;
  return paths === "none" ? [] : (paths ?? COVERAGE_GLOBS);
}

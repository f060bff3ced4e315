import { escapeMarkdown, table } from "../../../lib/summary.ts";
import type { Artifact } from "./artifact.ts";
import { showPercent } from "./coverage/coverage.ts";
import type { CoverageVerdict } from "./coverage/gates.ts";
import type { Database } from "./database/database.ts";
import type { Job } from "./job.ts";
import type { TestCase } from "./reports/test-report.ts";
import { countTests } from "./reports/write-reports.ts";
import { renderSummary } from "./summary.ts";
import type { Gate } from "./verdict.ts";

/** Prints the plan and keeps it in the report; returns the job. */
export function tellPlan(job: Job): Job {
  const { plan, context, inputs } = job;
  for (const note of plan.notes) context.log.info(note);
  const rows = plan.steps.map((step) => [step.stage, step.argv.join(" "), step.why]);
  for (const [stage, line, why] of rows) context.log.info(`${stage}: ${line} (${why})`);
  if (plan.noTests) context.log.info(`test: nothing (${plan.noTests})`);
  context.draft.set("plan", {
    languages: plan.languages,
    packageManager: plan.packageManager ?? null,
    commands: plan.steps.map(({ stage, argv }) => ({ stage, argv })),
    database: inputs.database.provider,
    artifact: inputs.artifact.paths.length > 0 ? inputs.artifact.name : null,
  });
  if (inputs.dryRun) {
    context.draft.summary = `Planned, nothing was run.\n\n${table(
      ["Stage", "Command", "From"],
      rows.map((row) => row.map(escapeMarkdown)),
    )}`;
  }
  return job;
}

/** The outputs of a database that answers. */
export function tellDatabase(job: Job, database: Database): void {
  const { draft } = job.context;
  draft.output("database-url", database.shownUrl);
  draft.output("database-provider", database.provider);
  draft.set("database", { provider: database.provider, version: database.version });
}

/** Everything that the verdict rests on. */
export interface VerdictFacts {
  readonly tests: readonly TestCase[];
  readonly counted: readonly TestCase[];
  readonly quarantined: readonly TestCase[];
  readonly ms: number;
  readonly coverage: CoverageVerdict;
  readonly gates: readonly Gate[];
  readonly paths: { readonly junit: string; readonly ctrf: string };
}

/** Outputs, report fields and the summary of the tests and gates. */
export function tellVerdict(job: Job, facts: VerdictFacts): void {
  const { draft } = job.context;
  const counts = countTests(facts.counted);
  const total = counts.total + facts.quarantined.length;
  const outputs: Readonly<Record<string, string | number>> = {
    "tests-total": total,
    "tests-passed": counts.passed,
    "tests-failed": counts.failed,
    "tests-skipped": counts.skipped,
    "tests-flaky": counts.flaky,
    "duration-ms": Math.round(facts.ms),
    "coverage-line": showPercent(facts.coverage.line),
    "coverage-branch": showPercent(facts.coverage.branch),
    "coverage-diff": "",
    gates: JSON.stringify(facts.gates),
    "junit-path": facts.paths.junit,
    "ctrf-path": facts.paths.ctrf,
  };
  for (const [name, value] of Object.entries(outputs)) draft.output(name, value);
  draft.set("tests", { ...counts, total, quarantined: facts.quarantined.length });
  draft.set("coverage", { line: facts.coverage.line ?? null, branch: facts.coverage.branch ?? null });
  draft.set("gates", facts.gates);
  draft.summary += renderSummary({
    counts: { ...counts, total },
    ms: facts.ms,
    failed: facts.counted.filter((test) => test.status === "failed"),
    quarantined: facts.quarantined,
    flaky: facts.counted.filter((test) => test.flaky),
    gates: facts.gates,
    facts: [],
  });
}

/** The outputs of the artifact, and its place in the chain of reports. */
export function tellArtifact(job: Job, artifact: Artifact): void {
  const { draft } = job.context;
  const outputs: Readonly<Record<string, string | number>> = {
    "artifact-id": artifact.id,
    "artifact-name": artifact.name,
    "artifact-digest": artifact.digest,
    "artifact-url": artifact.url,
    "artifact-path": artifact.path,
    "artifact-size": artifact.size,
  };
  for (const [name, value] of Object.entries(outputs)) draft.output(name, value);
  draft.made({ type: "artifact", name: artifact.name, digest: artifact.digest });
  draft.set("artifact", { ...artifact });
  const link = artifact.url ? ` ([download](${artifact.url}))` : "";
  draft.summary += `\nArtifact ${escapeMarkdown(artifact.name)}: ${artifact.files} files, ${artifact.size} bytes, \`${artifact.digest || "no digest"}\`${link}\n`;
}

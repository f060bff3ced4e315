import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expectValidReport } from "../../../lib/testing/report-schema.ts";
import { FakeRunner, type StepResult } from "../../../lib/testing/runner.ts";

/** Inputs for a project of no language, whose only command is the test command. */
export const BARE = { language: "none", "report-paths": "out.xml" } as const;

/** A job whose workspace holds a fixture (a folder of fixtures/) or the files given. */
export function newJob(
  content: string | Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): FakeRunner {
  const job = new FakeRunner(env);
  if (typeof content === "string") {
    cpSync(join(dirname(fileURLToPath(import.meta.url)), "fixtures", content), job.workspace, {
      recursive: true,
    });
    return job;
  }
  for (const [path, text] of Object.entries(content)) {
    const file = join(job.workspace, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    if (path.endsWith(".sh")) chmodSync(file, 0o755);
  }
  return job;
}

/** What every end of the step must keep to, green or red. */
export function expectWellFormed(step: StepResult): void {
  expectValidReport(step.report);
  const isGreen = step.exitCode === 0;
  const own = step.errors.filter((error) => error.properties["title"]?.startsWith("build-test:"));
  const problems: string[] = [];
  if (own.length !== (isGreen ? 0 : 1)) problems.push(`${own.length} errors of the action's own`);
  if (step.errors.length > 10) problems.push(`${step.errors.length} errors, GitHub shows ten`);
  const isTold = isGreen
    ? step.outputs["failure-code"] === ""
    : /^[A-Z_]+$/.test(step.outputs["failure-code"] ?? "");
  if (!isTold) problems.push(`failure-code ${step.outputs["failure-code"]}`);
  if ((step.outputs["failure-reason"] ?? "").includes("\n"))
    problems.push("failure-reason has several lines");
  if (Object.keys(step.exportedEnv).length > 0) problems.push("GITHUB_ENV was written");
  if (problems.length > 0) throw new Error(`${problems.join("; ")}\n${step.output}`);
}

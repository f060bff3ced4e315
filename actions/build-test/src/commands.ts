import { existsSync } from "node:fs";
import { join } from "node:path";
import { query } from "../../../lib/exec.ts";
import { nodeTestOptions } from "./child-env.ts";
import { type Job, WORK } from "./job.ts";
import { makeNodeReporter } from "./node-reporter.ts";
import type { Stage, Step } from "./plan.ts";
import { runStep, type StepEnd, stepFailed } from "./run-step.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** The first Node that takes reporters in NODE_OPTIONS. */
const NODE_WITH_REPORTERS = 20;

/** Runs all commands of a stage; an install or build that fails ends the run. */
export async function runStage(job: Job, stage: Stage, database: Variables): Promise<StepEnd[]> {
  const steps = job.plan.steps.filter((step) => step.stage === stage);
  if (steps.length === 0) return [];
  return job.context.phase(stage, async () => {
    const ends: StepEnd[] = [];
    for (const [index, step] of steps.entries()) {
      const variables = stage === "test" ? { ...database, ...(await reporterEnv(job)) } : database;
      const end = await runStep(resolvePaths(step, job), placeOf(job, step, index, variables), job.context);
      if (end.problem !== "" && stage !== "test") throw stepFailed(end);
      ends.push(end);
    }
    return ends;
  });
}

function placeOf(job: Job, step: Step, index: number, variables: Variables) {
  return {
    folder: job.root,
    env: job.env(variables),
    stdoutFile: step.stage === "test" ? join(job.work(), `test-${index + 1}.out`) : "",
  };
}

function resolvePaths(step: Step, job: Job): Step {
  const [program, ...rest] = step.argv;
  return {
    ...step,
    argv: [program, ...rest.map((word) => word.replace(WORK, job.work()))],
  };
}

/** The folder in which node:test is made to write JUnit. */
export function nodeTestFolder(job: Job): string {
  return join(job.work(), "node-test");
}

/** Where our own `go test` leaves its cover profile. */
export function goCoverProfile(job: Job): string {
  return join(job.work(), "cover.out");
}

/** node:test writes no report unless it is told to; who names `report-paths` has seen to that. */
async function reporterEnv(job: Job): Promise<Variables> {
  if (!job.plan.usesNodeTest || job.inputs.reportPaths !== undefined) return {};
  const version = (await query(["node", "--version"], job.root)) ?? "";
  if (Number(/^v(\d+)/.exec(version)?.[1] ?? 0) < NODE_WITH_REPORTERS) return {};
  return {
    NODE_OPTIONS: nodeTestOptions(job.context.env["NODE_OPTIONS"], makeNodeReporter(nodeTestFolder(job))),
  };
}

/** Where jest or vitest was told to report. */
export function runnerReport(job: Job): string {
  return join(job.work(), "runner.json");
}

/** The file, when it is there. */
export function ifThere(path: string): string[] {
  return existsSync(path) ? [path] : [];
}

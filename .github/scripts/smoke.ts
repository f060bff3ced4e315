import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expectValidReport } from "../../lib/testing/report-schema.ts";
import { FakeRunner, type StepResult } from "../../lib/testing/runner.ts";
import { entriesOf, ROOT } from "./repository.ts";

/** One run of a built file and what was wrong with it, "" when it behaved. */
export interface SmokeResult {
  readonly name: string;
  readonly problem: string;
}

/** How long a bundle may take with nothing to do, milliseconds; generous, for busy machines. */
const LIMIT_MS = 60_000;

/** Runs each built file of an action with no inputs at all: it must end by itself, with a verdict of its own. */
export async function smoke(action: string): Promise<SmokeResult[]> {
  const results: SmokeResult[] = [];
  const runner = new FakeRunner();
  try {
    const main = await within(runner, action, {});
    results.push({ name: `${action} main`, problem: main.problem || problemOfMain(action, main.step) });
    for (const { entry, out } of entriesOf(action)) {
      if (entry === "post") {
        const post = await within(runner, action, main.step?.state ?? {}, true);
        results.push({ name: `${action} post`, problem: post.problem || problemOfPost(post.step) });
      } else if (entry === "worker") {
        const problem = await problemOfWorker(join(ROOT, "actions", action, "dist", out, "index.js"));
        results.push({ name: `${action} worker`, problem });
      }
    }
  } finally {
    runner.dispose();
  }
  return results;
}

async function within(
  runner: FakeRunner,
  action: string,
  state: Readonly<Record<string, string>>,
  post = false,
): Promise<{ step?: StepResult; problem: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), LIMIT_MS);
  });
  try {
    if (post) {
      const step = await Promise.race([runner.post(action, { state }), late]);
      return step ? { step, problem: "" } : { problem: `it had not ended after ${LIMIT_MS / 1000} s` };
    }
    const running = runner.start(action);
    const step = await Promise.race([running.result, late]);
    if (step) return { step, problem: "" };
    running.kill("SIGKILL");
    return { problem: `it had not ended after ${LIMIT_MS / 1000} s` };
  } catch (error) {
    return { problem: String(error) };
  } finally {
    clearTimeout(timer);
  }
}

function problemOfMain(action: string, step: StepResult | undefined): string {
  if (!step) return "it did not run";
  const tail = () => `:\n${step.output.slice(-2000)}`;
  if (step.exitCode !== 0 && step.exitCode !== 1)
    return `it ended with ${step.exitCode ?? step.signal}${tail()}`;
  if (!step.outputs["outcome"]) return `it set no outcome${tail()}`;
  if (step.outputs["failure-code"] === "INTERNAL") return `it failed by a defect of its own${tail()}`;
  const own = step.errors.filter((error) => error.properties["title"]?.startsWith(`${action}: `));
  if (own.length !== step.exitCode)
    return `exit ${step.exitCode} with ${own.length} errors of its own${tail()}`;
  try {
    expectValidReport(step.report);
  } catch (error) {
    return String(error);
  }
  return "";
}

function problemOfPost(step: StepResult | undefined): string {
  if (!step) return "it did not run";
  if (step.exitCode === 0 && step.errors.length === 0) return "";
  return `it ended with ${step.exitCode ?? step.signal} although there was nothing to do:\n${step.output.slice(-2000)}`;
}

/** A worker waits for work; all that can be asked of it is that it loads. */
async function problemOfWorker(file: string): Promise<string> {
  if (!existsSync(file)) return "it is missing";
  const worker = new Worker(file, { stdout: true, stderr: true });
  const failed = new Promise<string>((resolve) => {
    worker.on("error", (error: unknown) => resolve(String(error)));
    setTimeout(() => resolve(""), 1500).unref();
  });
  const text = await failed;
  await worker.terminate();
  return /SyntaxError|ReferenceError|Cannot find (module|package)/.test(text)
    ? `it does not load: ${text}`
    : "";
}

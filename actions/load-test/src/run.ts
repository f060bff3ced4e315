import { availableParallelism } from "node:os";
import type { Green, RunContext } from "../../../lib/action.ts";
import { Failure } from "../../../lib/errors.ts";
import { type Endpoint, GOOD_STATUSES } from "./endpoint.ts";
import { Fleet } from "./fleet.ts";
import { monotonicMs } from "./generator.ts";
import type { LoadInputs } from "./inputs.ts";
import { type LoadResult, type LoadSpec, putLoad, threadsFor } from "./load.ts";
import { planLines } from "./plan.ts";
import { peakRate } from "./profile.ts";
import { progressWatch } from "./progress.ts";
import { publish, publishNothing } from "./publish.ts";
import { awaitTarget } from "./ready.ts";
import { documentOf } from "./result.ts";
import { type Judgement, judgeRun, judgeThresholds } from "./verdict.ts";

/**
 * Waits for the target, loads it, judges what was measured; red verdicts are
 * thrown. `thread` is the file that the load threads run.
 */
export async function run(inputs: LoadInputs, context: RunContext, thread: string): Promise<Green> {
  const workers = inputs.workers || threadsFor(inputs.model, peakRate, availableParallelism());
  context.draft.output("url", inputs.base.text);
  const plan = planLines(inputs, workers);
  for (const line of plan) context.log.info(line);
  if (inputs.dryRun) {
    context.draft.summary = plan.map((line) => `- ${line}\n`).join("");
    return "planned";
  }
  // Until a run has been judged, it is one that ended before its time.
  context.draft.output("verdict", "invalid");
  if (inputs.readyTimeoutMs > 0) await context.phase("ready", () => beReady(inputs, context));
  const fleet = new Fleet(thread, workers);
  try {
    const load = await context.phase("load", () => loadOnce(inputs, fleet, context));
    const judged = judgeThresholds(inputs.thresholds, load.measured);
    const judgement = judgeRun(load.health, load.measurement.total, judged);
    const document = documentOf(inputs, load, judged, judgement, { commit: context.github.sha, workers });
    publish(document, context);
    if (context.signal.aborted) throw context.signal.reason;
    if (judgement.verdict !== "pass") throw failureOf(judgement);
    return "succeeded";
  } finally {
    await fleet.close();
  }
}

async function beReady(inputs: LoadInputs, context: RunContext): Promise<void> {
  const { log, clock, signal } = context;
  const endpoint = probeOf(inputs.endpoints);
  const readiness = await awaitTarget(inputs.base.target, endpoint, inputs.readyTimeoutMs, {
    clock,
    signal,
    log: (line) => log.info(line),
  });
  if (readiness.ready) return;
  const seconds = inputs.readyTimeoutMs / 1000;
  const judgement: Judgement = {
    verdict: "no-data",
    reason: `the target did not answer 5 times in a row within ${seconds} s; the last of ${readiness.tries} tries: ${readiness.last}`,
    code: "NOT_READY",
    fix: "check that `url` is right and that the target runs and can be reached from this runner, or raise `ready-timeout`",
  };
  publishNothing(judgement, context);
  throw failureOf(judgement);
}

/** A request that changes nothing: the first that reads, or the base path. */
function probeOf(endpoints: readonly Endpoint[]): Endpoint {
  const reading = endpoints.find(({ method }) => method === "GET" || method === "HEAD");
  if (reading) return reading;
  const expect = { statuses: GOOD_STATUSES, contains: "" };
  return {
    name: "probe",
    method: "GET",
    path: "/",
    weight: 1,
    headers: endpoints[0]?.headers ?? [],
    body: "",
    expect,
  };
}

async function loadOnce(inputs: LoadInputs, fleet: Fleet, context: RunContext): Promise<LoadResult> {
  const spec: LoadSpec = { ...inputs, target: inputs.base.target };
  return putLoad(fleet, spec, {
    now: () => context.clock.now(),
    monotonic: monotonicMs,
    signal: context.signal,
    watch: progressWatch(inputs, (line) => context.log.info(line)),
  });
}

function failureOf(judgement: Judgement): Failure {
  return new Failure(`verdict ${judgement.verdict}: ${judgement.reason}`, {
    code: judgement.code,
    fix: judgement.fix,
    outcome: judgement.verdict === "fail" ? "failed" : judgement.verdict,
  });
}

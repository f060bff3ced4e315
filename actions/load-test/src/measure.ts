import type { RunContext } from "../../../lib/action.ts";
import { findMax, PROBES } from "./find-max.ts";
import type { Fleet } from "./fleet.ts";
import { monotonicMs } from "./generator.ts";
import type { LoadInputs } from "./inputs.ts";
import { type Judged, judgeThresholds } from "./judge.ts";
import { type LoadResult, type LoadSpec, putLoad } from "./load.ts";
import { progressWatch } from "./progress.ts";
import type { ResultDocument } from "./result.ts";
import { type Judgement, judgeRun } from "./verdict.ts";

/** A run's load, judged. */
export interface Found {
  readonly load: LoadResult;
  readonly judged: readonly Judged[];
  readonly judgement: Judgement;
  /** Fields of the result that only some runs have. */
  readonly extra: Partial<ResultDocument>;
}

/** Puts the load on the target, once or, for find-max, at several rates, and judges it. */
export async function measure(inputs: LoadInputs, fleet: Fleet, context: RunContext): Promise<Found> {
  const { model } = inputs;
  if (model.kind === "open" && model.profile.kind === "find-max") {
    return search(inputs, model.rate, fleet, context);
  }
  const load = await loadOnce({ ...inputs, target: inputs.base.target }, fleet, inputs, context);
  const judged = judgeThresholds(inputs.thresholds, load.measured);
  return { load, judged, judgement: judgeRun(load.health, load.measurement.total, judged), extra: {} };
}

/** The whole search takes the time that one run would: each load gets its share of `duration`. */
async function search(inputs: LoadInputs, start: number, fleet: Fleet, context: RunContext): Promise<Found> {
  const log = (line: string) => context.log.info(line);
  const load = (rate: number, first: boolean) => {
    const spec: LoadSpec = {
      ...inputs,
      target: inputs.base.target,
      model: { kind: "open", rate, profile: { kind: "constant" } },
      durationMs: Math.max(1000, inputs.durationMs / PROBES),
      warmUpMs: first ? inputs.warmUpMs : 0,
    };
    return loadOnce(spec, fleet, { ...inputs, abortOnFail: false }, context);
  };
  const { found, probes, best, judgement } = await findMax(inputs, start, load, log);
  const rows = probes.map((probe) => ({
    rate: probe.rate,
    verdict: probe.judgement.verdict,
    reason: probe.judgement.reason,
    p95: probe.load.measurement.total.latency.percentile(95) ?? null,
    errorPercent: probe.load.measurement.total.errorPercent ?? null,
  }));
  return { load: best.load, judged: best.judged, judgement, extra: { maxRateFound: found, probes: rows } };
}

async function loadOnce(
  spec: LoadSpec,
  fleet: Fleet,
  watched: Parameters<typeof progressWatch>[0],
  context: RunContext,
): Promise<LoadResult> {
  return putLoad(fleet, spec, {
    now: () => context.clock.now(),
    monotonic: monotonicMs,
    signal: context.signal,
    watch: progressWatch(watched, (line) => context.log.info(line)),
  });
}

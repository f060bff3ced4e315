import type { LoadInputs } from "./inputs.ts";
import { type Judged, judgeThresholds } from "./judge.ts";
import type { LoadResult } from "./load.ts";
import { type Judgement, judgeRun } from "./verdict.ts";

/** Loads at most; doubling from 100 and halving the rest finds a rate up to 20,000 to within some percent. */
export const PROBES = 8;
/** The search ends when the bounds are this close, as a share of the upper one. */
const CLOSE_ENOUGH = 0.03;

/** One load at one rate, judged. */
export interface Probe {
  readonly rate: number;
  readonly judgement: Judgement;
  readonly load: LoadResult;
  readonly judged: readonly Judged[];
}

/** What a search came to. `found` is 0 when no rate kept the thresholds. */
export interface Search {
  readonly found: number;
  readonly probes: readonly Probe[];
  /** The load whose numbers stand for the run: the best that passed, else the last. */
  readonly best: Probe;
  readonly judgement: Judgement;
}

/**
 * The next rate to try, or undefined when the search is over: double while
 * nothing failed, then halve the distance between the best and the worst.
 */
export function nextRate(
  start: number,
  most: number,
  tried: readonly { rate: number; ok: boolean }[],
): number | undefined {
  if (tried.length === 0) return Math.min(start, most);
  if (tried.length >= PROBES) return undefined;
  const best = Math.max(0, ...tried.filter((item) => item.ok).map((item) => item.rate));
  const worst = Math.min(...tried.filter((item) => !item.ok).map((item) => item.rate));
  if (worst === Number.POSITIVE_INFINITY) return best >= most ? undefined : Math.min(most, best * 2);
  if (worst <= best || (worst - best) / worst < CLOSE_ENOUGH) return undefined;
  const next = best === 0 ? worst / 2 : (best + worst) / 2;
  const whole = next >= 20 ? Math.round(next) : Math.round(next * 10) / 10;
  return whole > best && whole < worst ? whole : undefined;
}

/** Searches the highest rate that keeps the thresholds; `load` puts one rate on the target. */
export async function findMax(
  inputs: Pick<LoadInputs, "thresholds" | "maxRate" | "maxRequests" | "durationMs">,
  start: number,
  load: (rate: number, first: boolean) => Promise<LoadResult>,
  log: (line: string) => void,
): Promise<Search> {
  // A gate on the rate of answers says nothing of a rate that the search chose.
  const thresholds = inputs.thresholds.filter((item) => item.metric.kind !== "rps");
  const probes: Probe[] = [];
  let budget = inputs.maxRequests;
  for (;;) {
    const tried = probes.map((probe) => ({ rate: probe.rate, ok: probe.judgement.verdict === "pass" }));
    const rate = nextRate(start, inputs.maxRate, tried);
    if (rate === undefined) break;
    budget -= (rate * inputs.durationMs) / PROBES / 1000;
    if (budget < 0 && probes.length > 0) break;
    const result = await load(rate, probes.length === 0);
    const judged = judgeThresholds(thresholds, result.measured);
    const judgement = judgeRun(result.health, result.measurement.total, judged);
    probes.push({ rate, judgement, load: result, judged });
    log(`${rate} requests/s: ${judgement.verdict} (${judgement.reason})`);
    if (result.health.cut === "cancelled" || result.health.lost.length > 0) break;
  }
  return conclude(probes, inputs.maxRate);
}

function conclude(probes: readonly Probe[], most: number): Search {
  const passed = probes.filter((probe) => probe.judgement.verdict === "pass");
  const best = passed.reduce<Probe | undefined>((a, b) => (a && a.rate > b.rate ? a : b), undefined);
  const last = probes.at(-1);
  if (!last) throw new Error("a search without a load");
  const ended = last.judgement.code === "CANCELLED" || last.judgement.code === "WORKER_LOST";
  if (!best || ended) {
    const rates = probes.map((probe) => probe.rate);
    const judgement = ended
      ? last.judgement
      : { ...last.judgement, reason: `not even ${Math.min(...rates)} requests/s: ${last.judgement.reason}` };
    return { found: best?.rate ?? 0, probes, best: best ?? last, judgement };
  }
  const bound = probes.filter((probe) => probe.rate > best.rate).sort((a, b) => a.rate - b.rate)[0];
  const limit =
    best.rate >= most
      ? ", the most that `max-rate` allows"
      : bound?.judgement.verdict === "invalid" && bound.judgement.code !== "IN_FLIGHT_CAP"
        ? ` or more: at ${bound.rate}/s the generator was the limit`
        : bound
          ? `; at ${bound.rate}/s: ${bound.judgement.reason}`
          : "";
  const reason = `the highest rate that kept the thresholds is ${best.rate}/s${limit}`;
  return { found: best.rate, probes, best, judgement: { verdict: "pass", reason, code: "", fix: "" } };
}

import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import type { Green, RunContext } from "../../../lib/action.ts";
import { escapeMarkdown } from "../../../lib/summary.ts";
import { compareWith, readBaseline } from "./baseline.ts";
import { documentOf } from "./document.ts";
import { Fleet } from "./fleet.ts";
import { beReady } from "./gate.ts";
import type { LoadInputs } from "./inputs.ts";
import { threadsFor } from "./load.ts";
import { type Found, measure } from "./measure.ts";
import { planLines } from "./plan.ts";
import { peakRate } from "./profile.ts";
import { publish } from "./publish.ts";
import type { ResultDocument } from "./result.ts";
import { failureOf, type Judgement } from "./verdict.ts";

/**
 * Waits for the target, loads it, judges what was measured; red verdicts are
 * thrown. `thread` is the file that the load threads run.
 */
export async function run(inputs: LoadInputs, context: RunContext, thread: string): Promise<Green> {
  const workers = inputs.workers || threadsFor(inputs.model, peakRate, availableParallelism());
  context.draft.output("url", inputs.base.text);
  const before = baselineOf(inputs, context);
  const plan = planLines(inputs, workers);
  for (const line of plan) context.log.info(line);
  if (inputs.dryRun) {
    context.draft.summary = plan.map((line) => `- ${escapeMarkdown(line)}\n`).join("");
    return "planned";
  }
  // Until a run has been judged, it is one that ended before its time.
  context.draft.output("verdict", "invalid");
  context.draft.output("reason", "the run ended before there was anything to judge");
  context.draft.output("requests", 0);
  if (inputs.readyTimeoutMs > 0) await context.phase("ready", () => beReady(inputs, context));
  const fleet = new Fleet(thread, workers);
  try {
    const found = await context.phase("load", () => measure(inputs, fleet, context));
    const { document, judgement } = conclude(inputs, found, before, { commit: context.github.sha, workers });
    publish(document, context);
    if (context.signal.aborted) throw context.signal.reason;
    if (judgement.verdict !== "pass") throw failureOf(judgement);
    return "succeeded";
  } finally {
    await fleet.close();
  }
}

/** The earlier result to compare with, read before anything is sent. */
function baselineOf(inputs: LoadInputs, context: RunContext): ResultDocument | undefined {
  if (inputs.baseline === "") return undefined;
  return readBaseline(resolve(context.github.workspace, inputs.workingDirectory, inputs.baseline));
}

/** The result with its last word: a run that keeps its thresholds may still be slower than the one before. */
function conclude(
  inputs: LoadInputs,
  found: Found,
  before: ResultDocument | undefined,
  about: { readonly commit: string; readonly workers: number },
): { document: ResultDocument; judgement: Judgement } {
  const { load, judged, judgement, extra } = found;
  const document = { ...documentOf(inputs, load, judged, judgement, about), ...extra };
  if (!before || load.health.cut !== "") return { document, judgement };
  const { baseline, judgement: slower } = compareWith(document, before, inputs.maxRegression);
  const last = judgement.verdict === "pass" ? (slower ?? judgement) : judgement;
  return { document: { ...document, baseline, verdict: last.verdict, reason: last.reason }, judgement: last };
}

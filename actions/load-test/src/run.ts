import { availableParallelism } from "node:os";
import type { Green, RunContext } from "../../../lib/action.ts";
import { documentOf } from "./document.ts";
import { Fleet } from "./fleet.ts";
import { beReady } from "./gate.ts";
import type { LoadInputs } from "./inputs.ts";
import { threadsFor } from "./load.ts";
import { measure } from "./measure.ts";
import { planLines } from "./plan.ts";
import { peakRate } from "./profile.ts";
import { publish } from "./publish.ts";
import { failureOf } from "./verdict.ts";

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
    const found = await context.phase("load", () => measure(inputs, fleet, context));
    const { load, judged, judgement, extra } = found;
    const about = { commit: context.github.sha, workers };
    publish({ ...documentOf(inputs, load, judged, judgement, about), ...extra }, context);
    if (context.signal.aborted) throw context.signal.reason;
    if (judgement.verdict !== "pass") throw failureOf(judgement);
    return "succeeded";
  } finally {
    await fleet.close();
  }
}

import type { LoadInputs } from "./inputs.ts";
import { judgeThresholds, measuredOf, threeDigits } from "./judge.ts";
import type { Watch } from "./load.ts";

const LINE_EVERY_MS = 10_000;

/** Logs how a load goes, a line every 10 s, and with `abort-on-fail` says stop when a threshold is broken. */
export function progressWatch(
  inputs: Pick<LoadInputs, "endpoints" | "model" | "thresholds" | "abortOnFail" | "abortAfterMs">,
  log: (line: string) => void,
): Watch {
  const names = inputs.endpoints.map((endpoint) => endpoint.name);
  const { model } = inputs;
  // A rate that changes with the profile has its average only at the end.
  const steady = model.kind === "closed" || model.profile.kind === "constant";
  const gates = inputs.thresholds.filter((item) => steady || item.metric.kind !== "rps");
  let nextLine = LINE_EVERY_MS;
  let measuring = false;
  return ({ measurement, measuredMs }) => {
    if (measuredMs <= 0) return false;
    if (!measuring) log("measuring: what is due from now on counts");
    measuring = true;
    const { total } = measurement;
    if (measuredMs >= nextLine) {
      nextLine += LINE_EVERY_MS;
      const p95 = total.latency.percentile(95);
      const latency = p95 === undefined ? "no answers" : `p95 ${threeDigits(p95)} ms`;
      log(`${Math.round(measuredMs / 1000)} s: ${total.ended} requests, ${total.failed} failed, ${latency}`);
    }
    if (!inputs.abortOnFail || measuredMs < inputs.abortAfterMs) return false;
    // Answers lag behind the requests; what is still on its way is no lack of answers.
    const answeringMs = Math.max(1, measuredMs - (total.latency.percentile(50) ?? 0));
    const measured = measuredOf(measurement, names, answeringMs / 1000);
    return judgeThresholds(gates, measured).some((item) => item.outcome === "broken");
  };
}

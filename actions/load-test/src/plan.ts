import { formatDuration } from "../../../lib/clock.ts";
import type { LoadInputs } from "./inputs.ts";
import { timingOf } from "./load.ts";
import { segmentsOf } from "./profile.ts";
import { Schedule } from "./schedule.ts";

/** What a run will do, a line for each decision. */
export function planLines(inputs: LoadInputs, workers: number): string[] {
  const { model, endpoints, thresholds, durationMs, warmUpMs } = inputs;
  const lines = [`target ${inputs.base.text || inputs.base.target.origin}`];
  const weights = endpoints.reduce((sum, endpoint) => sum + endpoint.weight, 0);
  for (const { name, weight } of endpoints) {
    lines.push(
      `request ${name}${endpoints.length > 1 ? ` (${Math.round((weight / weights) * 100)} %)` : ""}`,
    );
  }
  if (model.kind === "open" && model.profile.kind !== "find-max") {
    const { total } = new Schedule(segmentsOf(model.profile, model.rate, warmUpMs, durationMs));
    lines.push(`open model, profile ${inputs.profileText}: ${total} requests, each due at its own time`);
    for (const { from, to, ms, measured } of segmentsOf(model.profile, model.rate, warmUpMs, durationMs)) {
      const rate = from === to ? `${from}` : `${from} to ${to}`;
      lines.push(`  ${formatDuration(ms)} at ${rate} requests/s${measured ? "" : " (warm-up, not counted)"}`);
    }
  } else if (model.kind === "open") {
    lines.push(
      `open model, profile find-max: the highest rate up to ${inputs.maxRate}/s that keeps the thresholds`,
    );
  } else {
    lines.push(
      `closed model: ${model.users} users, started ${model.spawnRate} a second, each waiting for its answer`,
    );
    const { measuredFromMs } = timingOf(inputs);
    lines.push(`  ${formatDuration(measuredFromMs)} not counted, then ${formatDuration(durationMs)}`);
  }
  for (const name of inputs.idle) lines.push(`\`${name}\` plays no part: the open model sends by the clock`);
  for (const { text, implied } of thresholds) lines.push(`threshold ${text}${implied ? " (always on)" : ""}`);
  lines.push(
    `${workers} load ${workers === 1 ? "thread" : "threads"}, request-timeout ${formatDuration(inputs.requestTimeoutMs)}`,
  );
  return lines;
}

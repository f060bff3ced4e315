import type { Cause } from "../../../lib/rollout/target.ts";
import type { Fleet, FleetAttempt } from "./fleet.ts";
import { quote } from "./shell.ts";
import { judgeNew, lookAll } from "./watch.ts";

const LOG_LINES = 20;

/** The same cause with what the failed release said last. */
export async function diagnoseHosts(
  fleet: Fleet,
  attempt: FleetAttempt,
  cause: Cause,
): Promise<readonly Cause[]> {
  const seen = await lookAll(fleet, attempt);
  const failing = seen.filter((item) => judgeNew(item) !== undefined);
  const evidence = [...(cause.evidence ?? [])];
  for (const { step } of failing.length > 0 ? failing : seen.slice(-1)) {
    const log = await fleet
      .session(step.name)
      .call(`service_log ${quote(step.release)} ${LOG_LINES}`, "reading the log");
    if (log !== "") evidence.push(`last log lines of ${step.release} on ${step.name}:`, ...log.split("\n"));
  }
  return [{ ...cause, evidence }];
}

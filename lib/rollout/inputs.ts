import type { InputReader } from "../inputs.ts";
import type { Options } from "./model.ts";

/** What a user says about a rollout; how often to look is the target's to know. */
export type RolloutInputs = Omit<Options, "pollMs" | "settleMs">;

/** The inputs that the three deploy actions share, `timeout` with its default of 30 minutes included. */
export function readRollout(read: InputReader): RolloutInputs {
  return {
    timeoutMs: read.optionalDuration("timeout", "m", { min: 1 }) ?? 30 * 60_000,
    rollback: read.bool("rollback", true),
    rollbackTimeoutMs: read.duration("rollback-timeout", "10m", "m", { min: 1000 }),
    onCancel: read.enumeration("on-cancel", ["rollback", "leave"], "rollback"),
    onConcurrent: read.enumeration("on-concurrent", ["wait", "fail", "supersede"], "wait"),
    dryRun: read.bool("dry-run", false),
  };
}

import { drive, type RolloutPorts, SAVED_AS } from "./driver.ts";
import { isWayBack, type RolloutState, type Step } from "./model.ts";
import { enter, finish, turnBack } from "./moves.ts";
import type { Cause, Target } from "./target.ts";
import { failureOf, fateOf } from "./verdict.ts";

const INTERRUPTED: Cause = { code: "INTERRUPTED", message: "the step ended in the middle of the rollout" };

/** The rollout that the main step left unfinished, or undefined: then there is nothing to do, not even to connect. */
export function unfinished(state: RolloutPorts["state"]): RolloutState | undefined {
  const saved = state.load(SAVED_AS) as RolloutState | undefined;
  if (saved?.version !== 1) return undefined;
  return saved.phase === "done" && saved.lock === "none" ? undefined : saved;
}

/**
 * Finishes or verifies what a main step left that was killed, in a fresh process
 * with nothing but its saved state. Idempotent: what it does is saved like the
 * main step's own. Throws a `Failure` when the target is not proven to serve.
 */
export async function resume(saved: RolloutState, target: Target, ports: RolloutPorts): Promise<void> {
  const state = await drive(target, takeUp(saved, ports.clock.now()), ports);
  const failure = failureOf(state, target.name);
  if (state.lock !== "none") ports.log.warn(`The lock on ${target.name} could not be given back.`);
  if (state.end?.kind === "rollback-failed") throw failure;
  if (saved.end) return;
  if (state.end?.kind === "left") ports.log.warn(failure.message);
  else ports.log.info(`After the end of the main step: ${fateOf(state, target.name)}.`);
}

/** Where a fresh process takes up a rollout whose process died; pure. */
export function takeUp(saved: RolloutState, now: number): Step {
  if (saved.end) return enter(saved, "release", now);
  const deadline = now + saved.options.rollbackTimeoutMs;
  if (isWayBack(saved)) {
    if (saved.revertedByTarget) return enter(saved, "watch-back", now, { deadline });
    return enter(saved, "roll-back", now, { deadline, backLost: true });
  }
  // The new version was proven when the step died: proving it again is less than undoing it.
  const proven = saved.phase === "commit" || saved.phase === "confirm";
  if (proven && !saved.cancelled) return enter(saved, "watch", now, { deadline });
  // Dying without a cause of its own is a cancel, and the same options decide.
  const state = {
    ...saved,
    cancelled: saved.cancelled || saved.cause === null,
    cause: saved.cause ?? INTERRUPTED,
  };
  switch (saved.phase) {
    case "inspect":
    case "plan":
    case "gate":
      return finish(state, { kind: "untouched" }, now);
    case "apply":
      return turnBack({ ...state, lostAt: now }, now);
    default:
      return turnBack(state, now);
  }
}

import type { Fault, RolloutState, Step } from "./model.ts";
import { again, enter, finish, keepWaiting, saying } from "./moves.ts";
import type { Cause, Observation, RollBackResult, VerifyResult } from "./target.ts";

/** The way back: watched and verified like the way forward, in a budget of its own. */

/** What `rollBack` did. */
export function rolledBack(state: RolloutState, result: RollBackResult, now: number): Step {
  switch (result.kind) {
    case "restored":
    case "started": {
      const backHandle = result.kind === "started" ? result.handle : state.attempt.backHandle;
      const attempt = { ...state.attempt, backHandle };
      return goneBack({ ...state, attempt, touched: "yes", ...(result.landed ? { lostAt: null } : {}) }, now);
    }
    case "untouched":
      return goneBack(result.final ? { ...state, lostAt: null } : state, now);
    case "moved":
      return finish(state, { kind: "superseded", by: result.by }, now);
    case "nothing-to-go-back-to":
      if (now < settledAt(state, now)) return again(state, now, settledAt(state, now) - now);
      return finish(state, { kind: "nothing-to-go-back-to", detail: result.detail }, now);
    case "failed":
      return stuck(state, result.cause, now);
  }
}

/** One look at the old version, during the watch or as the confirmation after its proof. */
export function observedBack(state: RolloutState, result: Observation, now: number): Step {
  switch (result.kind) {
    case "superseded":
      return finish(state, { kind: "superseded", by: result.by }, now);
    case "failed":
    case "stalled":
    case "denied":
    case "reverted-by-target":
      return stuck(state, result.cause, now);
    case "progressing":
      if (now >= state.deadline) return stuck(state, result.suspect ?? notBack(result.detail), now);
      return state.phase === "confirm-back"
        ? enter(state, "watch-back", now)
        : keepWaiting(state, result.detail, now);
    case "ready":
      return state.phase === "confirm-back"
        ? finish(state, { kind: "rolled-back" }, now)
        : saying(result.detail, enter(state, "verify-back", now));
  }
}

/** The health check of the old version ended. */
export function verifiedBack(state: RolloutState, result: VerifyResult, now: number): Step {
  if (result.kind === "failed") return stuck(state, result.cause, now);
  return saying(result.detail, enter(state, "confirm-back", now));
}

/** Only `rollBack` itself is asked again: it is idempotent, and each lost answer changes what "untouched" means. */
export function faultOnTheWayBack(state: RolloutState, fault: Fault, now: number): Step {
  const passing = fault.class === "transient" || fault.class === "timeout";
  if (state.phase === "roll-back" && passing && now < state.deadline) {
    return saying(`asking again: ${fault.cause.message}`, again({ ...state, backLost: true }, now));
  }
  return stuck(state, fault.cause, now);
}

/** When nothing that was sent can land any more. */
function settledAt(state: RolloutState, now: number): number {
  return state.lostAt === null ? now : state.lostAt + state.options.settleMs;
}

/**
 * As long as a lost `apply` may still land, going back once is not enough. After that, "untouched"
 * is the whole truth only when no answer is missing: after a change that was seen, or a lost way
 * back, it means "back already", which is still to be proven.
 */
function goneBack(state: RolloutState, now: number): Step {
  if (now < settledAt(state, now)) return again(state, now, settledAt(state, now) - now);
  if (state.touched !== "yes" && !state.backLost) return finish(state, { kind: "untouched" }, now);
  return enter(state, "watch-back", now, { touched: "yes" });
}

function stuck(state: RolloutState, cause: Cause, now: number): Step {
  return finish(state, { kind: "rollback-failed", cause }, now);
}

function notBack(detail: string): Cause {
  return { code: "TIMED_OUT", message: `the old version is not ready again: ${detail}` };
}

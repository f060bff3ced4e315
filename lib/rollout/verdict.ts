import type { Green } from "../action.ts";
import { Failure } from "../errors.ts";
import type { RolloutState } from "./model.ts";
import type { Cause } from "./target.ts";

/**
 * The verdict on a rollout that is done: returns the green outcome, throws a
 * `Failure` for all others. `cancelledLate` says that the cancel came after the
 * last point at which it could still change anything.
 */
export function conclude(state: RolloutState, target: string, cancelledLate = false): Green {
  const kind = state.end?.kind;
  if (kind === "unchanged" || kind === "planned" || (kind === "succeeded" && !cancelledLate)) return kind;
  throw failureOf(state, target);
}

/** The red verdict: what went wrong, then what became of the target, in one line. */
export function failureOf(state: RolloutState, target: string): Failure {
  const cause = state.cause ?? causeWithoutFault(state);
  const { end } = state;
  const second = end?.kind === "rollback-failed" ? end.cause : undefined;
  const fix = second
    ? `look after ${target} now, since neither version is proven to serve there: ${second.fix ?? second.message}`
    : cause.fix;
  return new Failure(`${cause.message}; ${fateOf(state, target)}`, {
    code: cause.code,
    outcome: outcomeOf(state),
    evidence: [...(cause.evidence ?? []), ...(second?.evidence ?? [])],
    ...(fix ? { fix } : {}),
  });
}

/** The `outcome` output of a rollout that is not green, as contracts name it. */
export function outcomeOf(state: RolloutState): string {
  const kind = state.end?.kind ?? "left";
  // A target that nobody can vouch for is the worse news.
  if (kind === "rollback-failed") return kind;
  if (state.cancelled || kind === "succeeded") return "cancelled";
  if (kind === "rolled-back" || kind === "superseded") return kind;
  return kind === "left" && state.timedOut && !state.options.rollback ? "timed-out" : "failed";
}

/** What became of the target, as the end of a sentence. */
export function fateOf(state: RolloutState, target: string): string {
  const { end, options } = state;
  switch (end?.kind) {
    case "succeeded":
      return `the new version is proven to serve on ${target}`;
    case "rolled-back":
      return state.revertedByTarget
        ? `${target} went back by itself, and what ran before is proven to serve`
        : `${target} was rolled back, and what ran before is proven to serve`;
    case "rollback-failed":
      return `rolling back ${target} failed too: ${end.cause.message}`;
    case "superseded":
      return `${end.by} has changed ${target} meanwhile, so nothing more was touched`;
    case "nothing-to-go-back-to":
      return `there was nothing on ${target} to go back to: ${end.detail}`;
    case "left": {
      if (state.touched === "no") return `nothing was changed on ${target}`;
      const why = options.rollback ? "`on-cancel` is `leave`" : "`rollback` is `false`";
      return `${target} was left ${state.touched === "maybe" ? "perhaps changed" : "changed"}, since ${why}`;
    }
    default:
      return `nothing was changed on ${target}`;
  }
}

function causeWithoutFault(state: RolloutState): Cause {
  if (state.end?.kind === "superseded") {
    return {
      code: "SUPERSEDED",
      message: "this rollout was superseded",
      fix: "look at the other run; run this one again if its version is the one that is wanted",
    };
  }
  return { code: "CANCELLED", message: "the run was cancelled as it ended" };
}

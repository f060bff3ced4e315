import { formatDuration } from "../clock.ts";
import type { RolloutState, Step } from "./model.ts";
import { again, enter, fail, finish, giveUp, keepWaiting, saying, turnBack } from "./moves.ts";
import type {
  ApplyResult,
  Cause,
  CommitResult,
  GateResult,
  Observation,
  PlanResult,
  VerifyResult,
} from "./target.ts";

/** The way forward: each function takes the answer that its phase was waiting for. */

/** What runs now is known. */
export function inspected(state: RolloutState, before: unknown, now: number): Step {
  return enter(state, "plan", now, { attempt: { ...state.attempt, before } });
}

/** The difference is known: nothing to do, only to show, or to be made once the way is free. */
export function planned(state: RolloutState, result: PlanResult, now: number): Step {
  if (result.kind === "refused") return giveUp(state, result.cause, now);
  if (result.kind === "unchanged") {
    const kind = state.options.dryRun ? "planned" : "unchanged";
    return saying(result.detail, finish(state, { kind }, now));
  }
  if (state.options.dryRun) return finish(state, { kind: "planned" }, now);
  const next = { ...state, attempt: { ...state.attempt, change: result.change }, stages: result.stages };
  if (next.lock !== "held") return enter(next, "gate", now, { lock: "asked" });
  if (now >= next.deadline) return giveUp(next, notReady(next, "the way was not free before", now), now);
  return applyStage(next, 0, now);
}

/** The way is free, or not yet. */
export function gated(state: RolloutState, result: GateResult, now: number): Step {
  if (state.cancelled) return finish(state, { kind: "untouched" }, now);
  if (result.kind === "refused") return giveUp(state, result.cause, now);
  // What was read before the wait may be old by now: read and plan again, behind the gate.
  if (result.kind === "clear") return enter(state, "inspect", now, { lock: "held" });
  if (state.options.onConcurrent === "fail" || now >= state.deadline) {
    return giveUp(state, concurrent(state, result.by, result.code, now), now);
  }
  return keepWaiting(state, `waiting for ${result.by}`, now);
}

/** A stage was applied, refused, or overtaken. */
export function applied(state: RolloutState, result: ApplyResult, now: number): Step {
  if (result.kind === "moved") return finish(withoutDoubt(state), { kind: "superseded", by: result.by }, now);
  if (result.kind === "not-applied") {
    return notApplied(state, result.cause, now);
  }
  const attempt = { ...state.attempt, handle: result.handle };
  const touched = result.quiet ? withoutDoubt(state).touched : "yes";
  const next: RolloutState = { ...state, attempt, touched, lostAt: null };
  return next.cancelled ? turnBack(next, now) : enter({ ...next, cause: null }, "watch", now);
}

/** `locate` may look too early: what is not there counts only once nothing can land any more. */
export function located(state: RolloutState, result: ApplyResult, now: number): Step {
  const waited = now - (state.lostAt ?? now);
  if (result.kind === "not-applied" && waited < state.options.settleMs) return again(state, now);
  // Theirs may have come after ours: only the answer of `apply` itself proves that nothing was touched.
  if (result.kind === "moved") return finish(state, { kind: "superseded", by: result.by }, now);
  return applied(state, result, now);
}

/** One look at the new version, during the watch or as the confirmation after the commit. */
export function observed(state: RolloutState, result: Observation, now: number): Step {
  switch (result.kind) {
    case "superseded":
      return finish(state, { kind: "superseded", by: result.by }, now);
    case "reverted-by-target":
      return fail(state, result.cause, now, { revertedByTarget: true });
    case "failed":
    case "stalled":
    case "denied":
      return fail(state, result.cause, now);
    case "progressing":
      if (now >= state.deadline) {
        return fail(state, result.suspect ?? notReady(state, result.detail, now), now, { timedOut: true });
      }
      // A confirmation that finds things moving proves nothing: the proof starts anew.
      return state.phase === "confirm" ? enter(state, "watch", now) : keepWaiting(state, result.detail, now);
    case "ready":
      return state.phase === "confirm"
        ? finish(state, { kind: "succeeded" }, now)
        : saying(result.detail, enter(state, "verify", now));
  }
}

/** The health check of the new version ended. */
export function verified(state: RolloutState, result: VerifyResult, now: number): Step {
  if (result.kind === "failed") return fail(state, result.cause, now);
  const stage = state.attempt.stage + 1;
  return saying(
    result.detail,
    stage < state.stages ? applyStage(state, stage, now) : enter(state, "commit", now),
  );
}

/** The proven change was made final; it is confirmed by one more look. */
export function committed(state: RolloutState, result: CommitResult, now: number): Step {
  if (state.cancelled) return turnBack(state, now);
  return result.kind === "failed" ? fail(state, result.cause, now) : enter(state, "confirm", now);
}

/** The failure is explained, as well as it can be. */
export function diagnosed(state: RolloutState, causes: readonly Cause[], now: number): Step {
  const [best, ...others] = causes;
  if (!best || !state.cause) return turnBack(state, now);
  const first = state.cause;
  const evidence = [
    ...(best.evidence ?? []),
    ...(best.message === first.message ? [] : [first.message]),
    ...(first.evidence ?? []),
    ...others.map((other) => `also possible: ${other.code}: ${other.message}`),
  ];
  const fix = best.fix ?? first.fix;
  const cause: Cause = { ...best, ...(fix ? { fix } : {}), evidence: [...new Set(evidence)] };
  return saying(`most likely cause: ${best.message}`, turnBack({ ...state, cause }, now));
}

function applyStage(state: RolloutState, stage: number, now: number): Step {
  const touched = state.touched === "no" ? "maybe" : state.touched;
  const step = enter(state, "apply", now, { attempt: { ...state.attempt, stage }, touched });
  return state.stages > 1 ? saying(`stage ${stage + 1} of ${state.stages}`, step) : step;
}

function notApplied(state: RolloutState, cause: Cause, now: number): Step {
  const next = withoutDoubt(state);
  if (next.touched === "no") return giveUp(next, cause, now);
  return fail(next, cause, now);
}

/** The last `apply` is known to have touched nothing. */
function withoutDoubt(state: RolloutState): RolloutState {
  return { ...state, lostAt: null, touched: state.touched === "maybe" ? "no" : state.touched };
}

function concurrent(state: RolloutState, by: string, code: string | undefined, now: number): Cause {
  const waited =
    state.options.onConcurrent === "fail" ? "" : ` after ${formatDuration(now - state.startedAt)}`;
  return {
    code: code ?? "CONCURRENT",
    message: `another rollout is still in progress${waited}: ${by}`,
    fix: "let it end and run again, raise `timeout`, or set `on-concurrent` to `supersede`",
  };
}

function notReady(state: RolloutState, detail: string, now: number): Cause {
  return {
    code: "TIMED_OUT",
    message: `not ready after ${formatDuration(now - state.startedAt)}: ${detail}`,
    fix: "find out what it waits for, or raise `timeout`",
  };
}

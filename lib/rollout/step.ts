import { faultOnTheWayBack, observedBack, rolledBack, verifiedBack } from "./back.ts";
import {
  applied,
  committed,
  diagnosed,
  gated,
  inspected,
  located,
  observed,
  planned,
  verified,
} from "./forward.ts";
import {
  type Event,
  type Fault,
  isWayBack,
  type Options,
  PHASES,
  type RolloutState,
  type Step,
} from "./model.ts";
import { enter, fail, finish, giveUp, saying, stay, turnBack } from "./moves.ts";
import type { Cause } from "./target.ts";

const CANCELLED: Cause = { code: "CANCELLED", message: "the run was cancelled" };

/** A rollout at its very beginning; its first effect reads what runs now. */
export function begin(options: Options, now: number): Step {
  const fresh: RolloutState = {
    version: 1,
    options,
    phase: "inspect",
    startedAt: now,
    deadline: now + options.timeoutMs,
    attempt: { before: null, change: null, stage: 0, handle: null, backHandle: null },
    stages: 1,
    lock: "none",
    touched: "no",
    lostAt: null,
    backLost: false,
    revertedByTarget: false,
    cancelled: false,
    timedOut: false,
    cause: null,
    looks: 0,
    said: { text: "", at: now },
    end: null,
  };
  return enter(fresh, "inspect", now);
}

/**
 * The rollout engine: one pure function. Given where a rollout is and what
 * happened at `now` (epoch milliseconds), it says where it is then and what is
 * to be done. Throws only on an answer that nobody asked for, a defect of the driver.
 */
export function step(state: RolloutState, event: Event, now: number): Step {
  if (event.kind === "cancel") return cancel(state, now);
  if (event.kind === "fault") return fault(state, event, now);
  if (state.phase === "done" || PHASES[state.phase].call !== event.kind) {
    throw new Error(`rollout: the answer \`${event.kind}\` does not belong to the phase \`${state.phase}\``);
  }
  switch (event.kind) {
    case "inspect":
      return inspected(state, event.before, now);
    case "plan":
      return planned(state, event.result, now);
    case "gate":
      return gated(state, event.result, now);
    case "apply":
      return applied(state, event.result, now);
    case "locate":
      return located(state, event.result, now);
    case "observe":
      return (isWayBack(state) ? observedBack : observed)(state, event.result, now);
    case "verify":
      return (isWayBack(state) ? verifiedBack : verified)(state, event.result, now);
    case "commit":
      return committed(state, event.result, now);
    case "diagnose":
      return diagnosed(state, event.causes, now);
    case "rollBack":
      return rolledBack(state, event.result, now);
    case "release":
      return { state: { ...state, phase: "done", lock: "none" }, effects: [] };
  }
}

/** A cancel turns the rollout round at once; a call that writes is stopped first, since its answer matters. */
function cancel(state: RolloutState, now: number): Step {
  if (state.cancelled || state.end) return stay(state);
  const next: RolloutState = { ...state, cancelled: true, cause: state.cause ?? CANCELLED };
  if (isWayBack(state)) return stay(next);
  switch (state.phase) {
    case "inspect":
    case "plan":
      return finish(next, { kind: "untouched" }, now);
    case "gate":
    case "apply":
    case "commit":
      return { state: next, effects: [{ kind: "interrupt" }] };
    default:
      return turnBack(next, now);
  }
}

/** A call without an answer: what it means depends on what was being asked. */
function fault(state: RolloutState, event: Fault, now: number): Step {
  if (isWayBack(state)) return faultOnTheWayBack(state, event, now);
  const cause = state.cause ?? event.cause;
  switch (state.phase) {
    case "inspect":
    case "plan":
    case "gate":
      return giveUp(state, cause, now);
    case "apply": {
      const lost: RolloutState = { ...state, cause, lostAt: now };
      return saying(
        `the answer was lost: ${event.cause.message}`,
        lost.cancelled ? turnBack(lost, now) : enter(lost, "locate", now),
      );
    }
    case "locate":
    case "diagnose":
      return turnBack({ ...state, cause }, now);
    case "release":
      // The verdict stands; the lock stays on record, for the post step to try again.
      return saying(`not released: ${event.cause.message}`, {
        state: { ...state, phase: "done" },
        effects: [],
      });
    default:
      return fail(state, cause, now, { timedOut: event.class === "timeout" });
  }
}

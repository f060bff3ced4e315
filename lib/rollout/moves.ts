import { formatDuration } from "../clock.ts";
import { type Effect, type End, PHASES, type Phase, type RolloutState, type Step } from "./model.ts";
import type { Cause } from "./target.ts";

/** Each call gets at least this long, milliseconds: a look at the very end of a budget is still a look. */
const LEAST_CALL_MS = 10_000;
/** Reading what runs must not eat the whole budget of a deploy. */
const INSPECT_MS = 120_000;
/** The way back waits no longer than this for an explanation. */
const DIAGNOSE_MS = 15_000;
const RELEASE_MS = 10_000;
/** The first look comes this soon after the last event, then ever slower up to the ceiling. */
const FIRST_POLL_MS = 1000;
/** Something is said at least this often during a wait. */
const SAY_EVERY_MS = 30_000;

type Patch = Partial<Omit<RolloutState, "phase" | "options" | "version">>;

/** Goes to a phase and makes its call. */
export function enter(
  state: RolloutState,
  phase: Exclude<Phase, "done">,
  now: number,
  patch: Patch = {},
): Step {
  const next = { ...state, looks: 0, ...patch, phase };
  return { state: next, effects: [callOf(next, phase, 0, now)] };
}

/** Makes the call of the same phase once more, `after` milliseconds from now. */
export function again(state: RolloutState, now: number, after = nextPoll(state, now)): Step {
  if (state.phase === "done") return stay(state);
  const next = { ...state, looks: state.looks + 1 };
  return { state: next, effects: [callOf(next, state.phase, after, now)] };
}

/** Changes nothing: the call that is out goes on. */
export function stay(state: RolloutState): Step {
  return { state, effects: [] };
}

/** The same step with a line for the log before it. */
export function saying(text: string, step: Step): Step {
  return { state: step.state, effects: [{ kind: "say", text }, ...step.effects] };
}

/** Waits for the next look; tells what is being waited for when that changed or nothing was said for long. */
export function keepWaiting(state: RolloutState, text: string, now: number): Step {
  if (text === state.said.text && now - state.said.at < SAY_EVERY_MS) return again(state, now);
  const line = `${text} (${formatDuration(now - state.startedAt)} since the start)`;
  return saying(line, again({ ...state, said: { text, at: now } }, now));
}

/** The verdict is in; what the gate took is given back first. */
export function finish(state: RolloutState, end: End, now: number): Step {
  const next: RolloutState = { ...state, end, touched: end.kind === "untouched" ? "no" : state.touched };
  if (state.lock !== "none") return enter(next, "release", now);
  return { state: { ...next, phase: "done" }, effects: [] };
}

/** Ends red with the target as it was. */
export function giveUp(state: RolloutState, cause: Cause, now: number): Step {
  return finish({ ...state, cause: state.cause ?? cause }, { kind: "untouched" }, now);
}

/** The change is no good: explain it, then go back. A cancelled run has no time for explanations. */
export function fail(state: RolloutState, cause: Cause, now: number, patch: Patch = {}): Step {
  const next: RolloutState = { ...state, ...patch, cause: state.cause ?? cause };
  return saying(cause.message, next.cancelled ? turnBack(next, now) : enter(next, "diagnose", now));
}

/** Goes back, watches the target do it by itself, or leaves things, as the options say. */
export function turnBack(state: RolloutState, now: number): Step {
  const { rollback, onCancel, rollbackTimeoutMs } = state.options;
  if (state.cancelled && onCancel === "leave") return finish(state, { kind: "left" }, now);
  const deadline = now + rollbackTimeoutMs;
  if (state.revertedByTarget) return enter(state, "watch-back", now, { deadline });
  if (!rollback) return finish(state, { kind: "left" }, now);
  return enter(state, "roll-back", now, { deadline });
}

function callOf(state: RolloutState, phase: Exclude<Phase, "done">, after: number, now: number): Effect {
  const start = now + after;
  return { kind: "call", call: PHASES[phase].call, after, until: budgetEnd(state, phase, start) };
}

function budgetEnd(state: RolloutState, phase: Phase, start: number): number {
  if (phase === "diagnose") return start + DIAGNOSE_MS;
  if (phase === "release") return start + RELEASE_MS;
  const end = phase === "inspect" ? Math.min(state.deadline, start + INSPECT_MS) : state.deadline;
  return Math.max(end, start + LEAST_CALL_MS);
}

function nextPoll(state: RolloutState, now: number): number {
  const pace = Math.min(state.options.pollMs, FIRST_POLL_MS * 1.5 ** state.looks);
  const left = state.deadline - now;
  return Math.round(left > 0 ? Math.min(pace, left) : pace);
}

import type {
  ApplyResult,
  Attempt,
  Cause,
  CommitResult,
  FaultClass,
  GateResult,
  Observation,
  PlanResult,
  RollBackResult,
  VerifyResult,
} from "./target.ts";

/** How a rollout is to go; all durations in milliseconds. The names are those of the shared inputs. */
export interface Options {
  /** Budget of gate, apply, watch and verify together. */
  readonly timeoutMs: number;
  readonly rollback: boolean;
  /** Budget of the way back, counted from its own start. */
  readonly rollbackTimeoutMs: number;
  readonly onCancel: "rollback" | "leave";
  readonly onConcurrent: "wait" | "fail" | "supersede";
  /** Ceiling between two looks; the first ones come faster. */
  readonly pollMs: number;
  /** How long a lost `apply` may still land and reads may still be stale: so long "not there" is not believed. */
  readonly settleMs: number;
  readonly dryRun: boolean;
}

/** Where a rollout is. Each phase but `done` waits for the answer to one call. */
export type Phase =
  | "inspect"
  | "plan"
  | "gate"
  | "apply"
  | "locate"
  | "watch"
  | "verify"
  | "commit"
  | "confirm"
  | "diagnose"
  | "roll-back"
  | "watch-back"
  | "verify-back"
  | "confirm-back"
  | "release"
  | "done";

/** The methods of a target, as names. */
export type CallName =
  | "inspect"
  | "plan"
  | "gate"
  | "apply"
  | "locate"
  | "observe"
  | "verify"
  | "commit"
  | "diagnose"
  | "rollBack"
  | "release";

/** What each phase calls, and its title in the log and the report. */
export const PHASES: Readonly<Record<Exclude<Phase, "done">, { call: CallName; title: string }>> = {
  inspect: { call: "inspect", title: "inspect" },
  plan: { call: "plan", title: "plan" },
  gate: { call: "gate", title: "gate" },
  apply: { call: "apply", title: "apply" },
  locate: { call: "locate", title: "apply" },
  watch: { call: "observe", title: "watch" },
  verify: { call: "verify", title: "verify" },
  commit: { call: "commit", title: "commit" },
  confirm: { call: "observe", title: "commit" },
  diagnose: { call: "diagnose", title: "diagnose" },
  "roll-back": { call: "rollBack", title: "roll back" },
  "watch-back": { call: "observe", title: "watch the old version" },
  "verify-back": { call: "verify", title: "verify the old version" },
  "confirm-back": { call: "observe", title: "verify the old version" },
  release: { call: "release", title: "release" },
};

/** What became of the target, whatever the reason. */
export type End =
  | { readonly kind: "succeeded" | "unchanged" | "planned" | "untouched" | "left" | "rolled-back" }
  | { readonly kind: "rollback-failed"; readonly cause: Cause }
  | { readonly kind: "superseded"; readonly by: string }
  | { readonly kind: "nothing-to-go-back-to"; readonly detail: string };

/** A rollout at one moment: plain JSON, everything that a fresh process needs to go on. */
export interface RolloutState {
  readonly version: 1;
  readonly options: Options;
  readonly phase: Phase;
  /** Milliseconds since the epoch, as all times here. */
  readonly startedAt: number;
  /** When the budget ends: of the way forward, then of the way back. */
  readonly deadline: number;
  readonly attempt: Attempt;
  readonly stages: number;
  /** `asked` until `gate` said clear: the lock is perhaps held. */
  readonly lock: "none" | "asked" | "held";
  /** Whether this run changed anything; `maybe` while the answer of the first `apply` is out. */
  readonly touched: "no" | "maybe" | "yes";
  /** When the answer of an `apply` was lost; null when none is missing. */
  readonly lostAt: number | null;
  /** An earlier `rollBack` was sent and its answer lost. */
  readonly backLost: boolean;
  readonly revertedByTarget: boolean;
  readonly cancelled: boolean;
  readonly timedOut: boolean;
  /** Why the run is red; null while nothing is wrong. */
  readonly cause: Cause | null;
  /** Looks since the phase was entered. */
  readonly looks: number;
  readonly said: { readonly text: string; readonly at: number };
  readonly end: End | null;
}

/** A call that brought no answer. `timeout`: its budget ended; `interrupted`: it was stopped because of a cancel. */
export interface Fault {
  readonly kind: "fault";
  readonly class: FaultClass | "timeout" | "interrupted";
  readonly cause: Cause;
}

/** What can happen to a rollout: the answer to its call, a fault instead of it, or a cancel at any time. */
export type Event =
  | { readonly kind: "cancel" }
  | Fault
  | { readonly kind: "inspect"; readonly before: unknown }
  | { readonly kind: "plan"; readonly result: PlanResult }
  | { readonly kind: "gate"; readonly result: GateResult }
  | { readonly kind: "apply" | "locate"; readonly result: ApplyResult }
  | { readonly kind: "observe"; readonly result: Observation }
  | { readonly kind: "verify"; readonly result: VerifyResult }
  | { readonly kind: "commit"; readonly result: CommitResult }
  | { readonly kind: "diagnose"; readonly causes: readonly Cause[] }
  | { readonly kind: "rollBack"; readonly result: RollBackResult }
  | { readonly kind: "release" };

/** What the driver is to do. At most one `call` per step; a new one takes the place of the one that is out. */
export type Effect =
  /** Call the target after so many milliseconds; give up at `until` (epoch milliseconds). */
  | { readonly kind: "call"; readonly call: CallName; readonly after: number; readonly until: number }
  /** Stop the call that is out and report how it ended: it writes, so its answer matters. */
  | { readonly kind: "interrupt" }
  | { readonly kind: "say"; readonly text: string };

/** One step of the machine. */
export interface Step {
  readonly state: RolloutState;
  readonly effects: readonly Effect[];
}

/** Whether the rollout is on its way back. */
export function isWayBack(state: RolloutState): boolean {
  return ["roll-back", "watch-back", "verify-back", "confirm-back"].includes(state.phase);
}

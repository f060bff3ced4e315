/**
 * What a rollout does things to: a set of hosts, an ECS service, a namespace.
 * A target answers questions and makes single moves; when to make which move,
 * how often to ask and what to conclude is the engine's.
 *
 * `Before`, `Change` and `Handle` are plain JSON without secrets: they are saved
 * for the post step, which is a fresh process that has nothing else.
 */
export interface Target<Before = unknown, Change = unknown, Handle = unknown> {
  /** Who it is, as a person says it (`service shop on cluster prod`); used in messages. */
  readonly name: string;

  /** Reads what runs now. */
  inspect(call: Call): Promise<Before>;

  /** The difference between what runs and what is wanted; pure, no I/O. */
  plan(before: Before): PlanResult<Change>;

  /**
   * Looks once whether the way is free and takes the target's lock where it has one.
   * `supersede` takes it from whoever holds it. Re-entrant: a lock that this run holds
   * already is `clear`. The target renews its lease by itself until `release`. After
   * `clear` everything is inspected and planned again: the holder's name must not depend on `change`.
   */
  gate(attempt: Attempt<Before, Change, Handle>, mode: GateMode, call: Call): Promise<GateResult>;

  /**
   * Makes the change of stage `attempt.stage`, if the target still is as `before` (and
   * `handle`, which holds the stages already applied) say: compare-and-swap. Never called
   * twice for a stage. To throw is to say "perhaps applied".
   */
  apply(attempt: Attempt<Before, Change, Handle>, call: Call): Promise<ApplyResult<Handle>>;

  /**
   * What became of an `apply` whose answer was lost; only reads. What landed and was undone
   * by the target since is `applied` (`observe` then tells the rest).
   */
  locate(attempt: Attempt<Before, Change, Handle>, call: Call): Promise<ApplyResult<Handle>>;

  /** Looks once at this run's deployment (aim `new`) or at the way back (aim `old`), never at "the newest". */
  observe(attempt: Attempt<Before, Change, Handle>, aim: Aim, call: Call): Promise<Observation>;

  /**
   * The whole health check, its consecutive passes and its own budget included. With aim
   * `old` only the status counts. A target that was given no check answers `proven` and says so.
   */
  verify(attempt: Attempt<Before, Change, Handle>, aim: Aim, call: Call): Promise<VerifyResult>;

  /** Makes the proven change final (verdict to the host, pruning). Idempotent; still possible to roll back after. */
  commit(attempt: Attempt<Before, Change, Handle>, call: Call): Promise<CommitResult>;

  /** Explains a failure, best explanation first; only reads; an empty list when it knows no better. */
  diagnose(attempt: Attempt<Before, Change, Handle>, cause: Cause, call: Call): Promise<readonly Cause[]>;

  /**
   * Puts back what ran before, by compare-and-swap against this run's own change, all stages of it.
   * Idempotent: it is asked again when its answer was lost. Must work without a handle.
   */
  rollBack(attempt: Attempt<Before, Change, Handle>, call: Call): Promise<RollBackResult<Handle>>;

  /** Gives back what `gate` took, if this run holds it. Idempotent. */
  release(attempt: Attempt<Before, Change, Handle>, call: Call): Promise<void>;

  /** What a thrown error means, where the general rule of faults.ts does not know it. */
  classify?(error: unknown): FaultClass | undefined;
}

/** One call of the engine: stop when `signal` is aborted; `until` (milliseconds since the epoch) is when it will be. */
export interface Call {
  readonly signal: AbortSignal;
  readonly until: number;
}

/** Everything that one run knows about its own change. */
export interface Attempt<Before = unknown, Change = unknown, Handle = unknown> {
  /** What ran before; read again after the gate, so nothing came between. */
  readonly before: Before;
  /** Carries what is needed to recognise this run's change later, even when `handle` was lost. */
  readonly change: Change;
  /** From 0: the stage that is being applied or was applied last. */
  readonly stage: number;
  /** From the last `apply` that answered; null before. */
  readonly handle: Handle | null;
  /** From `rollBack`, where the way back is a deployment of its own. */
  readonly backHandle: Handle | null;
}

/** Which version is meant: the one of this run, or the one that ran before. */
export type Aim = "new" | "old";

/** How `gate` treats another rollout. */
export type GateMode = "respect" | "supersede";

/** Why something is red. */
export interface Cause {
  /** Stable, upper case, documented by the action (`START_FAILED`). */
  readonly code: string;
  /** One line, no full stop. */
  readonly message: string;
  readonly fix?: string;
  /** Lines that prove it. */
  readonly evidence?: readonly string[];
}

/**
 * `transient` (throttle, 5xx, reset, time-out) is asked again; `denied` and
 * `permanent` are not.
 */
export type FaultClass = "transient" | "denied" | "permanent";

/** What `plan` finds. */
export type PlanResult<Change = unknown> =
  | { readonly kind: "unchanged"; readonly detail: string }
  | {
      readonly kind: "change";
      readonly change: Change;
      /** For the log and the summary, one line per difference; no secrets. */
      readonly lines: readonly string[];
      /** Applied, watched and verified one after the other (batches, weights); at least 1. */
      readonly stages: number;
    }
  | { readonly kind: "refused"; readonly cause: Cause };

/** What `gate` finds. */
export type GateResult =
  | { readonly kind: "clear" }
  /** `by` names the other rollout; `code` becomes the failure code when waiting ends (default `CONCURRENT`). */
  | { readonly kind: "busy"; readonly by: string; readonly code?: string }
  | { readonly kind: "refused"; readonly cause: Cause };

/** What `apply` did, or what `locate` found it had done. */
export type ApplyResult<Handle = unknown> =
  /** `quiet`: nothing of this stage touches what serves (something was registered, a task beside it ran). */
  | { readonly kind: "applied"; readonly handle: Handle; readonly quiet?: true }
  /** Certain that nothing of this stage reached what serves (a refused request, a broken upload). */
  | { readonly kind: "not-applied"; readonly cause: Cause }
  /** Someone else has moved the target since it was inspected: this stage touched nothing. */
  | { readonly kind: "moved"; readonly by: string };

/** What `observe` sees. A read that shows the target as it was before this run's change is `progressing`. */
export type Observation =
  /** `suspect` is the failure to report should the budget end with this as the last word. */
  | { readonly kind: "progressing"; readonly detail: string; readonly suspect?: Cause }
  | { readonly kind: "ready"; readonly detail: string }
  | { readonly kind: "failed"; readonly cause: Cause }
  /** The target's own mechanism has begun or ended going back (circuit breaker, a host's lease). */
  | { readonly kind: "reverted-by-target"; readonly cause: Cause }
  /** Someone else's change is in place or on its way: nothing here is ours any more. */
  | { readonly kind: "superseded"; readonly by: string }
  | { readonly kind: "stalled"; readonly cause: Cause }
  | { readonly kind: "denied"; readonly cause: Cause };

/** How the health check ended. */
export type VerifyResult =
  | { readonly kind: "proven"; readonly detail: string }
  | { readonly kind: "failed"; readonly cause: Cause };

/** Whether the change is final. */
export type CommitResult =
  | { readonly kind: "committed" }
  | { readonly kind: "failed"; readonly cause: Cause };

/** What `rollBack` did. */
export type RollBackResult<Handle = unknown> =
  /**
   * Done or begun; the engine watches and verifies it either way. `landed`: this run's change was
   * there, so an `apply` whose answer was lost is found, and nothing more of it can come.
   */
  | { readonly kind: "restored"; readonly landed?: true }
  | { readonly kind: "started"; readonly handle: Handle; readonly landed?: true }
  /** The target is as it was: this run's change never landed; `final`: it was never sent, so it never will. */
  | { readonly kind: "untouched"; readonly final?: true }
  /** Someone else has moved the target since: nothing was touched. */
  | { readonly kind: "moved"; readonly by: string }
  /** A first deployment: `detail` says how the target was left (`the new process was stopped`). */
  | { readonly kind: "nothing-to-go-back-to"; readonly detail: string }
  | { readonly kind: "failed"; readonly cause: Cause };

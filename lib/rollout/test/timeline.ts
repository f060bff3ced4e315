import type { CallName, Effect, Event, Options, RolloutState } from "../model.ts";
import { begin, step } from "../step.ts";
import type { Cause, Observation } from "../target.ts";
import { conclude, failureOf } from "../verdict.ts";

/** An event so many milliseconds after the one before. */
export type Moment = Event | readonly [number, Event];

/** A cause whose code says everything. */
export function cause(code: string): Cause {
  return { code, message: code.toLowerCase() };
}

const see = (result: Observation): Event => ({ kind: "observe", result });
const faulty = (kind: "transient" | "denied" | "permanent" | "timeout" | "interrupted"): Event => ({
  kind: "fault",
  class: kind,
  cause: cause(`FAULT_${kind.toUpperCase()}`),
});

/** Every event that timelines are written with. */
export const on = {
  cancel: { kind: "cancel" },
  transient: faulty("transient"),
  denied: faulty("denied"),
  timeout: faulty("timeout"),
  interrupted: faulty("interrupted"),
  inspected: { kind: "inspect", before: "v1" },
  unchanged: { kind: "plan", result: { kind: "unchanged", detail: "same" } },
  change: { kind: "plan", result: { kind: "change", change: "v2", lines: ["v1 -> v2"], stages: 1 } },
  stages: { kind: "plan", result: { kind: "change", change: "v2", lines: ["v1 -> v2"], stages: 2 } },
  planRefused: { kind: "plan", result: { kind: "refused", cause: cause("STALE_RUN") } },
  clear: { kind: "gate", result: { kind: "clear" } },
  busy: { kind: "gate", result: { kind: "busy", by: "run 7", code: "LOCKED" } },
  gateRefused: { kind: "gate", result: { kind: "refused", cause: cause("ACCESS_DENIED") } },
  applied: { kind: "apply", result: { kind: "applied", handle: "d1" } },
  prepared: { kind: "apply", result: { kind: "applied", handle: "d0", quiet: true } },
  notApplied: { kind: "apply", result: { kind: "not-applied", cause: cause("DISK_FULL") } },
  applyMoved: { kind: "apply", result: { kind: "moved", by: "run 8" } },
  found: { kind: "locate", result: { kind: "applied", handle: "d1" } },
  notFound: { kind: "locate", result: { kind: "not-applied", cause: cause("NOT_THERE") } },
  foundMoved: { kind: "locate", result: { kind: "moved", by: "run 8" } },
  progressing: see({ kind: "progressing", detail: "1 of 2" }),
  suspect: see({ kind: "progressing", detail: "1 of 2", suspect: cause("NO_CAPACITY") }),
  ready: see({ kind: "ready", detail: "2 of 2" }),
  failed: see({ kind: "failed", cause: cause("START_FAILED") }),
  stalled: see({ kind: "stalled", cause: cause("STALLED") }),
  forbidden: see({ kind: "denied", cause: cause("CREDENTIALS_EXPIRED") }),
  reverted: see({ kind: "reverted-by-target", cause: cause("BREAKER") }),
  superseded: see({ kind: "superseded", by: "run 8" }),
  proven: { kind: "verify", result: { kind: "proven", detail: "3 passes" } },
  unhealthy: { kind: "verify", result: { kind: "failed", cause: cause("HEALTH_CHECK_FAILED") } },
  committed: { kind: "commit", result: { kind: "committed" } },
  commitFailed: { kind: "commit", result: { kind: "failed", cause: cause("COMMIT_FAILED") } },
  noIdea: { kind: "diagnose", causes: [] },
  explained: { kind: "diagnose", causes: [cause("OUT_OF_MEMORY"), cause("BAD_LUCK")] },
  restored: { kind: "rollBack", result: { kind: "restored" } },
  neverSent: { kind: "rollBack", result: { kind: "untouched", final: true } },
  restoredFound: { kind: "rollBack", result: { kind: "restored", landed: true } },
  started: { kind: "rollBack", result: { kind: "started", handle: "b1" } },
  untouched: { kind: "rollBack", result: { kind: "untouched" } },
  moved: { kind: "rollBack", result: { kind: "moved", by: "run 8" } },
  nothing: { kind: "rollBack", result: { kind: "nothing-to-go-back-to", detail: "it was stopped" } },
  notRestored: { kind: "rollBack", result: { kind: "failed", cause: cause("NO_WAY_BACK") } },
  released: { kind: "release" },
} as const satisfies Record<string, Event>;

/** Timelines begin like these. */
export const upTo = {
  gate: [on.inspected, on.change],
  apply: [on.inspected, on.change, on.clear, on.inspected, on.change],
  watch: [on.inspected, on.change, on.clear, on.inspected, on.change, on.applied],
  verify: [on.inspected, on.change, on.clear, on.inspected, on.change, on.applied, on.ready],
  commit: [on.inspected, on.change, on.clear, on.inspected, on.change, on.applied, on.ready, on.proven],
} as const satisfies Record<string, readonly Event[]>;

/** A rollback that goes well, from the answer to `rollBack` on. */
export const goesBack = [on.restored, on.ready, on.proven, on.ready, on.released] as const;

export const OPTIONS: Options = {
  timeoutMs: 60_000,
  rollback: true,
  rollbackTimeoutMs: 30_000,
  onCancel: "rollback",
  onConcurrent: "wait",
  pollMs: 5000,
  settleMs: 4000,
  dryRun: false,
};

/** What the machine asked for, in order; an interrupt is written `!`. */
export interface Played {
  readonly state: RolloutState;
  readonly calls: string;
  readonly last: readonly Effect[];
  readonly lines: readonly string[];
}

/** Plays a timeline through the machine from its very beginning. */
export function play(moments: readonly Moment[], options: Partial<Options> = {}): Played {
  let now = 0;
  let { state, effects } = begin({ ...OPTIONS, ...options }, now);
  const calls: (CallName | "!")[] = [];
  const lines: string[] = [];
  const note = () => {
    for (const effect of effects) {
      if (effect.kind === "call") calls.push(effect.call);
      else if (effect.kind === "interrupt") calls.push("!");
      else lines.push(effect.text);
    }
  };
  note();
  for (const moment of moments) {
    const [ms, event] = "kind" in moment ? [0, moment] : moment;
    now += ms;
    // What cannot be saved and loaded is not state.
    ({ state, effects } = step(JSON.parse(JSON.stringify(state)) as RolloutState, event, now));
    note();
  }
  return { state, calls: calls.join(" "), last: effects, lines };
}

/** A timeline and what must come of it. */
export interface Row {
  readonly name: string;
  readonly options?: Partial<Options>;
  readonly moments: readonly Moment[];
  /** Every call that the machine asks for, in order; an interrupt is written `!`. */
  readonly calls: string;
  /** Outcome, failure code, and whether something was changed. */
  readonly ends: readonly [outcome: string, code: string, touched: "no" | "maybe" | "yes"];
}

/** What all rollouts that change something call first, and all ways back that go well call last. */
export const START = "inspect plan gate inspect plan apply ";
export const BACK = "rollBack observe verify observe release";

/** How a timeline ended, as `Row.ends` writes it; undefined while it is not over. */
export function endOf({ state }: Played): Row["ends"] | undefined {
  if (state.phase !== "done") return undefined;
  if (["succeeded", "unchanged", "planned"].includes(state.end?.kind ?? "")) {
    return [conclude(state, "shop"), "", state.touched];
  }
  const { outcome, code } = failureOf(state, "shop");
  return [outcome, code, state.touched];
}

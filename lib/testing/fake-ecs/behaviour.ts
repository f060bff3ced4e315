/** What becomes of a task that is started from an image or a revision. All times are milliseconds of the world. */
export type Behaviour =
  /** Runs, and is healthy `healthyAfterMs` (default 5 s) after it runs. As a one-off task it runs until stopped. */
  | { readonly kind: "good"; readonly healthyAfterMs?: number; readonly logs?: readonly string[] }
  | { readonly kind: "image-not-found" }
  | { readonly kind: "image-denied" }
  | { readonly kind: "secret-not-found"; readonly secret?: string }
  | { readonly kind: "secret-denied"; readonly secret?: string }
  /**
   * The essential container ends with `code`. Without `afterMs` before the task was RUNNING, which counts as a
   * failed task; with it after so long in RUNNING, which ECS does not count and which sets its count to 0.
   * `codes` sets single containers; null: that container never got an exit code.
   */
  | {
      readonly kind: "exits";
      readonly code: number;
      readonly afterMs?: number;
      readonly logs?: readonly string[];
      readonly codes?: Readonly<Record<string, number | null>>;
      readonly reason?: string;
    }
  | { readonly kind: "out-of-memory"; readonly afterMs?: number; readonly logs?: readonly string[] }
  | { readonly kind: "container-unhealthy"; readonly afterMs?: number; readonly logs?: readonly string[] }
  | {
      readonly kind: "target-unhealthy";
      /** ELB's reason code; default `Target.ResponseCodeMismatch`. */
      readonly reason?: "Target.ResponseCodeMismatch" | "Target.Timeout" | "Target.FailedHealthChecks";
      readonly description?: string;
      readonly afterMs?: number;
      readonly logs?: readonly string[];
    }
  /** No task can be placed; for `forMs` (default for ever) since the deployment began. */
  | {
      readonly kind: "no-capacity";
      readonly forMs?: number;
      readonly reason?: string;
      readonly counts?: boolean;
    }
  /** Stays PENDING for ever. */
  | { readonly kind: "stuck" }
  /** Runs, then the capacity is taken away, which is nobody's fault. */
  | { readonly kind: "interrupted"; readonly afterMs: number }
  /** The nth task of the deployment behaves as the nth of `of`; the last one stays. */
  | { readonly kind: "sequence"; readonly of: readonly Behaviour[] };

/** Whether a behaviour holds for tasks of services, for one-off tasks, or for both. */
export type Role = "service" | "task";

/** Which tasks: an image (exact, or a pattern on it), or a revision as `family:revision` or its ARN. */
export type BehaviourKey = string | RegExp;

interface Rule {
  readonly key: BehaviourKey;
  readonly role: Role | undefined;
  readonly behaviour: Behaviour;
}

/** The table of behaviours. A later rule wins over an earlier one. */
export class Behaviours {
  private rules: Rule[] = [];

  set(key: BehaviourKey, behaviour: Behaviour, role?: Role): void {
    this.rules = [{ key, role, behaviour }, ...this.rules];
  }

  /** What the `nth` task (from 0) of a deployment of `revision` with `images` does. */
  find(revisionArn: string, images: readonly string[], role: Role, nth: number): Behaviour {
    const revision = revisionArn.split("task-definition/").at(-1) ?? "";
    const names = [revisionArn, revision, ...images];
    const rule = this.rules.find(
      ({ key, role: only }) =>
        (only === undefined || only === role) &&
        names.some((name) => (typeof key === "string" ? key === name : key.test(name))),
    );
    const fallback: Behaviour =
      role === "task" ? { kind: "exits", code: 0, afterMs: 3000 } : { kind: "good" };
    return resolve(rule?.behaviour ?? fallback, nth);
  }
}

function resolve(behaviour: Behaviour, nth: number): Behaviour {
  if (behaviour.kind !== "sequence") return behaviour;
  const chosen = behaviour.of[Math.min(nth, behaviour.of.length - 1)];
  return chosen === undefined ? { kind: "good" } : resolve(chosen, 0);
}

import type { ActResult } from "./act.ts";
import type { LoadEvidence, StageEvidence } from "./evidence.ts";

/** A stage as the table and the page show it, whatever it delivered to: a host, a registry, a cluster. */
export interface Shown {
  readonly key: string;
  readonly title: string;
  /** What happened, one sentence (`Commit "Version 2"`). */
  readonly story: string;
  readonly promised: string;
  readonly outcome: string;
  /** Why it is red; "" when it is green. */
  readonly reason: string;
  /** What is true afterwards, one sentence. */
  readonly afterwards: string;
  readonly seconds: number;
  readonly load: LoadEvidence | undefined;
  readonly delivery: ActResult | undefined;
  /** Milliseconds since the epoch: pushed, built (or failed), approved, ended. */
  readonly pushedAt: number;
  readonly builtAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Why the promise was not kept; empty when it was. */
  readonly broken: readonly string[];
}

/** A delivery to the host, as it is shown. */
export function showDelivery(evidence: StageEvidence): Shown {
  const { stage, serving, current } = evidence;
  return {
    ...evidence,
    key: stage.key,
    title: stage.title,
    story: `Commit “${stage.message}”`,
    promised: stage.promised,
    afterwards: `Version ${serving || "none"} serves (release ${current || "none"})`,
  };
}

import type { AwsCallOptions } from "../../../lib/aws/call.ts";
import type { EcsApi } from "./api/ecs.ts";

/** What must not be pruned, and how much is kept. */
export interface PruneRules {
  /** The newest revisions that are kept; 0: nothing is pruned. */
  readonly keep: number;
  /** ARNs that something runs, goes back to, or is scheduled to run. */
  readonly used: ReadonlySet<string>;
}

/** Revisions pruned in one run at most: a family of thousands is cleared over some runs, within the step's time. */
const MOST = 50;

/** The revisions to deregister, oldest first; pure. `revisions` are all ACTIVE ones of one family, in any order. */
export function staleRevisions(revisions: readonly string[], { keep, used }: PruneRules): readonly string[] {
  if (keep <= 0) return [];
  const newestFirst = [...revisions].sort((a, b) => numberOf(b) - numberOf(a));
  return newestFirst
    .slice(keep)
    .filter((arn) => !used.has(arn) && numberOf(arn) > 0)
    .reverse()
    .slice(0, MOST);
}

/**
 * Deregisters what is stale of a family; the ARNs that were. A revision that is not listed by exactly this
 * family (ListTaskDefinitions takes a family's whole name) is not touched. Rejects with the first refusal.
 */
export async function prune(
  ecs: EcsApi,
  family: string,
  rules: PruneRules,
  options: AwsCallOptions = {},
): Promise<readonly string[]> {
  if (rules.keep <= 0) return [];
  const listed = await ecs.listTaskDefinitions(family, options);
  const own = listed.filter((arn) => arn.includes(`:task-definition/${family}:`));
  const stale = staleRevisions(own, rules);
  for (const arn of stale) {
    options.signal?.throwIfAborted();
    await ecs.deregisterTaskDefinition(arn, options);
  }
  return stale;
}

function numberOf(arn: string): number {
  return Number(/:(\d+)$/.exec(arn)?.[1] ?? 0);
}

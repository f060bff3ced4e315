import { AwsError } from "../../../../lib/aws/errors.ts";
import { asked } from "../../../../lib/aws/retry.ts";
import { causeOf } from "../../../../lib/rollout/faults.ts";
import type { ApplyResult, Call, Cause } from "../../../../lib/rollout/target.ts";
import { revisionOf as readRevision } from "../definition/load.ts";
import { compareEcho } from "../definition/lost.ts";
import type { Definition, Revision } from "../definition/model.ts";
import type { EcsAttempt, Handle } from "./model.ts";
import type { EcsPorts } from "./ports.ts";

/** A new revision, or why there is none. */
export type Registered =
  | { readonly kind: "registered"; readonly revision: Revision }
  | (ApplyResult<Handle> & { readonly kind: "not-applied" });

const CUT_SHORT: Cause = {
  code: "TIMED_OUT",
  message: "RegisterTaskDefinition was not answered before the time was up or the run was cancelled",
};

/**
 * Registers a revision and compares what came back with what was sent. A lost answer
 * is asked for again: a revision that nobody uses does no harm.
 */
export async function register(ports: EcsPorts, definition: Definition, call: Call): Promise<Registered> {
  const { apis, clock, log } = ports;
  try {
    const answer = await asked(() => apis.ecs.registerTaskDefinition(definition, { signal: call.signal }), {
      clock,
      signal: call.signal,
    });
    const revision = readRevision(answer);
    const { lost, changed } = compareEcho(definition, revision.definition);
    if (lost.length > 0) return fieldsLost(revision, lost);
    if (changed.length > 0) log.warn(`ECS changed what was registered: ${changed.join(", ")}`);
    log.info(`registered ${revision.arn}`);
    return { kind: "registered", revision };
  } catch (error) {
    // Whether it landed or not, nothing uses it.
    if (call.signal.aborted) return { kind: "not-applied", cause: CUT_SHORT };
    if (!(error instanceof AwsError)) throw error;
    return { kind: "not-applied", cause: causeOf(error, error.fault === "denied" ? "denied" : "permanent") };
  }
}

function fieldsLost(revision: Revision, lost: readonly string[]): Registered {
  return {
    kind: "not-applied",
    cause: {
      code: "FIELDS_LOST",
      message: `ECS does not know ${lost.join(", ")}: ${revision.family}:${revision.revision} was registered without, and no service uses it`,
      fix: "correct or remove these members; a region may not have them yet",
    },
  };
}

/** The handle of the stage that only prepares. */
export function preparedHandle(attempt: EcsAttempt, revision: string, tasks: readonly string[]): Handle {
  return { revision, registered: attempt.change.register, tasks, updated: null };
}

/** Says so when what runs is not what the family came to last: somebody else deploys it in another way. */
export function warnOfDrift({ log }: EcsPorts, running: Revision, registered: Revision): void {
  if (running.family !== registered.family) return;
  const between = registered.revision - running.revision - 1;
  if (between > 0) {
    log.warn(
      `drift: the service runs ${running.family}:${running.revision}, though ${between} newer revision${between === 1 ? " was" : "s were"} registered since`,
    );
  }
}

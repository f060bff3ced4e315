import type { Observation } from "../../../../../lib/rollout/target.ts";
import type { EcsDeployment } from "../../api/ecs-types.ts";
import { nameOf, primaryOf } from "../before.ts";
import { shortRevision } from "../model.ts";
import { describeProgress } from "./judge.ts";
import { hasCounts, type Memory, maybeStale, oursIn, type Snapshot } from "./memory.ts";

/** The way back as it was asked for. */
export interface Back {
  /** The revision that is to serve again. */
  readonly revision: string;
  /** The deployment that our UpdateService started; "" when ECS itself makes it. */
  readonly deployment: string;
}

/**
 * The verdict on the way back, from one look; pure. The old version counts only
 * as a deployment that is newer than ours, or that ECS says it went back to: a
 * read from before our change shows the old one too.
 */
export function judgeBack(snapshot: Snapshot, memory: Memory, back: Back, now: number): Observation {
  const { service, rollout } = snapshot;
  if (!service) {
    if (maybeStale(memory, now) || memory.missing < 3) {
      return { kind: "progressing", detail: "ECS does not show the service at the moment" };
    }
    return { kind: "superseded", by: "whoever has deleted the service" };
  }
  if (rollout?.status === "ROLLBACK_FAILED") {
    return failed(`ECS could not go back: ${rollout.statusReason ?? "it tells no reason"}`);
  }
  const primary = primaryOf(service);
  if (!primary) return { kind: "progressing", detail: "ECS shows no deployment at the moment" };
  if (!memory.startsDeployment) return judgeCountBack(primary, memory, now);
  const detail = describeProgress(primary, rollout);
  if (primary === oursIn(service, memory)) {
    return { kind: "progressing", detail: `${shortRevision(memory.revision)} is still the one: ${detail}` };
  }
  const known = memory.before.deployments.includes(primary.id ?? "");
  if (primary.taskDefinition !== back.revision) {
    return known ? { kind: "progressing", detail } : { kind: "superseded", by: nameOf(primary) };
  }
  const ended = rollout?.status === "ROLLBACK_SUCCESSFUL";
  const settled = !maybeStale(memory, now) && oursIn(service, memory) === undefined && rollout === undefined;
  if (known && !ended && !settled) return { kind: "progressing", detail: `going back: ${detail}` };
  return judgePrimary(primary, detail, memory, back);
}

function judgePrimary(primary: EcsDeployment, detail: string, memory: Memory, back: Back): Observation {
  const name = shortRevision(back.revision);
  if (primary.rolloutState === "FAILED") {
    return failed(`${name} does not start again: ${primary.rolloutStateReason ?? "ECS tells no reason"}`);
  }
  const completed =
    primary.rolloutState === "COMPLETED" || (primary.rolloutState === undefined && memory.steady >= 2);
  if (completed && hasCounts(primary)) return { kind: "ready", detail: `${name} runs again: ${detail}` };
  return { kind: "progressing", detail: `going back to ${name}: ${detail}` };
}

/** Nothing was deployed: the count and the tags of before are to be there again. */
function judgeCountBack(primary: EcsDeployment, memory: Memory, now: number): Observation {
  const { before } = memory;
  if (primary.id !== before.primary) return { kind: "superseded", by: nameOf(primary) };
  const taken = memory.desired === undefined || primary.desiredCount === before.desired;
  const detail = describeProgress(primary, undefined);
  if ((taken || !maybeStale(memory, now)) && hasCounts(primary) && primary.rolloutState !== "IN_PROGRESS") {
    return { kind: "ready", detail: `as before: ${detail}` };
  }
  return { kind: "progressing", detail };
}

function failed(message: string): Observation {
  return {
    kind: "failed",
    cause: {
      code: "ROLLBACK_FAILED",
      message,
      fix: "look at the service's events and its stopped tasks now",
    },
  };
}

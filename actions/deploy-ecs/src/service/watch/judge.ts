import type { Cause, Observation } from "../../../../../lib/rollout/target.ts";
import type { EcsDeployment, EcsService, EcsServiceDeployment } from "../../api/ecs-types.ts";
import { nameOf, primaryOf } from "../before.ts";
import { shortRevision } from "../model.ts";
import { describeStage, pausedHooks } from "../stages.ts";
import { placementTrouble, tellsOfRollback } from "./events.ts";
import { tellFailed } from "./failures.ts";
import { hasCounts, type Memory, maybeStale, oursIn, type Snapshot } from "./memory.ts";

/** ECS's own way back begins together with the failure; one more look shows it, milliseconds. */
const OWN_ROLLBACK_MS = 4000;
/** So many looks in a row without the service, after all reads are fresh, and it is gone. */
const GONE_AFTER_LOOKS = 3;

/**
 * The verdict on our deployment, from one look and what is remembered of those
 * before; pure. `memory` already knows of this look (`remember`). Green needs our
 * deployment to be PRIMARY and completed in this very look.
 */
export function judge(snapshot: Snapshot, memory: Memory, now: number): Observation {
  const { service, rollout } = snapshot;
  if (!service) return judgeMissing(memory, now);
  if (service.status === "DRAINING" || service.status === "INACTIVE") {
    return { kind: "superseded", by: `whoever deletes the service (it is ${service.status})` };
  }
  if (!memory.startsDeployment) return judgeCount(service, memory, now);
  const primary = primaryOf(service);
  const mine = oursIn(service, memory);
  if (primary && primary !== mine) {
    const moved = judgeOther(service, primary, mine, snapshot.rollout, memory, now);
    if (moved) return moved;
  }
  const final = judgeRollout(rollout, memory);
  if (final) return final;
  return mine ? judgeOurs(snapshot, service, mine, memory, now) : unseen(service, memory, now);
}

/** The service is not in the answer: late news at first, gone later. */
function judgeMissing(memory: Memory, now: number): Observation {
  if (maybeStale(memory, now) || memory.missing < GONE_AFTER_LOOKS) {
    return { kind: "progressing", detail: "ECS does not show the service at the moment" };
  }
  return { kind: "superseded", by: "whoever has deleted the service" };
}

/** Another deployment is PRIMARY: late news, ECS's own way back, or somebody else's change. */
function judgeOther(
  service: EcsService,
  primary: EcsDeployment,
  mine: EcsDeployment | undefined,
  rollout: EcsServiceDeployment | undefined,
  memory: Memory,
  now: number,
): Observation | undefined {
  const { before } = memory;
  const back = primary.taskDefinition === before.proven || primary.taskDefinition === before.revision;
  if (before.deployments.includes(primary.id ?? "")) {
    const settled = !maybeStale(memory, now) && memory.seen && mine === undefined;
    return settled && rollout === undefined
      ? revertedBy(memory, "the deployment before is PRIMARY again")
      : undefined;
  }
  const byItself =
    rollout?.status?.startsWith("ROLLBACK_") === true ||
    mine?.rolloutState === "FAILED" ||
    (rollout === undefined && gaveUpUnseen(mine, primary, memory)) ||
    /roll(ing|ed)? ?back/i.test(primary.rolloutStateReason ?? "") ||
    tellsOfRollback(service, memory.deployment);
  if (back && byItself) {
    return revertedBy(
      memory,
      rollout?.statusReason ?? mine?.rolloutStateReason ?? primary.rolloutStateReason,
    );
  }
  return { kind: "superseded", by: nameOf(primary) };
}

/** Ours has vanished, as it does when the circuit breaker takes it back, and nothing else tells why. */
function gaveUpUnseen(mine: EcsDeployment | undefined, primary: EcsDeployment, memory: Memory): boolean {
  if (mine !== undefined) return false;
  if (memory.failedSince !== null) return true;
  if (!memory.before.goesBack) return false;
  return memory.troubled || memory.failed.length > 0 || (primary.rolloutStateReason ?? "") === "";
}

/** What our service deployment says of itself, where that is final. */
function judgeRollout(rollout: EcsServiceDeployment | undefined, memory: Memory): Observation | undefined {
  const { status = "", statusReason } = rollout ?? {};
  if (status.startsWith("ROLLBACK_")) return revertedBy(memory, rollout?.rollback?.reason ?? statusReason);
  if (status !== "STOPPED") return undefined;
  return {
    kind: "failed",
    cause: {
      code: "DEPLOYMENT_STOPPED",
      message: `deployment ${memory.deployment} was stopped${because(statusReason)}`,
      fix: "find out who stopped it; run again if that was a mistake",
    },
  };
}

function revertedBy(memory: Memory, reason: string | undefined): Observation {
  return {
    kind: "reverted-by-target",
    cause: {
      code: "ROLLED_BACK_BY_ECS",
      message: `ECS gave up ${shortRevision(memory.revision)} and goes back${because(reason)}`,
      fix: "read why its tasks did not stay up (the stopped tasks and their logs), or which alarm fired",
      evidence: tellFailed(memory.failed),
    },
  };
}

/** Our deployment is there, and nobody else's new one: it alone decides. */
function judgeOurs(
  { rollout }: Snapshot,
  service: EcsService,
  mine: EcsDeployment,
  memory: Memory,
  now: number,
): Observation {
  const { before, rules } = memory;
  const progress = describeProgress(mine, rollout);
  if (mine.rolloutState === "FAILED") {
    const since = now - (memory.failedSince ?? now);
    if (before.goesBack && before.proven !== "" && since < OWN_ROLLBACK_MS) {
      return {
        kind: "progressing",
        detail: `${progress}; ECS says FAILED and is about to go back by itself`,
      };
    }
    return { kind: "failed", cause: failedByEcs(mine, rollout, memory) };
  }
  const completed = mine.rolloutState === "COMPLETED" || rollout?.status === "SUCCESSFUL";
  const steady = mine.rolloutState === undefined && memory.steady >= 2;
  if (mine.status === "PRIMARY" && (completed || steady) && hasCounts(mine)) {
    return { kind: "ready", detail: `${shortRevision(memory.revision)} completed: ${progress}` };
  }
  if (memory.reached) {
    return {
      kind: "ready",
      detail: `${shortRevision(memory.revision)} has reached ${rules.until}: ${progress}`,
    };
  }
  const suspect = suspectOf(service, memory);
  const stalled = overBudget(memory, mine, suspect);
  if (stalled) return { kind: "stalled", cause: stalled };
  const [paused] = pausedHooks(rollout);
  if (paused && rules.onPause === "fail") return { kind: "failed", cause: pausedCause(rollout, paused) };
  const trouble = suspect ? `; ${suspect.message}` : "";
  const waits = paused ? `; paused by hook ${paused.hookId ?? ""}${expiry(paused.expiresAt)}` : "";
  return { kind: "progressing", detail: `${progress}${waits}${trouble}`, ...(suspect ? { suspect } : {}) };
}

/** Neither our deployment nor a new one of somebody else is shown. */
function unseen(service: EcsService, memory: Memory, now: number): Observation {
  const detail = `ECS does not show deployment ${memory.deployment || `of ${shortRevision(memory.revision)}`} yet`;
  if (maybeStale(memory, now)) return { kind: "progressing", detail };
  const suspect = suspectOf(service, memory) ?? { code: "DEPLOYMENT_LOST", message: detail };
  return { kind: "progressing", detail, suspect };
}

/** A change that starts no deployment: the running one is to have the new count. */
function judgeCount(service: EcsService, memory: Memory, now: number): Observation {
  const primary = primaryOf(service);
  if (!primary || primary.id !== memory.before.primary) {
    return primary
      ? { kind: "superseded", by: nameOf(primary) }
      : { kind: "progressing", detail: "ECS shows no deployment at the moment" };
  }
  const { desired } = memory;
  const taken = desired === undefined || primary.desiredCount === desired || !maybeStale(memory, now);
  if (taken && hasCounts(primary) && (primary.rolloutState ?? "COMPLETED") === "COMPLETED") {
    return { kind: "ready", detail: describeProgress(primary, undefined) };
  }
  if (primary.rolloutState === "FAILED") {
    return { kind: "failed", cause: failedByEcs(primary, undefined, memory) };
  }
  const suspect = suspectOf(service, memory);
  const stalled = overBudget(memory, primary, suspect);
  if (stalled) return { kind: "stalled", cause: stalled };
  return {
    kind: "progressing",
    detail: describeProgress(primary, undefined),
    ...(suspect ? { suspect } : {}),
  };
}

/** `2 of 3 running, 1 pending, 1 failed`. */
export function describeProgress(
  deployment: EcsDeployment,
  rollout: EcsServiceDeployment | undefined,
): string {
  const { desiredCount = 0, runningCount = 0, pendingCount = 0, failedTasks = 0 } = deployment;
  const parts = [`${runningCount} of ${desiredCount} running`];
  if (pendingCount > 0) parts.push(`${pendingCount} pending`);
  if (failedTasks > 0) parts.push(`${failedTasks} failed`);
  const stage = describeStage(rollout);
  if (stage !== "") parts.push(stage);
  return parts.join(", ");
}

function overBudget(memory: Memory, mine: EcsDeployment, suspect: Cause | undefined): Cause | undefined {
  const { failed, rules, revision, blind } = memory;
  const fatal = failed.filter(({ cause }) => cause.fatal);
  // ECS counts those that found no place too: that may still pass.
  const counted = suspect?.code === "NO_CAPACITY" ? 0 : (mine.failedTasks ?? 0);
  const count = blind ? counted : failed.length;
  if (count < rules.failureBudget && fatal.length < 2) return undefined;
  const told = (fatal.at(-1) ?? failed.at(-1))?.cause;
  const last = told ? `, the last: ${told.message}` : "";
  return {
    code: told?.code ?? "TASKS_FAILED",
    message: `${count} tasks of ${shortRevision(revision)} failed${last}`,
    fix: told?.fix ?? "read what the stopped tasks say",
    evidence: tellFailed(failed),
  };
}

function failedByEcs(mine: EcsDeployment, rollout: EcsServiceDeployment | undefined, memory: Memory): Cause {
  const reason = rollout?.statusReason ?? mine.rolloutStateReason;
  return {
    code: "DEPLOYMENT_FAILED",
    message: `ECS gave up ${shortRevision(memory.revision)}${because(reason)}`,
    fix: "read why its tasks did not stay up: the stopped tasks and their logs",
    evidence: tellFailed(memory.failed),
  };
}

/** What to report should time run out with this as the last word. */
function suspectOf(service: EcsService, memory: Memory): Cause | undefined {
  const unplaced = placementTrouble(service, memory.createdAt);
  if (unplaced !== "") {
    return {
      code: "NO_CAPACITY",
      message: `ECS finds no place for a task of ${shortRevision(memory.revision)}: ${unplaced}`,
      fix: "add capacity to the cluster, or ask for less CPU and memory",
    };
  }
  const last = memory.failed.at(-1)?.cause;
  if (!last) return undefined;
  const message = `a task of ${shortRevision(memory.revision)} failed: ${last.message}`;
  return { code: last.code, message, fix: last.fix };
}

function pausedCause(
  rollout: EcsServiceDeployment | undefined,
  hook: { readonly hookId?: string; readonly expiresAt?: number },
): Cause {
  return {
    code: "PAUSED",
    message: `the deployment is paused at ${rollout?.lifecycleStage ?? "a lifecycle stage"} by hook ${hook.hookId ?? ""}${expiry(hook.expiresAt)}`,
    fix: "set `on-pause` to `wait` or `continue`, or take the pause hook off the service",
  };
}

function expiry(at: number | undefined): string {
  return at === undefined ? "" : `, which expires at ${new Date(at * 1000).toISOString()}`;
}

function because(reason: string | undefined): string {
  return reason === undefined || reason === "" ? "" : `: ${reason.replace(/\.$/, "")}`;
}

import type { EcsDeployment, EcsService, EcsServiceDeployment } from "../../api/ecs-types.ts";
import type { StopCause } from "../../diagnose/stop-reasons.ts";
import type { Inputs, WaitUntil } from "../../inputs/model.ts";
import { primaryOf } from "../before.ts";
import { type EcsAttempt, revisionOf, type ServiceBefore } from "../model.ts";
import { hasReached } from "../stages.ts";

/** One look at a service: what was asked and answered at one moment. */
export interface Snapshot {
  /** undefined: the answer did not hold it (`MISSING`, or an empty list). */
  readonly service: EcsService | undefined;
  /** Our own service deployment, where it is known and was read. */
  readonly rollout: EcsServiceDeployment | undefined;
}

/** A task of a deployment that failed by its version's fault. */
export interface FailedTask {
  /** The task's id. */
  readonly id: string;
  readonly cause: StopCause;
}

/** What is known of our deployment from before the look, and the rules for judging it. */
export interface Memory {
  readonly before: ServiceBefore;
  /** Full ARN of the revision that we deploy. */
  readonly revision: string;
  /** Id of our deployment; "" while no answer has shown it. */
  readonly deployment: string;
  /** The server's time of our deployment, seconds since the epoch; 0 while unknown. */
  readonly createdAt: number;
  /** False: a new count or new tags start no deployment, the one that runs stays ours to watch. */
  readonly startsDeployment: boolean;
  /** The count that was asked for; undefined: whatever the service has. */
  readonly desired: number | undefined;
  /** Our time of UpdateService's answer, milliseconds since the epoch. */
  readonly updatedAt: number;
  /** Our deployment was PRIMARY in some look. */
  readonly seen: boolean;
  /** The stage that is waited for was reached in some look: stages only go on, or back as a whole. */
  readonly reached: boolean;
  /** Our time of the first look that showed it FAILED, also when it has vanished since; null: never. */
  readonly failedSince: number | null;
  /** A task of it had failed in some look, by ECS's own count. */
  readonly troubled: boolean;
  /** Looks in a row with the right counts, for services whose deployments have no state. */
  readonly steady: number;
  /** Looks in a row without the service. */
  readonly missing: number;
  /** Tasks of our deployment that failed so far, each once. */
  readonly failed: readonly FailedTask[];
  /** Tasks may not be read: then ECS's own count of failed ones has to do. */
  readonly blind: boolean;
  readonly rules: JudgeRules;
}

/** What the user said about following a deployment. */
export interface JudgeRules {
  readonly failureBudget: number;
  readonly until: WaitUntil;
  readonly onPause: "fail" | "wait" | "continue";
}

/** Reads may show the time before UpdateService for so long, milliseconds: until then they decide nothing. */
export const STALE_MS = 30_000;

/** A look at the world as it was before the change may still be stale. */
export function maybeStale(memory: Memory, now: number): boolean {
  return now - memory.updatedAt < STALE_MS;
}

/** Our deployment among those of the service: by its id, or by a revision that only this run uses. */
export function oursIn(service: EcsService | undefined, memory: Memory): EcsDeployment | undefined {
  const deployments = service?.deployments ?? [];
  if (memory.deployment !== "") return deployments.find(({ id }) => id === memory.deployment);
  return deployments.find(
    (one) => one.taskDefinition === memory.revision && !memory.before.deployments.includes(one.id ?? ""),
  );
}

/** What is known before the first look: what the attempt tells, also to a fresh process. */
export function firstMemory(attempt: EcsAttempt, inputs: Inputs, now: number): Memory {
  const { service: before } = attempt.before;
  if (!before) throw new Error("there is no service to watch");
  const { updated } = attempt.handle ?? { updated: null };
  const { failureBudget, until, onPause } = inputs.watch;
  return {
    before,
    revision: revisionOf(attempt),
    deployment: updated?.deployment ?? "",
    createdAt: updated?.createdAt ?? 0,
    startsDeployment: attempt.change.update?.startsDeployment ?? true,
    desired: inputs.service.desiredCount,
    updatedAt: updated?.at ?? now,
    seen: false,
    reached: false,
    failedSince: null,
    troubled: false,
    steady: 0,
    missing: 0,
    failed: [],
    blind: false,
    rules: { failureBudget, until, onPause },
  };
}

/** What is known after a look; pure. */
export function remember(memory: Memory, { service, rollout }: Snapshot, now: number): Memory {
  const mine = oursIn(service, memory);
  const primary = primaryOf(service);
  const failed = mine?.rolloutState === "FAILED" || rollout?.status === "STOPPED";
  const vanished = mine === undefined ? memory.failedSince : null;
  return {
    ...memory,
    deployment: memory.deployment || (mine?.id ?? ""),
    createdAt: memory.createdAt || (mine?.createdAt ?? 0),
    seen: memory.seen || (mine !== undefined && mine === primary),
    reached: memory.reached || hasReached(rollout, memory.rules.until),
    failedSince: failed ? (memory.failedSince ?? now) : vanished,
    troubled: memory.troubled || (mine?.failedTasks ?? 0) > 0,
    steady:
      mine !== undefined && hasCounts(mine) && service?.deployments?.length === 1 ? memory.steady + 1 : 0,
    missing: service === undefined ? memory.missing + 1 : 0,
  };
}

/** Everything that is to run runs, and nothing is about to. */
export function hasCounts(deployment: EcsDeployment): boolean {
  const { desiredCount = 0, runningCount = 0, pendingCount = 0 } = deployment;
  return runningCount >= desiredCount && pendingCount === 0;
}

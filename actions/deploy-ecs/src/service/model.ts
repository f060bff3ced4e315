import type { JsonObject } from "../../../../lib/aws/call.ts";
import type { Attempt } from "../../../../lib/rollout/target.ts";
import type { ScheduleBefore } from "../schedules/schedules.ts";

/** What runs before a deployment, as it is saved: names, ids and numbers, never a value of an environment. */
export interface Before {
  /** null when no service was asked for. */
  readonly service: ServiceBefore | null;
}

/** How a native deployment shifts from the old revision to the new one. */
export type Strategy = "ROLLING" | "BLUE_GREEN" | "LINEAR" | "CANARY";

/** A service before this run's change. */
export interface ServiceBefore {
  readonly arn: string;
  readonly name: string;
  /** Task definition of the PRIMARY deployment, full ARN. */
  readonly revision: string;
  /** Id of the PRIMARY deployment, "" when there is none. */
  readonly primary: string;
  /** COMPLETED, FAILED, IN_PROGRESS, or "" where ECS tells none. */
  readonly state: string;
  /** Names a deployment that was still on its way, "" when none was. */
  readonly moving: string;
  /** The revision that was proven last, "" when none ever was: the one to go back to. */
  readonly proven: string;
  /** Ids of all deployments that were listed. */
  readonly deployments: readonly string[];
  readonly desired: number;
  readonly strategy: Strategy;
  /** A circuit breaker or alarms take a failed deployment back without us. */
  readonly goesBack: boolean;
  /** Waits that the service's own strategy adds to every deployment, milliseconds. */
  readonly bakeMs: number;
  readonly targetGroups: readonly TargetGroupUse[];
  readonly propagateTags: string;
  readonly managedTags: boolean;
  readonly volumes: readonly JsonObject[];
}

/** Through which container and port a service serves a target group. */
export interface TargetGroupUse {
  readonly arn: string;
  readonly container: string;
  readonly port: number;
}

/** What this run is to change. */
export interface Change {
  /** A new revision is registered; otherwise `revision` is used as it is. */
  readonly register: boolean;
  readonly family: string;
  /** `sha256:...` of the canonical task definition. */
  readonly digest: string;
  /** Full ARN, "" while it is not registered. */
  readonly revision: string;
  /** A one-off task runs before the service changes. */
  readonly task: boolean;
  /** What runs the family by the clock; moved after success. */
  readonly schedules: readonly ScheduleBefore[];
  /** null when no service is touched. */
  readonly update: ServiceUpdate | null;
}

/** What UpdateService is told besides cluster, service and task definition: only what the user set. */
export interface ServiceUpdate {
  readonly members: JsonObject;
  /** ECS starts a deployment of its own for it; a new count or new tags alone start none. */
  readonly startsDeployment: boolean;
}

/** What this run has made so far. */
export interface Handle {
  /** Full ARN of the revision that the service is to run. */
  readonly revision: string;
  readonly registered: boolean;
  /** One-off tasks of this run. */
  readonly tasks: readonly string[];
  readonly updated: Updated | null;
}

/** UpdateService was answered. */
export interface Updated {
  /** The deployment that it started; "" when the answer did not show it yet. */
  readonly deployment: string;
  /** The server's time of that deployment, seconds since the epoch; 0 when unknown. */
  readonly createdAt: number;
  /** Our time of the answer, milliseconds since the epoch: only for how long reads may still be stale. */
  readonly at: number;
}

export type EcsAttempt = Attempt<Before, Change, Handle>;

/** The revision that this attempt brings, "" while it is not registered. */
export function revisionOf(attempt: EcsAttempt): string {
  return attempt.handle?.revision ?? (attempt.change as Change | null)?.revision ?? "";
}

/** Whether the stage that is out is the one in which the service changes; the one before only prepares. */
export function changesService(attempt: EcsAttempt): boolean {
  const change = attempt.change as Change | null;
  if (!change?.update) return false;
  return attempt.stage === (prepares(change) ? 1 : 0);
}

/** Whether there is a stage of its own for registering or for a one-off task. */
export function prepares(change: Change): boolean {
  return change.register || change.task || change.update === null;
}

/** `shop:12` for a revision's ARN, for people. */
export function shortRevision(arn: string): string {
  return arn.split("task-definition/").at(-1) ?? arn;
}

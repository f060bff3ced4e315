import type { Json } from "../types.ts";
import { breakerSettings, breakerThreshold } from "./breaker.ts";
import { placementReason } from "./reasons.ts";
import { activeRollout, addEvent, alarmNames, finishRollout, primaryOf, rollBack } from "./rollouts.ts";
import type { Deployment, EcsState, FakeService, FakeTask, Rollout } from "./state.ts";
import { end, isHealthy, launch, type TaskEvents } from "./tasks.ts";

/** One look of ECS's scheduler at a rolling service: start what is missing, stop what is replaced, judge the end. */
export function reconcileRolling(ecs: EcsState, events: TaskEvents, service: FakeService): void {
  const primary = primaryOf(service);
  if (!primary) return;
  const rollout = activeRollout(service);
  const failed = primary.rolloutState === "FAILED";
  const configuration = (service.members["deploymentConfiguration"] ?? {}) as Json;
  const upper = Math.floor((service.desired * Number(configuration["maximumPercent"] ?? 200)) / 100);
  const lower = Math.ceil((service.desired * Number(configuration["minimumHealthyPercent"] ?? 100)) / 100);
  const live = service.tasks.filter((task) => task.desiredStatus === "RUNNING");
  if (!failed) {
    const mine = live.filter((task) => task.deployment === primary);
    const missing = Math.min(primary.desired - mine.length, Math.max(0, upper - live.length));
    startTasks(ecs, events, service, primary, missing);
    for (const task of mine.slice(primary.desired)) scaleIn(ecs, events, primary, task);
    replaceOld(ecs, events, service, primary, lower);
  }
  dropEmpty(service, primary);
  if (rollout) judge(ecs, service, primary, rollout);
}

/** Starts up to `count` tasks of a deployment, as its pause after failures and the capacity allow. */
export function startTasks(
  ecs: EcsState,
  events: TaskEvents,
  service: FakeService,
  deployment: Deployment,
  count: number,
): void {
  const now = ecs.time.now();
  if (count <= 0) return;
  if (deployment.retryAt > now) {
    if (Number.isFinite(deployment.retryAt))
      ecs.time.after(deployment.retryAt - now, () => ecs.look(service));
    return;
  }
  const { definition, images } = deployment.revision;
  const names = images.map((image) => String(image["image"]));
  for (let started = 0; started < count; started += 1) {
    const behaviour = ecs.behaviours.find(definition.arn, names, "service", deployment.launched);
    if (
      behaviour.kind === "no-capacity" &&
      (behaviour.forMs === undefined || now < deployment.createdAt + behaviour.forMs)
    ) {
      addEvent(ecs, service, `was unable to place a task. Reason: ${placementReason(behaviour.reason)}.`);
      if (behaviour.counts) countFailure(ecs, service, deployment);
      deployment.retryAt = now + 10_000;
      ecs.time.after(10_000, () => ecs.look(service));
      return;
    }
    deployment.launched += 1;
    const task = launch(ecs, events, {
      cluster: service.cluster,
      definition,
      behaviour: behaviour.kind === "no-capacity" ? { kind: "good" } : behaviour,
      startedBy: deployment.id,
      group: `service:${service.name}`,
      shown: shownOf(service),
      service,
      deployment,
    });
    addEvent(ecs, service, `has started 1 tasks: (task ${task.id}).`);
  }
}

function shownOf(service: FakeService): Json {
  const kept = ["launchType", "platformVersion", "platformFamily"];
  return Object.fromEntries(
    kept.flatMap((name) => (name in service.members ? [[name, service.members[name]]] : [])),
  );
}

/** Stops old tasks as far as enough healthy ones remain. */
function replaceOld(
  ecs: EcsState,
  events: TaskEvents,
  service: FakeService,
  primary: Deployment,
  lower: number,
): void {
  const live = service.tasks.filter((task) => task.desiredStatus === "RUNNING");
  let healthy = live.filter(isHealthy).length;
  for (const task of live.filter((other) => other.deployment !== primary)) {
    if (isHealthy(task)) {
      if (healthy <= lower) continue;
      healthy -= 1;
    } else if (task.lastStatus === "RUNNING" && healthy < lower) {
      continue;
    }
    scaleIn(ecs, events, task.deployment ?? primary, task);
    addEvent(ecs, service, `has stopped 1 running tasks: (task ${task.id}).`);
  }
}

/** A task that is one too many. */
export function scaleIn(ecs: EcsState, events: TaskEvents, deployment: Deployment, task: FakeTask): void {
  const reason = `Scaling activity initiated by (deployment ${deployment.id})`;
  end(ecs, events, task, { stopCode: "ServiceSchedulerInitiated", reason });
}

/** Deployments without tasks vanish; the PRIMARY stays, and a failed one as long as ECS is on its way back from it. */
export function dropEmpty(service: FakeService, primary: Deployment): void {
  service.deployments = service.deployments.filter(
    (deployment) =>
      deployment === primary ||
      (deployment.rolloutState === "FAILED" && activeRollout(service)?.deployment === deployment) ||
      service.tasks.some((task) => task.deployment === deployment && task.lastStatus !== "STOPPED"),
  );
}

function judge(ecs: EcsState, service: FakeService, primary: Deployment, rollout: Rollout): void {
  if (primary.rolloutState !== "IN_PROGRESS" || rollout.status === "PENDING" || rollout.settling) return;
  if (!isDone(service, primary, (rollout.configuration["earlySuccessCriteria"] ?? {}) as Json)) return;
  const bake = rollout.alarms === "MONITORING" && !rollout.back ? ecs.timing.alarmBake : 0;
  rollout.settling = true;
  addEvent(ecs, service, "has reached a steady state.");
  rollout.cancel.push(
    ecs.time.after(ecs.timing.settle + bake, () => complete(ecs, service, primary, rollout)),
  );
}

/**
 * Whether a rollout has reached its end: every task is new and healthy and no other is left. With early success
 * a part of the new ones is enough, and with deferred clean-up the old ones may still be there.
 */
function isDone(service: FakeService, primary: Deployment, early: Json): boolean {
  const live = service.tasks.filter((task) => task.desiredStatus === "RUNNING");
  const mine = live.filter((task) => task.deployment === primary);
  const old = service.deployments.some((one) => one !== primary && one.rolloutState !== "FAILED");
  if (early["enable"] !== true)
    return mine.length === primary.desired && live.every(isHealthy) && !old && live.length === mine.length;
  const enough = Math.ceil((primary.desired * Number(early["healthyPercent"] ?? 100)) / 100);
  const clean = early["sourceServiceRevisionCleanup"] === "DEFERRED" || !old;
  return clean && mine.filter(isHealthy).length >= enough;
}

/** The deployment is COMPLETED, and with it the service deployment or its rollback. */
export function complete(ecs: EcsState, service: FakeService, primary: Deployment, rollout: Rollout): void {
  primary.rolloutState = "COMPLETED";
  primary.rolloutStateReason = `ECS deployment ${primary.id} completed.`;
  primary.updatedAt = ecs.time.now();
  service.completed = primary;
  addEvent(ecs, service, `(deployment ${primary.id}) deployment completed.`);
  rollout.settling = false;
  finishRollout(ecs, rollout, rollout.back ? "ROLLBACK_SUCCESSFUL" : "SUCCESSFUL");
  ecs.look(service);
}

/** Counts a failed task, and trips the circuit breaker when that was one too many. */
export function countFailure(ecs: EcsState, service: FakeService, deployment: Deployment): void {
  deployment.failed += 1;
  if (Number.isFinite(deployment.retryAt)) deployment.retryAt = ecs.time.now() + deployment.retryPause;
  deployment.retryPause = Math.min(ecs.timing.retryMax, deployment.retryPause * 1.5);
  const rollout = activeRollout(service);
  if (!rollout || rollout.deployment !== deployment || rollout.back || rollout.breaker !== "MONITORING")
    return;
  const settings = breakerSettings(rollout.configuration);
  if (deployment.failed < breakerThreshold(settings, service.desired)) return;
  rollout.breaker = "TRIGGERED";
  const reason = "ECS deployment circuit breaker: tasks failed to start.";
  fail(ecs, service, rollout, reason, settings.rollback);
}

/** A rolling deployment failed: back to the last completed one when wanted, else it stays FAILED for ever. */
export function fail(
  ecs: EcsState,
  service: FakeService,
  rollout: Rollout,
  reason: string,
  back: boolean,
): void {
  const { deployment } = rollout;
  for (const cancel of rollout.cancel.splice(0)) cancel();
  rollout.settling = false;
  deployment.rolloutState = "FAILED";
  deployment.rolloutStateReason = reason;
  deployment.updatedAt = ecs.time.now();
  addEvent(
    ecs,
    service,
    `(deployment ${deployment.id}) deployment failed: ${reason.replace(/^ECS deployment circuit breaker: /, "")}`,
  );
  if (!back) {
    finishRollout(ecs, rollout, "STOPPED", reason);
  } else if (service.completed && rollBack(ecs, service, rollout, reason)) {
    addEvent(ecs, service, `rolling back to deployment ${rollout.back?.deployment.id}.`);
  } else {
    // There is nothing to go back to: on a first deployment the rollout just stalls.
    deployment.rolloutState = "IN_PROGRESS";
    deployment.rolloutStateReason = `ECS deployment ${deployment.id} in progress.`;
    deployment.retryAt = Number.POSITIVE_INFINITY;
  }
  ecs.look(service);
}

/** An alarm began to ring: every rolling deployment that watches it fails. */
export function ring(ecs: EcsState, service: FakeService, alarm: string): void {
  const rollout = activeRollout(service);
  if (!rollout || rollout.back || rollout.alarms !== "MONITORING" || rollout.strategy !== "ROLLING") return;
  if (!alarmNames(rollout.configuration).includes(alarm)) return;
  rollout.alarms = "TRIGGERED";
  rollout.triggered = [alarm];
  const alarms = (rollout.configuration["alarms"] ?? {}) as Json;
  fail(ecs, service, rollout, "ECS deployment alarms: alarm detected.", alarms["rollback"] === true);
}

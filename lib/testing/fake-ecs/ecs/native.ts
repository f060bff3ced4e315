import { defined, type Json, seconds } from "../types.ts";
import type { RolloutMoves } from "./deployments.ts";
import { complete, dropEmpty, startTasks } from "./rolling.ts";
import { activeRollout, addEvent, alarmNames, finishRollout, rollBack, stopTasks } from "./rollouts.ts";
import type { Deployment, EcsState, FakeService, FakeTask, Rollout, Step } from "./state.ts";
import { stepsOf } from "./steps.ts";
import { isHealthy, type TaskEvents } from "./tasks.ts";

/** Whether ECS's own blue/green, linear or canary is under way, or on its way back without new tasks. */
export function isNative(service: FakeService): boolean {
  const rollout = activeRollout(service);
  return rollout !== undefined && rollout.strategy !== "ROLLING" && rollout.back?.swapped !== false;
}

/** How service deployments go back, and how their hooks are answered. */
export function rolloutMoves(ecs: EcsState, events: TaskEvents): RolloutMoves {
  return {
    rollBack: (service, rollout, reason) => goBack(ecs, events, service, rollout, reason),
    answerHook: (service, rollout, hook, action) => answer(ecs, events, service, rollout, hook, action),
  };
}

/** One look of ECS's scheduler at a service in a native deployment. */
export function reconcileNative(ecs: EcsState, events: TaskEvents, service: FakeService): void {
  const rollout = activeRollout(service);
  if (!rollout || rollout.status === "PENDING") return;
  if (rollout.back) {
    finishBack(ecs, service, rollout);
    return;
  }
  if (rollout.step < 0) {
    rollout.steps = stepsOf(rollout.strategy, rollout.configuration, ecs.timing);
    enter(ecs, events, service, rollout, 0);
  }
  keepUp(ecs, events, service, rollout);
  dropEmpty(service, rollout.deployment);
  const step = rollout.steps[rollout.step];
  if (!step || !isPassed(ecs, service, rollout, step)) return;
  if (rollout.step + 1 === rollout.steps.length) {
    delete rollout.stage;
    complete(ecs, service, rollout.deployment, rollout);
  } else {
    enter(ecs, events, service, rollout, rollout.step + 1);
    ecs.look(service);
  }
}

function tasksOf(service: FakeService, deployment: Deployment): readonly FakeTask[] {
  return service.tasks.filter((task) => task.deployment === deployment);
}

function wanted(tasks: readonly FakeTask[]): readonly FakeTask[] {
  return tasks.filter((task) => task.desiredStatus === "RUNNING");
}

/** Both revisions keep their tasks: the old one until the clean-up, the new one from the scale-up on. */
function keepUp(ecs: EcsState, events: TaskEvents, service: FakeService, rollout: Rollout): void {
  const at = (stage: string) => rollout.steps.findIndex((step) => step.stage === stage);
  const blue = service.completed;
  const missing = (deployment: Deployment) =>
    deployment.desired - wanted(tasksOf(service, deployment)).length;
  if (rollout.step >= at("SCALE_UP")) {
    startTasks(ecs, events, service, rollout.deployment, missing(rollout.deployment));
  }
  if (blue && service.deployments.includes(blue) && rollout.step < at("CLEAN_UP")) {
    startTasks(ecs, events, service, blue, missing(blue));
  }
}

function isPassed(ecs: EcsState, service: FakeService, rollout: Rollout, step: Step): boolean {
  const open = rollout.hooks.some(
    (hook) => hook["status"] === "AWAITING_ACTION" || hook["status"] === "IN_PROGRESS",
  );
  if (open) return false;
  switch (step.lasts) {
    case "scaled-up": {
      const healthy = tasksOf(service, rollout.deployment).filter(isHealthy).length;
      return healthy >= rollout.deployment.desired;
    }
    case "cleaned-up":
      return service.tasks.every(
        (task) => task.deployment === rollout.deployment || task.lastStatus === "STOPPED",
      );
    default:
      return ecs.time.now() >= rollout.passAt;
  }
}

function enter(
  ecs: EcsState,
  events: TaskEvents,
  service: FakeService,
  rollout: Rollout,
  index: number,
): void {
  const step = rollout.steps[index];
  if (!step) return;
  const now = ecs.time.now();
  rollout.step = index;
  rollout.stage = step.stage;
  rollout.weight = step.weight;
  rollout.testWeight = step.testWeight;
  rollout.updatedAt = now;
  rollout.passAt = now + (typeof step.lasts === "number" ? step.lasts : 0);
  rollout.cancel.push(ecs.time.after(rollout.passAt - now, () => ecs.look(service)));
  if (step.stage === "RECONCILE_SERVICE" || step.stage === "CLEAN_UP") {
    const kept = step.stage === "CLEAN_UP" ? [rollout.deployment] : [rollout.deployment, service.completed];
    for (const other of service.deployments)
      if (!kept.includes(other)) stopTasks(ecs, events, service, other);
  }
  const hooks = (rollout.configuration["lifecycleHooks"] ?? []) as readonly Json[];
  for (const hook of hooks) {
    const stages = (hook["lifecycleStages"] ?? []) as readonly string[];
    if (stages.includes(step.stage)) openHook(ecs, events, service, rollout, hook);
  }
}

/** A hook of the stage begins: a pause waits for an answer, a function gives one. */
function openHook(
  ecs: EcsState,
  events: TaskEvents,
  service: FakeService,
  rollout: Rollout,
  hook: Json,
): void {
  const pause = hook["targetType"] === "PAUSE";
  const settings = (hook["timeoutConfiguration"] ?? {}) as Json;
  const lasts = Number(settings["timeoutInMinutes"] ?? 1440) * 60_000;
  const action = settings["action"] === "CONTINUE" ? "CONTINUE" : "ROLLBACK";
  const arn = hook["hookTargetArn"] as string | undefined;
  const shown: Json = defined({
    hookId: `${ecs.unique(8)}-${ecs.unique(4)}-4${ecs.unique(3)}-8${ecs.unique(3)}-${ecs.unique(12)}`,
    targetType: pause ? "PAUSE" : "AWS_LAMBDA",
    targetArn: pause ? undefined : arn,
    status: pause ? "AWAITING_ACTION" : "IN_PROGRESS",
    expiresAt: seconds(ecs.time.now() + lasts),
    timeoutAction: action,
  });
  rollout.hooks.push(shown);
  const verdict = pause ? action : ecs.failingHooks.has(arn ?? "") ? "ROLLBACK" : "CONTINUE";
  rollout.cancel.push(
    ecs.time.after(pause ? lasts : ecs.timing.stage, () => {
      if (shown["status"] !== "AWAITING_ACTION" && shown["status"] !== "IN_PROGRESS") return;
      answer(ecs, events, service, rollout, shown, verdict);
      if (pause) shown["status"] = "TIMED_OUT";
    }),
  );
}

function answer(
  ecs: EcsState,
  events: TaskEvents,
  service: FakeService,
  rollout: Rollout,
  hook: Json,
  action: "CONTINUE" | "ROLLBACK",
): void {
  hook["status"] = action === "CONTINUE" ? "SUCCEEDED" : "FAILED";
  rollout.updatedAt = ecs.time.now();
  if (action === "ROLLBACK") goBack(ecs, events, service, rollout, "A lifecycle hook asked for a rollback.");
  ecs.look(service);
}

/** Goes back: at once to the old tasks while they are there, else with new ones. */
function goBack(
  ecs: EcsState,
  events: TaskEvents,
  service: FakeService,
  rollout: Rollout,
  reason: string,
): void {
  for (const cancel of rollout.cancel.splice(0)) cancel();
  const { deployment, strategy } = rollout;
  const blue = service.completed;
  const kept = blue && wanted(tasksOf(service, blue)).length >= blue.desired && rollout.stage !== "CLEAN_UP";
  delete rollout.stage;
  if (strategy === "ROLLING" || !blue || !kept) {
    if (rollBack(ecs, service, rollout, reason)) {
      addEvent(ecs, service, `rolling back to deployment ${rollout.back?.deployment.id}.`);
    }
    ecs.look(service);
    return;
  }
  const now = ecs.time.now();
  Object.assign(deployment, {
    status: "ACTIVE",
    rolloutState: "FAILED",
    rolloutStateReason: reason,
    updatedAt: now,
  });
  Object.assign(blue, { status: "PRIMARY", updatedAt: now });
  service.deployments = [blue, ...service.deployments.filter((other) => other !== blue)];
  service.definition = blue.revision.definition;
  rollout.back = { deployment: blue, at: now, reason, swapped: true };
  Object.assign(rollout, {
    weight: 0,
    testWeight: 0,
    status: "ROLLBACK_IN_PROGRESS",
    statusReason: reason,
    updatedAt: now,
  });
  addEvent(ecs, service, `rolling back to deployment ${blue.id}.`);
  stopTasks(ecs, events, service, deployment);
  ecs.look(service);
}

function finishBack(ecs: EcsState, service: FakeService, rollout: Rollout): void {
  const gone = tasksOf(service, rollout.deployment).every((task) => task.lastStatus === "STOPPED");
  if (!gone || !rollout.back) return;
  addEvent(ecs, service, "has reached a steady state.");
  finishRollout(ecs, rollout, "ROLLBACK_SUCCESSFUL");
  dropEmpty(service, rollout.back.deployment);
}

/** An alarm began to ring during a native deployment that watches it. */
export function ringNative(ecs: EcsState, events: TaskEvents, service: FakeService, alarm: string): void {
  const rollout = activeRollout(service);
  if (!rollout || rollout.back || rollout.alarms !== "MONITORING" || rollout.strategy === "ROLLING") return;
  if (!alarmNames(rollout.configuration).includes(alarm)) return;
  rollout.alarms = "TRIGGERED";
  rollout.triggered = [alarm];
  goBack(ecs, events, service, rollout, "ECS deployment alarms: alarm detected.");
}

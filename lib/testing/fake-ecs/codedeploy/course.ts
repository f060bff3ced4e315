import { findDefinition } from "../ecs/definitions.ts";
import { startTasks } from "../ecs/rolling.ts";
import { addDeployment, makeRevision, stopTasks } from "../ecs/rollouts.ts";
import type { Deployment, EcsState, FakeService } from "../ecs/state.ts";
import { isHealthy, type TaskEvents } from "../ecs/tasks.ts";
import { FakeAwsError, type Json } from "../types.ts";
import type { AppSpec, CodeDeployment, CodeDeployState, Group, LifecycleEvent } from "./state.ts";

/** What the course of a deployment works with. */
export interface Course {
  readonly ecs: EcsState;
  readonly events: TaskEvents;
  readonly state: CodeDeployState;
}

/** CodeDeploy gives up on a task set that does not become stable after one hour. */
const installLimit = 3_600_000;

/** What a deployment begins with. */
export interface Start {
  readonly group: Group;
  readonly revision: Json;
  readonly spec: AppSpec;
  readonly config: string;
  readonly description?: string;
  readonly autoRollback: readonly string[];
}

/** A new deployment; it runs by itself from here on. */
export function begin(course: Course, start: Start): CodeDeployment {
  const { ecs, state } = course;
  const { service } = start.group;
  const definition = findDefinition(ecs, start.spec.taskDefinition);
  if (definition?.status !== "ACTIVE") {
    throw new FakeAwsError(
      "InvalidRevisionException",
      "The task definition of the AppSpec does not exist or is inactive.",
    );
  }
  const original = service.deployments.find((one) => one.status === "PRIMARY");
  if (!original) throw new Error(`service ${service.name} has no task set`);
  const replacement = addDeployment(ecs, service, makeRevision(ecs, service, definition));
  Object.assign(replacement, { status: "ACTIVE" });
  Object.assign(original, { status: "PRIMARY" });
  const names = start.group.testListener ? withTest : withoutTest;
  const deployment: CodeDeployment = {
    id: `d-${ecs.unique(9).toUpperCase()}`,
    ...start,
    creator: "user",
    createdAt: ecs.time.now(),
    original,
    replacement,
    events: names.map((name): LifecycleEvent => ({ name, status: "Pending" })),
    status: "Created",
    weight: 0,
    terminating: false,
    cancel: [],
  };
  state.deployments.unshift(deployment);
  later(course, deployment, 1000, () => {
    deployment.status = "InProgress";
    deployment.startedAt = ecs.time.now();
    next(course, deployment, 0);
  });
  return deployment;
}

const withoutTest = [
  "BeforeInstall",
  "Install",
  "AfterInstall",
  "BeforeAllowTraffic",
  "AllowTraffic",
  "AfterAllowTraffic",
];
const withTest = [
  "BeforeInstall",
  "Install",
  "AfterInstall",
  "AllowTestTraffic",
  "AfterAllowTestTraffic",
  "BeforeAllowTraffic",
  "AllowTraffic",
  "AfterAllowTraffic",
];

function later(course: Course, deployment: CodeDeployment, ms: number, run: () => void): void {
  deployment.cancel.push(course.ecs.time.after(ms, run));
}

/** The next lifecycle event, or the end. */
function next(course: Course, deployment: CodeDeployment, index: number): void {
  const event = deployment.events[index];
  if (!event) {
    terminate(course, deployment);
    return;
  }
  if (
    event.name === "BeforeAllowTraffic" &&
    deployment.group.readyWait > 0 &&
    deployment.status !== "Ready"
  ) {
    waitForGo(course, deployment, index);
    return;
  }
  event.status = "InProgress";
  event.startTime = course.ecs.time.now();
  const passed = () => {
    event.status = "Succeeded";
    event.endTime = course.ecs.time.now();
    next(course, deployment, index + 1);
  };
  if (event.name === "Install") install(course, deployment, event, passed);
  else if (event.name === "AllowTraffic") shift(course, deployment, passed);
  else hook(course, deployment, event, passed);
}

/** The group waits for someone to say go on; when nobody does, it goes on or stops. */
function waitForGo(course: Course, deployment: CodeDeployment, index: number): void {
  deployment.status = "Ready";
  later(course, deployment, deployment.group.readyWait * 60_000, () => {
    if (deployment.group.readyAction === "STOP_DEPLOYMENT") {
      stop(course, deployment, false);
      return;
    }
    goOn(course, deployment, index);
  });
}

/** Ends the wait of a deployment that is Ready. */
export function goOn(course: Course, deployment: CodeDeployment, index?: number): void {
  for (const cancel of deployment.cancel.splice(0)) cancel();
  const at = index ?? deployment.events.findIndex((event) => event.name === "BeforeAllowTraffic");
  next(course, deployment, at);
  deployment.status = "InProgress";
}

function hook(course: Course, deployment: CodeDeployment, event: LifecycleEvent, passed: () => void): void {
  const lambda = deployment.spec.hooks[event.name];
  const duration = lambda === undefined ? 100 : course.ecs.timing.stage;
  later(course, deployment, duration, () => {
    if (lambda === undefined || !course.state.failingHooks.has(lambda)) {
      passed();
      return;
    }
    event.diagnostics = { errorCode: "ScriptFailed", message: `The hook ${lambda} answered Failed.` };
    fail(course, deployment, "HOOK_EXECUTION_FAILURE", `One or more hook functions of ${event.name} failed.`);
  });
}

function install(
  course: Course,
  deployment: CodeDeployment,
  event: LifecycleEvent,
  passed: () => void,
): void {
  const limit = course.ecs.time.now() + installLimit;
  const look = () => {
    keepUp(course, deployment.group.service);
    const { replacement } = deployment;
    const healthy = deployment.group.service.tasks.filter(
      (task) => task.deployment === replacement && isHealthy(task),
    );
    if (healthy.length >= replacement.desired) passed();
    else if (course.ecs.time.now() >= limit) {
      event.diagnostics = { errorCode: "UnknownError", message: "The task set did not become stable." };
      fail(
        course,
        deployment,
        "ECS_UPDATE_ERROR",
        "The deployment timed out while waiting for the replacement task set to become healthy.",
      );
    } else later(course, deployment, 1000, look);
  };
  look();
}

function shift(course: Course, deployment: CodeDeployment, passed: () => void): void {
  const plan = course.state.configs.get(deployment.config) ?? { type: "AllAtOnce" };
  const part = plan.type === "AllAtOnce" ? 100 : plan.percent;
  const pause = plan.type === "AllAtOnce" ? 0 : plan.minutes * 60_000;
  const step = () => {
    const whole = plan.type === "TimeBasedCanary" && deployment.weight > 0;
    deployment.weight = whole ? 100 : Math.min(100, deployment.weight + part);
    if (deployment.weight < 100) {
      later(course, deployment, pause, step);
      return;
    }
    const { service } = deployment.group;
    makePrimary(service, deployment.replacement);
    apply(service, deployment);
    later(course, deployment, course.ecs.timing.stage, passed);
  };
  later(course, deployment, course.ecs.timing.stage, step);
}

function makePrimary(service: FakeService, primary: Deployment): void {
  for (const one of service.deployments) one.status = one === primary ? "PRIMARY" : "ACTIVE";
  service.definition = primary.revision.definition;
}

/** What the appspec says holds for the service; what it does not say is gone, as with AWS. */
function apply(service: FakeService, deployment: CodeDeployment): void {
  const { spec } = deployment;
  if (spec.networkConfiguration) service.members["networkConfiguration"] = spec.networkConfiguration;
  if (spec.platformVersion) service.members["platformVersion"] = spec.platformVersion;
  if (spec.capacityProviderStrategy)
    service.members["capacityProviderStrategy"] = spec.capacityProviderStrategy;
  else delete service.members["capacityProviderStrategy"];
}

function terminate(course: Course, deployment: CodeDeployment): void {
  deployment.terminating = deployment.group.terminationWait > 0;
  later(course, deployment, deployment.group.terminationWait * 60_000, () => {
    const { service } = deployment.group;
    dropSet(course, service, deployment.original);
    end(course, deployment, "Succeeded");
    deployment.replacement.rolloutState = "COMPLETED";
    service.completed = deployment.replacement;
  });
}

function dropSet(course: Course, service: FakeService, set: Deployment): void {
  stopTasks(course.ecs, course.events, service, set);
  service.deployments = service.deployments.filter((one) => one !== set);
}

function end(course: Course, deployment: CodeDeployment, status: CodeDeployment["status"]): void {
  for (const cancel of deployment.cancel.splice(0)) cancel();
  deployment.status = status;
  deployment.completedAt = course.ecs.time.now();
  for (const event of deployment.events) {
    if (event.status === "Pending") event.status = "Skipped";
    if (event.status === "InProgress")
      Object.assign(event, { status: "Failed", endTime: course.ecs.time.now() });
  }
}

/** The deployment fails; the group may have asked to go back then. */
export function fail(course: Course, deployment: CodeDeployment, code: string, message: string): void {
  deployment.error = { code, message };
  end(course, deployment, "Failed");
  const kind = code === "ALARM_ACTIVE" ? "DEPLOYMENT_STOP_ON_ALARM" : "DEPLOYMENT_FAILURE";
  if (deployment.autoRollback.includes(kind)) goBack(course, deployment);
}

/** Stops a deployment; with `back`, and where the group says so, the old task set gets the traffic again. */
export function stop(course: Course, deployment: CodeDeployment, back: boolean): void {
  end(course, deployment, "Stopped");
  if (back) goBack(course, deployment);
}

/** CodeDeploy's own rollback: a deployment of its own that redirects the traffic to the task set from before. */
function goBack(course: Course, failed: CodeDeployment): void {
  const { ecs, state } = course;
  const rollback: CodeDeployment = {
    id: `d-${ecs.unique(9).toUpperCase()}`,
    group: failed.group,
    revision: failed.revision,
    spec: { ...failed.spec, taskDefinition: failed.original.revision.definition.arn },
    config: failed.config,
    creator: "codeDeployRollback",
    autoRollback: [],
    createdAt: ecs.time.now(),
    original: failed.replacement,
    replacement: failed.original,
    events: withoutTest.map((name): LifecycleEvent => ({ name, status: "Pending" })),
    status: "Created",
    weight: 0,
    terminating: false,
    cancel: [],
    rollback: { triggering: failed.id, message: `Deployment ${failed.id} was rolled back.` },
  };
  failed.rollback = { id: rollback.id, message: `Deployment was rolled back by deployment ${rollback.id}.` };
  state.deployments.unshift(rollback);
  later(course, rollback, ecs.timing.stage, () => {
    rollback.status = "InProgress";
    rollback.startedAt = ecs.time.now();
    makePrimary(failed.group.service, failed.original);
    rollback.weight = 100;
    dropSet(course, failed.group.service, failed.replacement);
    later(course, rollback, ecs.timing.stage, () => {
      for (const event of rollback.events) event.status = "Succeeded";
      end(course, rollback, "Succeeded");
    });
  });
}

/** Every task set has its tasks. */
export function keepUp(course: Course, service: FakeService): void {
  for (const deployment of service.deployments) {
    const live = service.tasks.filter(
      (task) => task.deployment === deployment && task.desiredStatus === "RUNNING",
    );
    startTasks(course.ecs, course.events, service, deployment, deployment.desired - live.length);
  }
}

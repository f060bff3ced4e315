import type { Behaviour } from "../behaviour.ts";
import type { Json } from "../types.ts";
import { elbReason, startFailure } from "./reasons.ts";
import type { Deployment, EcsState, FakeService, FakeTask, TaskDefinition } from "./state.ts";

/** What a new task is made from. */
export interface Launch {
  readonly cluster: string;
  readonly definition: TaskDefinition;
  readonly behaviour: Behaviour;
  readonly startedBy: string;
  readonly group: string;
  readonly shown: Json;
  readonly service?: FakeService;
  readonly deployment?: Deployment;
}

/** What the scheduler of services wants to know of a task. */
export interface TaskEvents {
  /** The task is up and passes its checks. */
  healthy(task: FakeTask): void;
  /** The task never came up, or failed a check. */
  failed(task: FakeTask): void;
  /** Something about it changed. */
  changed(task: FakeTask): void;
}

/** Starts a task; what becomes of it follows from its behaviour. */
export function launch(ecs: EcsState, events: TaskEvents, plan: Launch): FakeTask {
  const { place, time, timing } = ecs;
  const id = ecs.unique(32);
  const count = ecs.tasks.length;
  const task: FakeTask = {
    id,
    arn: `arn:${place.partition}:ecs:${place.region}:${place.account}:task/${plan.cluster}/${id}`,
    cluster: plan.cluster,
    definition: plan.definition,
    role: plan.service ? "service" : "task",
    behaviour: plan.behaviour,
    ...(plan.service ? { service: plan.service } : {}),
    ...(plan.deployment ? { deployment: plan.deployment } : {}),
    startedBy: plan.startedBy,
    group: plan.group,
    createdAt: time.now(),
    ip: `10.0.${1 + Math.floor(count / 200)}.${10 + (count % 200)}`,
    shown: plan.shown,
    lastStatus: "PROVISIONING",
    desiredStatus: "RUNNING",
    health: "UNKNOWN",
    target: { state: "none" },
    exits: {},
    cancel: [],
  };
  ecs.tasks.push(task);
  plan.service?.tasks.push(task);
  later(ecs, task, timing.provision, () => {
    task.lastStatus = "PENDING";
    if (ecs.host) ecs.host.start(task);
    else if (task.behaviour.kind !== "stuck") later(ecs, task, timing.pull, () => start(ecs, events, task));
  });
  return task;
}

/** Does `run` after `ms` unless the task is told to stop before. */
function later(ecs: EcsState, task: FakeTask, ms: number, run: () => void): void {
  task.cancel.push(ecs.time.after(ms, run));
}

function start(ecs: EcsState, events: TaskEvents, task: FakeTask): void {
  const { behaviour } = task;
  const refused = startFailure(ecs.place, task);
  if (refused) {
    const [first] = containerNames(task);
    if (refused.container && first !== undefined) task.exits[first] = { reason: refused.reason };
    end(ecs, events, task, { stopCode: "TaskFailedToStart", reason: refused.reason, failed: true });
    return;
  }
  const logs = "logs" in behaviour ? (behaviour.logs ?? []) : [];
  if (logs.length > 0) ecs.log(task, logs);
  const ends = behaviour.kind === "exits" || behaviour.kind === "out-of-memory";
  if (ends && behaviour.afterMs === undefined) exit(ecs, events, task, true);
  else run(ecs, events, task);
}

/** The task reaches RUNNING. */
function run(ecs: EcsState, events: TaskEvents, task: FakeTask): void {
  const { behaviour } = task;
  const { timing } = ecs;
  becomeRunning(ecs, events, task);
  switch (behaviour.kind) {
    case "exits":
    case "out-of-memory":
      pass(ecs, events, task, Math.min(timing.healthy, (behaviour.afterMs ?? 0) / 2));
      later(ecs, task, behaviour.afterMs ?? 0, () => exit(ecs, events, task, false));
      return;
    case "container-unhealthy":
      later(ecs, task, behaviour.afterMs ?? timing.unhealthy, () => failContainer(ecs, events, task));
      return;
    case "target-unhealthy":
      later(ecs, task, behaviour.afterMs ?? timing.unhealthy, () =>
        failTarget(ecs, events, task, behaviour.reason, behaviour.description),
      );
      return;
    case "interrupted":
      pass(ecs, events, task, timing.healthy);
      later(ecs, task, behaviour.afterMs, () =>
        end(ecs, events, task, { stopCode: "SpotInterruption", reason: "Your Spot Task was interrupted." }),
      );
      return;
    default:
      pass(
        ecs,
        events,
        task,
        "healthyAfterMs" in behaviour ? (behaviour.healthyAfterMs ?? timing.healthy) : timing.healthy,
      );
  }
}

/** Marks a task as RUNNING, known to its load balancer. */
export function becomeRunning(ecs: EcsState, events: TaskEvents, task: FakeTask): void {
  task.lastStatus = "RUNNING";
  task.startedAt = ecs.time.now();
  if (hasTarget(task)) {
    task.target = {
      state: "initial",
      reason: "Elb.InitialHealthChecking",
      description: "Initial health checks in progress",
    };
  }
  if (isHealthy(task)) events.healthy(task);
  events.changed(task);
}

/** Health checks pass after `ms`. */
function pass(ecs: EcsState, events: TaskEvents, task: FakeTask, ms: number): void {
  if (!hasTarget(task) && !hasHealthCheck(task)) return;
  later(ecs, task, ms, () => becomeHealthy(events, task));
}

/** Marks a running task's checks as passed: both of them, or only the container's or the load balancer's. */
export function becomeHealthy(events: TaskEvents, task: FakeTask, check?: "container" | "target"): void {
  if (hasHealthCheck(task) && check !== "target") task.health = "HEALTHY";
  if (hasTarget(task) && check !== "container") task.target = { state: "healthy" };
  if (isHealthy(task)) events.healthy(task);
  events.changed(task);
}

/** The container's own health check says no; a service replaces the task. */
export function failContainer(ecs: EcsState, events: TaskEvents, task: FakeTask): void {
  task.health = "UNHEALTHY";
  if (task.service) {
    end(ecs, events, task, {
      stopCode: "ServiceSchedulerInitiated",
      reason: "Task failed container health checks",
      failed: true,
    });
  }
  events.changed(task);
}

/** The load balancer's health check says no; the service replaces the task. */
export function failTarget(
  ecs: EcsState,
  events: TaskEvents,
  task: FakeTask,
  code = "Target.ResponseCodeMismatch",
  description = elbReason(code),
): void {
  task.target = { state: "unhealthy", reason: code, description };
  const group = targetGroupOf(task);
  later(ecs, task, 1000, () =>
    end(ecs, events, task, {
      stopCode: "ServiceSchedulerInitiated",
      reason: `Task failed ELB health checks in (target-group ${group})`,
      failed: true,
    }),
  );
  events.changed(task);
}

function exit(ecs: EcsState, events: TaskEvents, task: FakeTask, failed: boolean): void {
  const { behaviour } = task;
  const main = essential(task);
  const oom = "OutOfMemoryError: Container killed due to memory usage";
  if (behaviour.kind === "out-of-memory") task.exits[main] = { code: 137, reason: oom };
  if (behaviour.kind === "exits") {
    task.exits[main] = { code: behaviour.code, ...(behaviour.reason ? { reason: behaviour.reason } : {}) };
    for (const [name, code] of Object.entries(behaviour.codes ?? {})) {
      task.exits[name] = code === null ? {} : { code };
    }
  }
  end(ecs, events, task, {
    stopCode: "EssentialContainerExited",
    reason: "Essential container in task exited",
    failed,
    quick: true,
  });
}

/** Why and how a task ends. */
export interface End {
  readonly stopCode: string;
  readonly reason: string;
  /** Counts as a failure of its deployment. */
  readonly failed?: boolean;
  /** Nothing runs any more: no time for SIGTERM is needed. */
  readonly quick?: boolean;
}

/** Stops a task: it drains, gets SIGTERM, and is STOPPED in the end. Does nothing to a task that is stopping. */
export function end(ecs: EcsState, events: TaskEvents, task: FakeTask, how: End): void {
  if (task.desiredStatus === "STOPPED") return;
  const { time, timing } = ecs;
  for (const cancel of task.cancel.splice(0)) cancel();
  const served = task.lastStatus === "RUNNING" && task.target.state === "healthy" && !how.quick;
  const ran = task.lastStatus === "RUNNING";
  task.desiredStatus = "STOPPED";
  task.stopCode = how.stopCode;
  task.stoppedReason = how.reason;
  task.stoppingAt = time.now();
  if (task.target.state !== "none") {
    task.target = {
      state: "draining",
      reason: "Target.DeregistrationInProgress",
      description: "Target deregistration is in progress",
    };
  }
  task.lastStatus = served ? "DEACTIVATING" : "STOPPING";
  if (how.failed) events.failed(task);
  events.changed(task);
  time.after(served ? timing.drain : 0, () => {
    task.lastStatus = "STOPPING";
    if (ecs.host) ecs.host.stop(task);
    else time.after(ran && !how.quick ? timing.stop : 0, () => finish(ecs, events, task, ran));
  });
}

/** The task's last container is gone. */
export function finish(ecs: EcsState, events: TaskEvents, task: FakeTask, ran: boolean): void {
  if (task.lastStatus === "STOPPED") return;
  for (const name of ran ? containerNames(task) : []) task.exits[name] ??= { code: 143 };
  task.lastStatus = "STOPPED";
  task.stoppedAt = ecs.time.now();
  task.target = { state: "none" };
  events.changed(task);
}

/** Whether the task counts as healthy: it runs, and every check that it has passes. */
export function isHealthy(task: FakeTask): boolean {
  if (task.lastStatus !== "RUNNING" || task.desiredStatus !== "RUNNING") return false;
  return (
    (!hasHealthCheck(task) || task.health === "HEALTHY") &&
    (!hasTarget(task) || task.target.state === "healthy")
  );
}

/** Whether the task's containers are checked by ECS. */
export function hasHealthCheck(task: FakeTask): boolean {
  return containers(task).some((container) => container["healthCheck"] !== undefined);
}

/** Whether the task belongs to a service behind a load balancer. */
export function hasTarget(task: FakeTask): boolean {
  return task.service !== undefined && targetGroupOf(task) !== undefined;
}

/** The target group of the task's service. */
export function targetGroupOf(task: FakeTask): string | undefined {
  const balancers = task.service?.members["loadBalancers"] as readonly Json[] | undefined;
  return balancers?.[0]?.["targetGroupArn"] as string | undefined;
}

/** The container definitions of a task. */
export function containers(task: FakeTask): readonly Json[] {
  return (task.definition.body["containerDefinitions"] as readonly Json[] | undefined) ?? [];
}

/** The names of its containers. */
export function containerNames(task: FakeTask): readonly string[] {
  return containers(task).map((container) => String(container["name"]));
}

function essential(task: FakeTask): string {
  const found = containers(task).find((container) => container["essential"] !== false);
  return String(found?.["name"] ?? containerNames(task)[0]);
}

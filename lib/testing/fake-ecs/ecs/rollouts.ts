import { copy, type Json, seconds } from "../types.ts";
import { breakerSettings } from "./breaker.ts";
import type { Deployment, EcsState, FakeService, Revision, Rollout, TaskDefinition } from "./state.ts";
import { end, type TaskEvents } from "./tasks.ts";

const active: readonly string[] = [
  "PENDING",
  "IN_PROGRESS",
  "STOP_REQUESTED",
  "ROLLBACK_REQUESTED",
  "ROLLBACK_IN_PROGRESS",
];

/** Whether a service deployment is still under way. */
export function isActive(rollout: Rollout): boolean {
  return active.includes(rollout.status);
}

/** The service deployment under way. */
export function activeRollout(service: FakeService): Rollout | undefined {
  return service.rollouts.find(isActive);
}

/** The deployment that the service is to have. */
export function primaryOf(service: FakeService): Deployment | undefined {
  return service.deployments.find((deployment) => deployment.status === "PRIMARY");
}

/** Adds an event to the service, newest first, at most the 100 that AWS shows. */
export function addEvent(ecs: EcsState, service: FakeService, message: string): void {
  const event: Json = {
    id: `${ecs.unique(8)}-${ecs.unique(4)}-4${ecs.unique(3)}-8${ecs.unique(3)}-${ecs.unique(12)}`,
    createdAt: seconds(ecs.time.now()),
    message: `(service ${service.name}) ${message}`,
  };
  service.events = [event, ...service.events].slice(0, 100);
}

/** A revision of the service as it is set up now. */
export function makeRevision(ecs: EcsState, service: FakeService, definition: TaskDefinition): Revision {
  const { place } = ecs;
  const id = ecs.digits(19);
  const containers = (definition.body["containerDefinitions"] ?? []) as readonly Json[];
  const kept = [
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "platformFamily",
    "loadBalancers",
    "networkConfiguration",
  ];
  const revision: Revision = {
    arn: `arn:${place.partition}:ecs:${place.region}:${place.account}:service-revision/${service.cluster}/${service.name}/${id}`,
    createdAt: ecs.time.now(),
    definition,
    members: copy(
      Object.fromEntries(
        kept.flatMap((name) => (name in service.members ? [[name, service.members[name]]] : [])),
      ),
    ),
    images: containers.map((container) => ({
      containerName: container["name"],
      image: container["image"],
      imageDigest: digestOf(String(container["image"])),
    })),
  };
  service.revisions.push(revision);
  return revision;
}

/** A digest that is the same for the same image, as long as nobody says otherwise. */
export function digestOf(image: string): string {
  const written = image.split("@")[1];
  if (written) return written;
  let hash = 0x811c9dc5;
  let text = "";
  for (let round = 0; text.length < 64; round += 1) {
    for (const char of `${image}${round}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
    text += hash.toString(16).padStart(8, "0");
  }
  return `sha256:${text.slice(0, 64)}`;
}

/** A new PRIMARY; the one before stays ACTIVE until its tasks are gone. */
export function addDeployment(ecs: EcsState, service: FakeService, revision: Revision): Deployment {
  const now = ecs.time.now();
  const id = `ecs-svc/${ecs.digits(19)}`;
  for (const other of service.deployments) {
    other.status = "ACTIVE";
  }
  const deployment: Deployment = {
    id,
    revision,
    createdAt: now,
    updatedAt: now,
    status: "PRIMARY",
    desired: service.desired,
    failed: 0,
    launched: 0,
    rolloutState: "IN_PROGRESS",
    rolloutStateReason: `ECS deployment ${id} in progress.`,
    retryAt: 0,
    retryPause: ecs.timing.retry,
  };
  service.deployments = [deployment, ...service.deployments];
  return deployment;
}

/** Begins a service deployment to `definition`; what was under way is given up for it. */
export function beginRollout(ecs: EcsState, service: FakeService, definition: TaskDefinition): Rollout {
  const now = ecs.time.now();
  const before = activeRollout(service);
  const source = runningRevision(service);
  if (before) {
    finishRollout(
      ecs,
      before,
      "STOPPED",
      "The service deployment was stopped because a newer one was started.",
    );
  }
  const revision = makeRevision(ecs, service, definition);
  const deployment = addDeployment(ecs, service, revision);
  const configuration = copy((service.members["deploymentConfiguration"] ?? {}) as Json);
  const strategy = (configuration["strategy"] ?? "ROLLING") as Rollout["strategy"];
  const { place } = ecs;
  const rollout: Rollout = {
    arn: `arn:${place.partition}:ecs:${place.region}:${place.account}:service-deployment/${service.cluster}/${service.name}/${ecs.unique(21)}`,
    createdAt: now,
    updatedAt: now,
    target: revision,
    ...(source ? { source } : {}),
    deployment,
    strategy,
    configuration,
    status: "PENDING",
    hooks: [],
    steps: [],
    step: -1,
    passAt: 0,
    settling: false,
    weight: strategy === "ROLLING" ? 100 : 0,
    testWeight: strategy === "ROLLING" ? 100 : 0,
    breaker: strategy === "ROLLING" && breakerSettings(configuration).enable ? "MONITORING" : "DISABLED",
    alarms: alarmNames(configuration).length > 0 ? "MONITORING" : "DISABLED",
    triggered: [],
    cancel: [],
  };
  // An alarm that already rings when the deployment begins is not looked at in it (AWS's own rule).
  if (alarmNames(configuration).some((name) => ecs.alarms.has(name))) rollout.alarms = "DISABLED";
  service.rollouts = [rollout, ...service.rollouts];
  rollout.cancel.push(
    ecs.time.after(500, () => {
      rollout.status = "IN_PROGRESS";
      rollout.startedAt = ecs.time.now();
      rollout.updatedAt = ecs.time.now();
      ecs.look(service);
    }),
  );
  return rollout;
}

/** The revision that serves: of the last deployment that completed, else of the newest. */
export function runningRevision(service: FakeService): Revision | undefined {
  return service.completed?.revision ?? primaryOf(service)?.revision;
}

/** Alarms that the deployment watches. */
export function alarmNames(configuration: Json): readonly string[] {
  const alarms = (configuration["alarms"] ?? {}) as Json;
  return alarms["enable"] === true ? ((alarms["alarmNames"] ?? []) as readonly string[]) : [];
}

/** Ends a service deployment. */
export function finishRollout(
  ecs: EcsState,
  rollout: Rollout,
  status: Rollout["status"],
  reason?: string,
): void {
  for (const cancel of rollout.cancel.splice(0)) cancel();
  const now = ecs.time.now();
  rollout.status = status;
  if (reason !== undefined) rollout.statusReason = reason;
  rollout.startedAt ??= now;
  rollout.finishedAt = now;
  rollout.updatedAt = now;
  if (status === "STOPPED") rollout.stoppedAt = now;
  if (rollout.breaker === "MONITORING") rollout.breaker = "MONITORING_COMPLETE";
  if (rollout.alarms === "MONITORING") rollout.alarms = "MONITORING_COMPLETE";
}

/**
 * ECS goes back to the last deployment that completed: ours turns FAILED, a new
 * PRIMARY with the old revision appears, and the service deployment stays the same
 * object on its way through ROLLBACK_*. Returns false when there is nowhere to go.
 */
export function rollBack(ecs: EcsState, service: FakeService, rollout: Rollout, reason: string): boolean {
  const good = service.completed;
  const revision = good?.revision ?? rollout.source;
  if (!revision) return false;
  const now = ecs.time.now();
  const { deployment } = rollout;
  deployment.rolloutState = "FAILED";
  deployment.rolloutStateReason ??= reason;
  deployment.updatedAt = now;
  const back = addDeployment(ecs, service, revision);
  back.rolloutStateReason = `ECS deployment circuit breaker: rolling back to deploymentId ${good?.id ?? back.id}.`;
  service.definition = revision.definition;
  rollout.back = { deployment: back, at: now, reason, swapped: false };
  rollout.settling = false;
  rollout.weight = 0;
  rollout.testWeight = 0;
  rollout.status = "ROLLBACK_IN_PROGRESS";
  rollout.statusReason = reason;
  rollout.updatedAt = now;
  return true;
}

/** Stops every task of a deployment, at once. */
export function stopTasks(
  ecs: EcsState,
  events: TaskEvents,
  service: FakeService,
  deployment: Deployment,
): void {
  for (const task of service.tasks.filter((other) => other.deployment === deployment)) {
    end(ecs, events, task, {
      stopCode: "ServiceSchedulerInitiated",
      reason: `Scaling activity initiated by (deployment ${deployment.id})`,
    });
  }
}

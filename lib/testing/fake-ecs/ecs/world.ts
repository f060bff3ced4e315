import type { Behaviours } from "../behaviour.ts";
import { pick } from "../random.ts";
import type { Timeline } from "../timeline.ts";
import { copy, type Json, type Operation } from "../types.ts";
import { breakerSettings } from "./breaker.ts";
import { definitionOperations } from "./definitions.ts";
import { deploymentOperations } from "./deployments.ts";
import { isNative, reconcileNative, ringNative, rolloutMoves } from "./native.ts";
import { countFailure, reconcileRolling, ring } from "./rolling.ts";
import { activeRollout } from "./rollouts.ts";
import { serviceOperations } from "./services.ts";
import type { EcsState, FakeService, FakeTask, Place, Timing } from "./state.ts";
import { taskOperations } from "./task-operations.ts";
import type { TaskEvents } from "./tasks.ts";

/** ECS as a whole. */
export interface EcsWorld {
  readonly state: EcsState;
  readonly events: TaskEvents;
  readonly operations: Readonly<Record<string, Operation>>;
  /** An alarm begins to ring, or stops to. */
  ring(alarm: string, on: boolean): void;
}

/** What ECS is made from. */
export interface EcsParts {
  readonly place: Place;
  readonly time: Timeline;
  readonly timing: Timing;
  readonly behaviours: Behaviours;
  readonly random: () => number;
  readonly log: EcsState["log"];
  /** Looks after the services that another controller deploys. */
  readonly foreign: (service: FakeService) => void;
}

/** ECS's scheduler looks again so many milliseconds after something changed. */
const attention = 250;

/** Puts the parts of ECS together. */
export function ecsWorld(parts: EcsParts): EcsWorld {
  const state: EcsState = {
    ...parts,
    clusters: new Set(["default"]),
    families: new Map(),
    lostFields: [],
    services: [],
    tasks: [],
    tokens: new Map(),
    staleReads: undefined,
    listedAfter: 0,
    alarms: new Set(),
    failingHooks: new Set(),
    unique: (length) => pick(parts.random, "0123456789abcdef", length),
    digits: (length) => pick(parts.random, "123456789", length),
    look: (service) => look(service),
  };
  const look = (service: FakeService) => {
    if (service.scheduled) return;
    service.scheduled = true;
    state.time.after(attention, () => {
      service.scheduled = false;
      if (service.controller !== "ECS") parts.foreign(service);
      else if (isNative(service)) reconcileNative(state, events, service);
      else reconcileRolling(state, events, service);
    });
  };
  const events: TaskEvents = {
    healthy: (task) => noteHealthy(task),
    failed: (task) => {
      if (task.service && task.deployment) countFailure(state, task.service, task.deployment);
    },
    changed: (task) => {
      if (task.service) look(task.service);
    },
  };
  const operations = {
    ...definitionOperations(state),
    ...serviceOperations(state),
    ...deploymentOperations(state, rolloutMoves(state, events)),
    ...taskOperations(state, events),
  };
  const ringAlarm = (alarm: string, on: boolean) => {
    if (!on) return void state.alarms.delete(alarm);
    state.alarms.add(alarm);
    for (const service of state.services) {
      ring(state, service, alarm);
      ringNative(state, events, service, alarm);
    }
  };
  return { state, events, operations, ring: ringAlarm };
}

/** A healthy task sets the count of failures to 0, unless the breaker is told to add them up. */
function noteHealthy(task: FakeTask): void {
  const { service, deployment } = task;
  if (!service || !deployment) return;
  const configuration =
    activeRollout(service)?.configuration ?? copy((service.members["deploymentConfiguration"] ?? {}) as Json);
  if (breakerSettings(configuration).resetOnHealthyTask) deployment.failed = 0;
}

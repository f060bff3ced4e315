import type { Behaviour, Behaviours, Role } from "../behaviour.ts";
import type { Timeline } from "../timeline.ts";
import type { Json } from "../types.ts";

/** Names that every ARN of the world carries. */
export interface Place {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

/** How long things take, in milliseconds of the world. */
export interface Timing {
  /** From the start of a task to PENDING, and from there to RUNNING (pull and start). */
  readonly provision: number;
  readonly pull: number;
  /** From SIGTERM to STOPPED. */
  readonly stop: number;
  /** How long a target keeps its open connections after its task was told to stop. */
  readonly drain: number;
  /** From RUNNING to healthy, for a behaviour that says nothing. */
  readonly healthy: number;
  /** From RUNNING to the verdict of a failing health check. */
  readonly unhealthy: number;
  /** Pause before a failed task is replaced; grows by half with each failure in a row, to `retryMax`. */
  readonly retry: number;
  readonly retryMax: number;
  /** From the last old task to COMPLETED. */
  readonly settle: number;
  /** Bake of a rolling deployment with alarms, after the old tasks are gone. */
  readonly alarmBake: number;
  /** One lifecycle stage of a native blue/green, linear or canary deployment that has nothing to wait for. */
  readonly stage: number;
}

/** The defaults: a fast Fargate. */
export const defaultTiming: Timing = {
  provision: 2000,
  pull: 6000,
  stop: 3000,
  drain: 5000,
  healthy: 5000,
  unhealthy: 15000,
  retry: 5000,
  retryMax: 60000,
  settle: 1000,
  alarmBake: 60000,
  stage: 2000,
};

/** One registered revision. */
export interface TaskDefinition {
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  /** As DescribeTaskDefinition shows it, tags apart. */
  readonly body: Json;
  readonly tags: readonly Json[];
  status: "ACTIVE" | "INACTIVE";
  deregisteredAt?: number;
}

/** A task of a service or a one-off task. */
export interface FakeTask {
  readonly id: string;
  readonly arn: string;
  readonly cluster: string;
  readonly definition: TaskDefinition;
  readonly role: Role;
  readonly behaviour: Behaviour;
  readonly service?: FakeService;
  readonly deployment?: Deployment;
  readonly startedBy: string;
  readonly group: string;
  readonly createdAt: number;
  readonly ip: string;
  /** Members of the RunTask or service call that are shown again (launchType, overrides, tags ...). */
  readonly shown: Json;
  lastStatus: "PROVISIONING" | "PENDING" | "RUNNING" | "DEACTIVATING" | "STOPPING" | "STOPPED";
  desiredStatus: "RUNNING" | "STOPPED";
  startedAt?: number;
  stoppingAt?: number;
  stoppedAt?: number;
  stopCode?: string;
  stoppedReason?: string;
  health: "UNKNOWN" | "HEALTHY" | "UNHEALTHY";
  target: TargetState;
  /** Exit codes and reasons of single containers, known once the task has stopped. */
  exits: Record<string, { code?: number; reason?: string }>;
  /** Calls off what was still to happen to it. */
  cancel: (() => void)[];
}

/** What the load balancer says of a task. */
export interface TargetState {
  state: "none" | "initial" | "healthy" | "unhealthy" | "draining";
  reason?: string;
  description?: string;
}

/** An entry of a service's `deployments`. */
export interface Deployment {
  readonly id: string;
  readonly revision: Revision;
  readonly createdAt: number;
  status: "PRIMARY" | "ACTIVE" | "INACTIVE";
  updatedAt: number;
  desired: number;
  /** Failures in a row, as `failedTasks` shows them. */
  failed: number;
  /** Tasks started so far. */
  launched: number;
  rolloutState?: "IN_PROGRESS" | "COMPLETED" | "FAILED";
  rolloutStateReason?: string;
  /** No task is started before this time. */
  retryAt: number;
  retryPause: number;
}

/** A service revision. */
export interface Revision {
  readonly arn: string;
  readonly createdAt: number;
  readonly definition: TaskDefinition;
  readonly members: Json;
  readonly images: readonly Json[];
}

/** The states of a service deployment. */
export type RolloutStatus =
  | "PENDING"
  | "IN_PROGRESS"
  | "STOP_REQUESTED"
  | "ROLLBACK_REQUESTED"
  | "ROLLBACK_IN_PROGRESS"
  | "SUCCESSFUL"
  | "STOPPED"
  | "ROLLBACK_SUCCESSFUL"
  | "ROLLBACK_FAILED";

/** The way back of a service deployment. */
export interface Back {
  readonly deployment: Deployment;
  readonly at: number;
  readonly reason: string;
  /** The old tasks were still there: the traffic went back to them at once, and no new ones are started. */
  readonly swapped: boolean;
}

/** One step of a native deployment. */
export interface Step {
  readonly stage: string;
  /** Percent of the production and of the test traffic from this step on. */
  readonly weight: number;
  readonly testWeight: number;
  /** Milliseconds that it takes, or what it waits for. */
  readonly lasts: number | "scaled-up" | "cleaned-up";
}

/** A service deployment: one change from source revisions to a target revision, its rollback included. */
export interface Rollout {
  readonly arn: string;
  readonly createdAt: number;
  readonly target: Revision;
  readonly source?: Revision;
  readonly deployment: Deployment;
  readonly strategy: "ROLLING" | "BLUE_GREEN" | "LINEAR" | "CANARY";
  readonly configuration: Json;
  status: RolloutStatus;
  statusReason?: string;
  startedAt?: number;
  finishedAt?: number;
  stoppedAt?: number;
  updatedAt: number;
  /** Where it goes back to, once it does. */
  back?: Back;
  /** The lifecycle stage of a native blue/green, linear or canary deployment. */
  stage?: string;
  /** The steps of such a deployment, and the one that it is in. */
  steps: readonly Step[];
  step: number;
  /** The step is over at this time, if its hooks agree. */
  passAt: number;
  /** A rolling deployment is done but for its last pause (and its bake). */
  settling: boolean;
  hooks: Json[];
  /** Percent of the production and of the test traffic that the target revision gets. */
  weight: number;
  testWeight: number;
  breaker: "MONITORING" | "TRIGGERED" | "MONITORING_COMPLETE" | "DISABLED";
  alarms: "MONITORING" | "TRIGGERED" | "MONITORING_COMPLETE" | "DISABLED";
  triggered: string[];
  /** Calls off what was still to happen to it. */
  cancel: (() => void)[];
}

/** A service. */
export interface FakeService {
  readonly name: string;
  readonly arn: string;
  readonly cluster: string;
  readonly createdAt: number;
  /** Members shown as they are (loadBalancers, networkConfiguration, launchType ...). */
  readonly members: Json;
  readonly tags: readonly Json[];
  status: "ACTIVE" | "DRAINING" | "INACTIVE";
  desired: number;
  definition: TaskDefinition;
  controller: "ECS" | "CODE_DEPLOY" | "EXTERNAL";
  deployments: Deployment[];
  /** The last deployment that completed, also after it vanished: where ECS's own rollback goes. */
  completed?: Deployment;
  /** Newest first. */
  rollouts: Rollout[];
  revisions: Revision[];
  /** Newest first, as AWS lists them. */
  events: Json[];
  /** The task sets of a service that another controller deploys. */
  taskSets: () => readonly Json[];
  tasks: FakeTask[];
  /** What DescribeServices still shows after an update, when reads are stale. */
  stale?: { readonly until: number; readonly answer: Json | undefined };
  /** A reconciliation is on its way. */
  scheduled: boolean;
  /** AWS gives no rolloutState for some services (classic load balancers): then none is shown. */
  showRolloutState: boolean;
}

/** Reads that lag behind an UpdateService: the service as it was, MISSING, or not in the answer at all. */
export interface StaleReads {
  readonly forMs: number;
  readonly as: "before" | "missing" | "empty";
}

/** Everything that ECS knows. */
export interface EcsState {
  readonly place: Place;
  readonly time: Timeline;
  readonly timing: Timing;
  readonly behaviours: Behaviours;
  readonly clusters: Set<string>;
  readonly families: Map<string, TaskDefinition[]>;
  /** Paths of task definition members that AWS loses without a word (`containerDefinitions.*.newThing`). */
  readonly lostFields: string[];
  services: FakeService[];
  tasks: FakeTask[];
  /** Answers of RunTask by client token. */
  readonly tokens: Map<string, Json>;
  /** What reads show after UpdateService, and for how many milliseconds. */
  staleReads: StaleReads | undefined;
  /** Milliseconds until a new service deployment is listed. */
  listedAfter: number;
  /** Lambda functions of lifecycle hooks that answer FAILED, by ARN. */
  readonly failingHooks: Set<string>;
  /** Names of alarms that are in ALARM now. */
  readonly alarms: Set<string>;
  /** Appends lines to a container's log stream. */
  readonly log: (task: FakeTask, lines: readonly string[], container?: string) => void;
  /** Told when a task starts and when it is to stop; the container host of a demo hangs in here. */
  host?: ContainerHost;
  /** Random letters and digits from the world's seed. */
  readonly unique: (length: number) => string;
  readonly digits: (length: number) => string;
  /** Has the scheduler look at the service soon. */
  readonly look: (service: FakeService) => void;
}

/** Who really runs containers. */
export interface ContainerHost {
  start(task: FakeTask): void;
  stop(task: FakeTask): void;
}

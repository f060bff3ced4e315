import type { RecordInputs } from "../../../../lib/github/deployments.ts";
import type { HealthCheck } from "../../../../lib/health.ts";
import type { RolloutInputs } from "../../../../lib/rollout/inputs.ts";
import type { DefinitionSource, Edits, JsonObject } from "../definition/model.ts";

/** Everything that a run of the action was asked for. */
export interface Inputs {
  readonly service: ServiceInputs;
  /** Where the task definition comes from. */
  readonly source: DefinitionSource;
  readonly edits: Edits;
  /** Names that the log and the outputs must be able to show: no value that is a part of one is masked. */
  readonly shown: readonly string[];
  readonly watch: WatchInputs;
  /** undefined unless `run-task` is on. */
  readonly task: TaskInputs | undefined;
  readonly codeDeploy: CodeDeployInputs;
  /** Names or ARNs of EventBridge rules (`rule`, `bus/rule`) and Scheduler schedules (`schedule`, `group/schedule`). */
  readonly schedules: readonly string[];
  /** Newest revisions of the family that pruning keeps; 0: nothing is pruned. */
  readonly keepRevisions: number;
  readonly health: HealthCheck;
  /** `timeoutMs` also from `wait-for-minutes`. */
  readonly rollout: RolloutInputs;
  readonly record: RecordInputs | undefined;
}

/** Which service, and what UpdateService says about it besides the task definition. */
export interface ServiceInputs {
  /** "" leaves the region to the standard chain. */
  readonly region: string;
  /** Name or ARN; that of the service's ARN when only that was given. */
  readonly cluster: string;
  /** Name or ARN; "" means: register (and run the task) only. */
  readonly name: string;
  readonly forceNewDeployment: boolean;
  /** undefined members are not sent. */
  readonly desiredCount: number | undefined;
  readonly propagateTags: "TASK_DEFINITION" | "SERVICE" | "NONE" | undefined;
  readonly enableEcsManagedTags: boolean | undefined;
  /** As UpdateService and RunTask take it: `[{name, managedEBSVolume}]`. */
  readonly volumeConfigurations: readonly JsonObject[] | undefined;
}

/** How the deployment is followed. Durations in milliseconds. */
export interface WatchInputs {
  /** False: return after UpdateService. */
  readonly wait: boolean;
  /** Longest pause between two looks. */
  readonly pollIntervalMs: number;
  /** Failed tasks of this deployment at which it is given up. */
  readonly failureBudget: number;
  /** `completed`, or the lifecycle stage after which this deployment counts as arrived. */
  readonly until: WaitUntil;
  readonly onPause: "fail" | "wait" | "continue";
  /** Last lines of each failed container; 0: none are read. */
  readonly logLines: number;
}

/** Stages of a native deployment, in the order in which they pass; some may be skipped. */
export const LIFECYCLE_STAGES = [
  "RECONCILE_SERVICE",
  "PRE_SCALE_UP",
  "SCALE_UP",
  "POST_SCALE_UP",
  "TEST_TRAFFIC_SHIFT",
  "POST_TEST_TRAFFIC_SHIFT",
  "PRE_PRODUCTION_TRAFFIC_SHIFT",
  "PRODUCTION_TRAFFIC_SHIFT",
  "POST_PRODUCTION_TRAFFIC_SHIFT",
  "BAKE_TIME",
  "CLEAN_UP",
] as const;

export type LifecycleStage = (typeof LIFECYCLE_STAGES)[number];

/** Where waiting ends. */
export type WaitUntil = "completed" | LifecycleStage;

/** The one-off task. Undefined members come from the service. */
export interface TaskInputs {
  /** "" means the first container that `container-name` (or its default rule) stands for. */
  readonly container: string;
  readonly command: readonly string[] | undefined;
  /** `containerOverrides` as RunTask takes them; may hold secrets. */
  readonly overrides: readonly JsonObject[];
  readonly subnets: readonly string[] | undefined;
  readonly securityGroups: readonly string[] | undefined;
  readonly assignPublicIp: "ENABLED" | "DISABLED" | undefined;
  readonly launchType: "EC2" | "FARGATE" | "EXTERNAL" | "MANAGED_INSTANCES" | undefined;
  readonly capacityProviderStrategy: readonly JsonObject[] | undefined;
  /** "" leaves the name to the action. */
  readonly startedBy: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[] | undefined;
  /** Milliseconds. */
  readonly timeoutMs: number;
}

/** What is said about CodeDeploy; "" for the default that its name tells. */
export interface CodeDeployInputs {
  /** Default `AppECS-<cluster>-<service>`. */
  readonly application: string;
  /** Default `DgpECS-<cluster>-<service>`. */
  readonly deploymentGroup: string;
  readonly description: string;
  readonly config: string;
  /** The file, read; undefined: one is made from the service. */
  readonly appspec: JsonObject | undefined;
  /** Names of the `codedeploy-*` inputs that were given: a service under the ECS controller refuses them. */
  readonly given: readonly string[];
}

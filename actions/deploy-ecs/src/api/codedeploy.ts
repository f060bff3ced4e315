import { list, object } from "../../../../lib/aws/answers.ts";
import type { AwsCall, AwsCallOptions, JsonObject } from "../../../../lib/aws/call.ts";

/** A deployment group, as far as the budget and the appspec need it. */
export interface DeploymentGroup {
  readonly applicationName?: string;
  readonly deploymentGroupName?: string;
  readonly deploymentConfigName?: string;
  readonly computePlatform?: string;
  readonly ecsServices?: readonly { readonly serviceName?: string; readonly clusterName?: string }[];
  readonly blueGreenDeploymentConfiguration?: {
    readonly deploymentReadyOption?: {
      /** CONTINUE_DEPLOYMENT or STOP_DEPLOYMENT (after `waitTimeInMinutes` without a word). */
      readonly actionOnTimeout?: string;
      readonly waitTimeInMinutes?: number;
    };
    readonly terminateBlueInstancesOnDeploymentSuccess?: {
      readonly action?: string;
      readonly terminationWaitTimeInMinutes?: number;
    };
  };
  readonly autoRollbackConfiguration?: { readonly enabled?: boolean; readonly events?: readonly string[] };
}

/** How traffic moves under a deployment configuration. */
export interface DeploymentConfig {
  readonly deploymentConfigName?: string;
  readonly computePlatform?: string;
  readonly trafficRoutingConfig?: {
    /** AllAtOnce, TimeBasedCanary or TimeBasedLinear. */
    readonly type?: string;
    readonly timeBasedCanary?: { readonly canaryPercentage?: number; readonly canaryInterval?: number };
    readonly timeBasedLinear?: { readonly linearPercentage?: number; readonly linearInterval?: number };
  };
}

/** A deployment of CodeDeploy. */
export interface CodeDeployDeployment {
  readonly deploymentId?: string;
  readonly applicationName?: string;
  readonly deploymentGroupName?: string;
  /** Created, Queued, InProgress, Baking, Succeeded, Failed, Stopped or Ready. */
  readonly status?: string;
  readonly errorInformation?: { readonly code?: string; readonly message?: string };
  readonly createTime?: number;
  readonly startTime?: number;
  readonly completeTime?: number;
  readonly description?: string;
  readonly creator?: string;
  readonly revision?: JsonObject;
  readonly rollbackInfo?: {
    readonly rollbackDeploymentId?: string;
    readonly rollbackTriggeringDeploymentId?: string;
    readonly rollbackMessage?: string;
  };
}

/** One step of a deployment's life. */
export interface LifecycleEvent {
  readonly lifecycleEventName?: string;
  /** Pending, InProgress, Succeeded, Failed, Skipped or Unknown. */
  readonly status?: string;
  readonly startTime?: number;
  readonly endTime?: number;
  readonly diagnostics?: {
    readonly errorCode?: string;
    readonly message?: string;
    readonly logTail?: string;
  };
}

/** The service as a deployment's target. */
export interface DeploymentTarget {
  readonly targetId?: string;
  readonly status?: string;
  readonly lifecycleEvents?: readonly LifecycleEvent[];
  readonly taskSetsInfo?: readonly {
    readonly identifer?: string;
    readonly taskSetLabel?: string;
    readonly status?: string;
    readonly trafficWeight?: number;
    readonly desiredCount?: number;
    readonly runningCount?: number;
    readonly pendingCount?: number;
  }[];
}

/** AWS CodeDeploy, as far as this action calls it. */
export interface CodeDeployApi {
  getDeploymentGroup(application: string, group: string, options?: AwsCallOptions): Promise<DeploymentGroup>;
  getDeploymentConfig(name: string, options?: AwsCallOptions): Promise<DeploymentConfig>;
  /** `input` is the whole request, sent as it is; answers the deployment's id. */
  createDeployment(input: JsonObject, options?: AwsCallOptions): Promise<string>;
  getDeployment(id: string, options?: AwsCallOptions): Promise<CodeDeployDeployment>;
  /** The ids of a group's deployments in these states, newest first; one page. */
  listDeployments(
    application: string,
    group: string,
    states: readonly string[],
    options?: AwsCallOptions,
  ): Promise<readonly string[]>;
  /** Lets a deployment go on that waits to be told so (status Ready). */
  continueDeployment(id: string, options?: AwsCallOptions): Promise<void>;
  /** The target of an ECS deployment (`CLUSTER:SERVICE`). */
  getDeploymentTarget(id: string, targetId: string, options?: AwsCallOptions): Promise<DeploymentTarget>;
  /** Asks CodeDeploy to stop, and to put the old task set back when `autoRollback`. */
  stopDeployment(id: string, autoRollback: boolean, options?: AwsCallOptions): Promise<void>;
}

/** The real thing over `call`. */
export function codeDeployApi(call: AwsCall): CodeDeployApi {
  const ask = (operation: string, input: JsonObject, options?: AwsCallOptions) =>
    call("codedeploy", operation, input, options);
  return {
    getDeploymentGroup: async (applicationName, deploymentGroupName, options) => {
      const answer = await ask("GetDeploymentGroup", { applicationName, deploymentGroupName }, options);
      return object<DeploymentGroup>(answer["deploymentGroupInfo"]);
    },
    getDeploymentConfig: async (deploymentConfigName, options) => {
      const answer = await ask("GetDeploymentConfig", { deploymentConfigName }, options);
      return object<DeploymentConfig>(answer["deploymentConfigInfo"]);
    },
    createDeployment: async (input, options) =>
      String((await ask("CreateDeployment", input, options))["deploymentId"] ?? ""),
    getDeployment: async (deploymentId, options) =>
      object<CodeDeployDeployment>((await ask("GetDeployment", { deploymentId }, options))["deploymentInfo"]),
    listDeployments: async (applicationName, deploymentGroupName, includeOnlyStatuses, options) => {
      const input = { applicationName, deploymentGroupName, includeOnlyStatuses };
      return list<string>((await ask("ListDeployments", input, options))["deployments"]);
    },
    continueDeployment: async (deploymentId, options) => {
      await ask("ContinueDeployment", { deploymentId, deploymentWaitType: "READY_WAIT" }, options);
    },
    getDeploymentTarget: async (deploymentId, targetId, options) => {
      const answer = await ask("GetDeploymentTarget", { deploymentId, targetId }, options);
      const target = object<{ ecsTarget?: unknown }>(answer["deploymentTarget"]);
      return object<DeploymentTarget>(target.ecsTarget);
    },
    stopDeployment: async (deploymentId, autoRollbackEnabled, options) => {
      await ask("StopDeployment", { deploymentId, autoRollbackEnabled }, options);
    },
  };
}

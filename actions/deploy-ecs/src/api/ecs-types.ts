import type { JsonObject } from "../../../../lib/aws/call.ts";

/*
 * What this action reads of Amazon ECS's answers. Every member may be absent: ECS
 * leaves out what is empty. Times are seconds since the epoch, the server's.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Types.html
 */

/** A task definition as ECS answers it, members unknown to everyone included. */
export type RawTaskDefinition = JsonObject;

/** `{key, value}`. */
export interface EcsTag {
  readonly key?: string;
  readonly value?: string;
}

/** Something that was asked for and not found or not possible, in an answer that is a 200. */
export interface EcsFailure {
  readonly arn?: string;
  readonly reason?: string;
  readonly detail?: string;
}

/** One entry of `deployments[]` of a service. */
export interface EcsDeployment {
  readonly id?: string;
  /** PRIMARY, ACTIVE or INACTIVE. */
  readonly status?: string;
  readonly taskDefinition?: string;
  readonly desiredCount?: number;
  readonly pendingCount?: number;
  readonly runningCount?: number;
  /** Failed in a row; back to 0 once a task runs (unless the service counts otherwise). */
  readonly failedTasks?: number;
  readonly createdAt?: number;
  readonly updatedAt?: number;
  /** COMPLETED, FAILED or IN_PROGRESS; absent with classic load balancers and other controllers. */
  readonly rolloutState?: string;
  readonly rolloutStateReason?: string;
  readonly launchType?: string;
  readonly platformVersion?: string;
}

/** One set of tasks under the CODE_DEPLOY or EXTERNAL controller. */
export interface EcsTaskSet {
  readonly id?: string;
  readonly taskSetArn?: string;
  /** PRIMARY, ACTIVE or DRAINING. */
  readonly status?: string;
  readonly taskDefinition?: string;
  readonly startedBy?: string;
  readonly externalId?: string;
  readonly computedDesiredCount?: number;
  readonly pendingCount?: number;
  readonly runningCount?: number;
  readonly createdAt?: number;
  readonly launchType?: string;
  readonly capacityProviderStrategy?: readonly JsonObject[];
  readonly platformVersion?: string;
  readonly networkConfiguration?: JsonObject;
  readonly loadBalancers?: readonly EcsLoadBalancer[];
  /** STEADY_STATE or STABILIZING. */
  readonly stabilityStatus?: string;
}

/** A load balancer of a service. */
export interface EcsLoadBalancer {
  readonly targetGroupArn?: string;
  /** Classic load balancers only. */
  readonly loadBalancerName?: string;
  readonly containerName?: string;
  readonly containerPort?: number;
  readonly advancedConfiguration?: {
    readonly alternateTargetGroupArn?: string;
    readonly productionListenerRule?: string;
    readonly testListenerRule?: string;
    readonly roleArn?: string;
  };
}

/** One line of a service's history; at most 100 are kept, newest first. */
export interface EcsEvent {
  readonly id?: string;
  readonly createdAt?: number;
  readonly message?: string;
}

/** A service as DescribeServices answers it. */
export interface EcsService {
  readonly serviceArn?: string;
  readonly serviceName?: string;
  readonly clusterArn?: string;
  /** ACTIVE, DRAINING or INACTIVE. */
  readonly status?: string;
  readonly taskDefinition?: string;
  readonly desiredCount?: number;
  readonly runningCount?: number;
  readonly pendingCount?: number;
  readonly launchType?: string;
  readonly capacityProviderStrategy?: readonly JsonObject[];
  readonly platformVersion?: string;
  readonly platformFamily?: string;
  readonly networkConfiguration?: JsonObject;
  readonly deploymentController?: { readonly type?: string };
  readonly deploymentConfiguration?: EcsDeploymentConfiguration;
  readonly deployments?: readonly EcsDeployment[];
  readonly taskSets?: readonly EcsTaskSet[];
  readonly events?: readonly EcsEvent[];
  readonly loadBalancers?: readonly EcsLoadBalancer[];
  readonly healthCheckGracePeriodSeconds?: number;
  /** REPLICA or DAEMON. */
  readonly schedulingStrategy?: string;
  readonly createdAt?: number;
  readonly propagateTags?: string;
  readonly enableECSManagedTags?: boolean;
  readonly enableExecuteCommand?: boolean;
  readonly placementConstraints?: readonly JsonObject[];
  readonly placementStrategy?: readonly JsonObject[];
  /** May be stale: never a proof of anything. */
  readonly currentServiceDeployment?: string;
  /** CUSTOMER, or ECS for services that Express Mode owns. */
  readonly resourceManagementType?: string;
  readonly tags?: readonly EcsTag[];
}

/** How a service deploys. */
export interface EcsDeploymentConfiguration {
  /** ROLLING, BLUE_GREEN, LINEAR or CANARY; absent means ROLLING. */
  readonly strategy?: string;
  readonly deploymentCircuitBreaker?: { readonly enable?: boolean; readonly rollback?: boolean };
  readonly alarms?: {
    readonly alarmNames?: readonly string[];
    readonly enable?: boolean;
    readonly rollback?: boolean;
  };
  readonly maximumPercent?: number;
  readonly minimumHealthyPercent?: number;
  readonly bakeTimeInMinutes?: number;
  readonly lifecycleHooks?: readonly JsonObject[];
  readonly linearConfiguration?: {
    readonly stepPercent?: number;
    readonly stepBakeTimeInMinutes?: number;
  };
  readonly canaryConfiguration?: {
    readonly canaryPercent?: number;
    readonly canaryBakeTimeInMinutes?: number;
  };
}

/** One entry of ListServiceDeployments. */
export interface EcsServiceDeploymentBrief {
  readonly serviceDeploymentArn?: string;
  readonly serviceArn?: string;
  readonly clusterArn?: string;
  readonly startedAt?: number;
  readonly createdAt?: number;
  readonly finishedAt?: number;
  readonly targetServiceRevisionArn?: string;
  readonly status?: string;
  readonly statusReason?: string;
}

/** A revision that takes part in a service deployment. */
export interface EcsRevisionSummary {
  readonly arn?: string;
  readonly requestedTaskCount?: number;
  readonly runningTaskCount?: number;
  readonly pendingTaskCount?: number;
  readonly requestedProductionTrafficWeight?: number;
  readonly requestedTestTrafficWeight?: number;
}

/** A lifecycle hook of a service deployment that runs or waits. */
export interface EcsHookDetail {
  readonly hookId?: string;
  /** AWS_LAMBDA or PAUSE. */
  readonly targetType?: string;
  readonly targetArn?: string;
  readonly status?: string;
  readonly expiresAt?: number;
  /** What ECS does when the hook expires: CONTINUE or ROLLBACK. */
  readonly timeoutAction?: string;
}

/** A service deployment as DescribeServiceDeployments answers it. */
export interface EcsServiceDeployment {
  readonly serviceDeploymentArn?: string;
  readonly serviceArn?: string;
  readonly clusterArn?: string;
  readonly createdAt?: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly stoppedAt?: number;
  readonly updatedAt?: number;
  readonly sourceServiceRevisions?: readonly EcsRevisionSummary[];
  readonly targetServiceRevision?: EcsRevisionSummary;
  /** PENDING, SUCCESSFUL, STOPPED, STOP_REQUESTED, IN_PROGRESS, ROLLBACK_{REQUESTED,IN_PROGRESS,SUCCESSFUL,FAILED}. */
  readonly status?: string;
  readonly statusReason?: string;
  readonly lifecycleStage?: string;
  readonly lifecycleHookDetails?: readonly EcsHookDetail[];
  readonly deploymentConfiguration?: EcsDeploymentConfiguration;
  readonly rollback?: {
    readonly reason?: string;
    readonly startedAt?: number;
    readonly serviceRevisionArn?: string;
  };
  readonly deploymentCircuitBreaker?: {
    readonly status?: string;
    readonly failureCount?: number;
    readonly threshold?: number;
  };
  readonly alarms?: {
    readonly status?: string;
    readonly alarmNames?: readonly string[];
    readonly triggeredAlarmNames?: readonly string[];
  };
}

/** A service revision: what really runs, image digests included. */
export interface EcsServiceRevision {
  readonly serviceRevisionArn?: string;
  readonly taskDefinition?: string;
  readonly createdAt?: number;
  readonly containerImages?: readonly {
    readonly containerName?: string;
    readonly imageDigest?: string;
    readonly image?: string;
  }[];
}

/** A container of a task. */
export interface EcsContainer {
  readonly containerArn?: string;
  readonly name?: string;
  readonly image?: string;
  readonly imageDigest?: string;
  readonly lastStatus?: string;
  /** Absent when the container never started. */
  readonly exitCode?: number;
  readonly reason?: string;
  /** HEALTHY, UNHEALTHY or UNKNOWN. */
  readonly healthStatus?: string;
  readonly networkBindings?: readonly {
    readonly bindIP?: string;
    readonly containerPort?: number;
    readonly hostPort?: number;
  }[];
  readonly networkInterfaces?: readonly {
    readonly attachmentId?: string;
    readonly privateIpv4Address?: string;
    readonly ipv6Address?: string;
  }[];
}

/** A task as DescribeTasks answers it; stopped ones are known for about an hour. */
export interface EcsTask {
  readonly taskArn?: string;
  readonly taskDefinitionArn?: string;
  readonly clusterArn?: string;
  readonly containerInstanceArn?: string;
  readonly group?: string;
  /** The id of the deployment or task set that started it; free text for one-off tasks. */
  readonly startedBy?: string;
  readonly lastStatus?: string;
  readonly desiredStatus?: string;
  readonly healthStatus?: string;
  readonly launchType?: string;
  readonly capacityProviderName?: string;
  readonly createdAt?: number;
  readonly startedAt?: number;
  readonly stoppingAt?: number;
  readonly stoppedAt?: number;
  readonly stopCode?: string;
  readonly stoppedReason?: string;
  readonly containers?: readonly EcsContainer[];
  readonly attachments?: readonly {
    readonly id?: string;
    readonly type?: string;
    readonly status?: string;
    readonly details?: readonly { readonly name?: string; readonly value?: string }[];
  }[];
}

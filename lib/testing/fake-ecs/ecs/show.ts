import { copy, defined, type Json, seconds } from "../types.ts";
import { breakerSettings, breakerThreshold } from "./breaker.ts";
import { alarmNames, isActive } from "./rollouts.ts";
import type { Deployment, FakeService, FakeTask, Revision, Rollout } from "./state.ts";
import { containers, hasHealthCheck } from "./tasks.ts";

/** A service as DescribeServices shows it. */
export function showService(service: FakeService, withTags: boolean): Json {
  const external = service.controller !== "ECS";
  const current = service.rollouts.find(isActive) ?? service.rollouts[0];
  return defined({
    ...copy(service.members),
    serviceArn: service.arn,
    serviceName: service.name,
    clusterArn: clusterArn(service),
    status: service.status,
    desiredCount: service.desired,
    ...counts(service.tasks),
    taskDefinition: service.definition.arn,
    deploymentController: { type: service.controller },
    deployments: external ? [] : service.deployments.map((deployment) => showDeployment(service, deployment)),
    taskSets: external ? service.taskSets() : undefined,
    events: copy(service.events),
    createdAt: seconds(service.createdAt),
    currentServiceDeployment: external ? undefined : current?.arn,
    currentServiceRevisions: external ? undefined : revisionsShown(service),
    tags: withTags ? copy([...service.tags]) : undefined,
  });
}

function clusterArn(service: FakeService): string {
  return service.arn.replace(/:service\/.*$/, `:cluster/${service.cluster}`);
}

function counts(tasks: readonly FakeTask[]): {
  readonly runningCount: number;
  readonly pendingCount: number;
} {
  const wanted = tasks.filter((task) => task.desiredStatus === "RUNNING");
  return {
    runningCount: tasks.filter((task) => task.lastStatus === "RUNNING" || task.lastStatus === "DEACTIVATING")
      .length,
    pendingCount: wanted.filter((task) => task.lastStatus !== "RUNNING").length,
  };
}

function revisionsShown(service: FakeService): readonly Json[] {
  return service.deployments.map((deployment) => {
    const { runningCount, pendingCount } = counts(tasksOf(service, deployment));
    return {
      arn: deployment.revision.arn,
      requestedTaskCount: deployment.desired,
      runningTaskCount: runningCount,
      pendingTaskCount: pendingCount,
    };
  });
}

function tasksOf(service: FakeService, deployment: Deployment): readonly FakeTask[] {
  return service.tasks.filter((task) => task.deployment === deployment);
}

function showDeployment(service: FakeService, deployment: Deployment): Json {
  const { members } = deployment.revision;
  return defined({
    id: deployment.id,
    status: deployment.status,
    taskDefinition: deployment.revision.definition.arn,
    desiredCount: deployment.desired,
    ...counts(tasksOf(service, deployment)),
    failedTasks: deployment.failed,
    createdAt: seconds(deployment.createdAt),
    updatedAt: seconds(deployment.updatedAt),
    launchType: members["launchType"],
    capacityProviderStrategy: members["capacityProviderStrategy"],
    platformVersion: members["platformVersion"],
    platformFamily: members["platformFamily"],
    networkConfiguration: copy(members["networkConfiguration"]),
    rolloutState: service.showRolloutState ? deployment.rolloutState : undefined,
    rolloutStateReason: service.showRolloutState ? deployment.rolloutStateReason : undefined,
  });
}

/** A service deployment as DescribeServiceDeployments shows it. */
export function showRollout(service: FakeService, rollout: Rollout): Json {
  const source = rollout.source;
  return defined({
    ...briefTimes(rollout),
    serviceDeploymentArn: rollout.arn,
    serviceArn: service.arn,
    clusterArn: clusterArn(service),
    updatedAt: seconds(rollout.updatedAt),
    stoppedAt: rollout.stoppedAt === undefined ? undefined : seconds(rollout.stoppedAt),
    sourceServiceRevisions: source
      ? [revisionSummary(service, source, 100 - rollout.weight, 100 - rollout.testWeight)]
      : [],
    targetServiceRevision: revisionSummary(service, rollout.target, rollout.weight, rollout.testWeight),
    status: rollout.status,
    statusReason: rollout.statusReason,
    lifecycleStage: rollout.strategy === "ROLLING" ? undefined : rollout.stage,
    lifecycleHookDetails: rollout.hooks.length > 0 ? copy(rollout.hooks) : undefined,
    deploymentConfiguration: copy(rollout.configuration),
    rollback: rollout.back && {
      reason: rollout.back.reason,
      startedAt: seconds(rollout.back.at),
      serviceRevisionArn: rollout.back.deployment.revision.arn,
    },
    deploymentCircuitBreaker: {
      status: rollout.breaker,
      failureCount: rollout.deployment.failed,
      threshold: breakerThreshold(breakerSettings(rollout.configuration), service.desired),
    },
    alarms: {
      status: rollout.alarms,
      alarmNames: alarmNames(rollout.configuration),
      triggeredAlarmNames: rollout.triggered,
    },
  });
}

function briefTimes(rollout: Rollout): Json {
  return {
    createdAt: seconds(rollout.createdAt),
    startedAt: rollout.startedAt === undefined ? undefined : seconds(rollout.startedAt),
    finishedAt: rollout.finishedAt === undefined ? undefined : seconds(rollout.finishedAt),
  };
}

/** A service deployment as ListServiceDeployments shows it. */
export function showBrief(service: FakeService, rollout: Rollout): Json {
  return defined({
    ...briefTimes(rollout),
    serviceDeploymentArn: rollout.arn,
    serviceArn: service.arn,
    clusterArn: clusterArn(service),
    targetServiceRevisionArn: rollout.target.arn,
    status: rollout.status,
    statusReason: rollout.statusReason,
  });
}

function revisionSummary(service: FakeService, revision: Revision, weight: number, testWeight: number): Json {
  const tasks = service.tasks.filter((task) => task.deployment?.revision === revision);
  const { runningCount, pendingCount } = counts(tasks);
  const deployment = service.deployments.find((one) => one.revision === revision);
  return {
    arn: revision.arn,
    requestedTaskCount: deployment?.desired ?? 0,
    runningTaskCount: runningCount,
    pendingTaskCount: pendingCount,
    requestedTestTrafficWeight: testWeight,
    requestedProductionTrafficWeight: weight,
  };
}

/** A service revision as DescribeServiceRevisions shows it. */
export function showRevision(service: FakeService, revision: Revision): Json {
  return {
    ...copy(revision.members),
    serviceRevisionArn: revision.arn,
    serviceArn: service.arn,
    clusterArn: clusterArn(service),
    taskDefinition: revision.definition.arn,
    containerImages: copy([...revision.images]),
    guardDutyEnabled: false,
    createdAt: seconds(revision.createdAt),
  };
}

/** A task as DescribeTasks shows it. */
export function showTask(task: FakeTask, withTags: boolean): Json {
  const { tags, ...shown } = copy(task.shown);
  const time = (ms: number | undefined) => (ms === undefined ? undefined : seconds(ms));
  return defined({
    attachments: [
      {
        id: `${task.id.slice(0, 8)}-0000-4000-8000-${task.id.slice(8, 20)}`,
        type: "ElasticNetworkInterface",
        status: task.lastStatus === "STOPPED" ? "DELETED" : "ATTACHED",
        details: [
          { name: "networkInterfaceId", value: `eni-${task.id.slice(0, 17)}` },
          { name: "privateIPv4Address", value: task.ip },
        ],
      },
    ],
    availabilityZone: `${task.arn.split(":")[3]}a`,
    clusterArn: task.arn.replace(/:task\/.*$/, `:cluster/${task.cluster}`),
    connectivity: "CONNECTED",
    containers: containers(task).map((container) => showContainer(task, container)),
    cpu: task.definition.body["cpu"],
    memory: task.definition.body["memory"],
    overrides: { containerOverrides: [] },
    ...shown,
    createdAt: seconds(task.createdAt),
    desiredStatus: task.desiredStatus,
    lastStatus: task.lastStatus,
    group: task.group,
    healthStatus: hasHealthCheck(task) ? task.health : "UNKNOWN",
    startedAt: time(task.startedAt),
    startedBy: task.startedBy,
    stoppingAt: time(task.stoppingAt),
    stoppedAt: time(task.stoppedAt),
    stopCode: task.stopCode,
    stoppedReason: task.stoppedReason,
    tags: withTags ? (tags ?? []) : [],
    taskArn: task.arn,
    taskDefinitionArn: task.definition.arn,
    version: 1,
  });
}

function showContainer(task: FakeTask, container: Json): Json {
  const name = String(container["name"]);
  const exit = task.exits[name];
  const ended = task.lastStatus === "STOPPED";
  return defined({
    containerArn: task.arn.replace(":task/", ":container/"),
    taskArn: task.arn,
    name,
    image: container["image"],
    lastStatus:
      task.lastStatus === "DEACTIVATING" || task.lastStatus === "STOPPING" ? "RUNNING" : task.lastStatus,
    exitCode: ended ? exit?.code : undefined,
    reason: exit?.reason,
    networkInterfaces: [{ attachmentId: task.id.slice(0, 8), privateIpv4Address: task.ip }],
    healthStatus: container["healthCheck"] === undefined ? "UNKNOWN" : task.health,
    cpu: String(container["cpu"] ?? 0),
  });
}

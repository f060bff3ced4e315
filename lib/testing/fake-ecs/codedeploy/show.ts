import type { Deployment, FakeService } from "../ecs/state.ts";
import { copy, defined, type Json, seconds } from "../types.ts";
import type { CodeDeployment, CodeDeployState, Group } from "./state.ts";

/** The task sets of a service under CODE_DEPLOY, as DescribeServices shows them. */
export function showTaskSets(service: FakeService, deployment: CodeDeployment | undefined): readonly Json[] {
  return service.deployments.map((set) => showSet(service, set, deployment));
}

function showSet(service: FakeService, set: Deployment, course: CodeDeployment | undefined): Json {
  const tasks = service.tasks.filter((task) => task.deployment === set);
  const running = tasks.filter((task) => task.lastStatus === "RUNNING").length;
  const pending = tasks.filter((task) => task.desiredStatus === "RUNNING").length;
  return defined({
    id: set.id,
    taskSetArn: `${service.arn.replace(":service/", ":task-set/")}/${set.id}`,
    serviceArn: service.arn,
    clusterArn: service.arn.replace(/:service\/.*$/, `:cluster/${service.cluster}`),
    startedBy: "CODE_DEPLOY",
    externalId: course?.id,
    status: set.status,
    taskDefinition: set.revision.definition.arn,
    computedDesiredCount: set.desired,
    runningCount: running,
    pendingCount: Math.max(0, pending - running),
    createdAt: seconds(set.createdAt),
    updatedAt: seconds(set.updatedAt),
    launchType: set.revision.members["launchType"],
    platformVersion: set.revision.members["platformVersion"],
    loadBalancers: copy(set.revision.members["loadBalancers"]),
    scale: { value: 100, unit: "PERCENT" },
    stabilityStatus: running >= set.desired ? "STEADY_STATE" : "STABILIZING",
  });
}

/** A deployment as GetDeployment shows it. */
export function showDeployment(deployment: CodeDeployment): Json {
  const { group, rollback } = deployment;
  const time = (ms: number | undefined) => (ms === undefined ? undefined : seconds(ms));
  const status = deployment.status;
  return defined({
    applicationName: group.application,
    deploymentGroupName: group.name,
    deploymentConfigName: deployment.config,
    deploymentId: deployment.id,
    revision: copy(deployment.revision),
    status,
    errorInformation: deployment.error,
    createTime: seconds(deployment.createdAt),
    startTime: time(deployment.startedAt),
    completeTime: time(deployment.completedAt),
    deploymentOverview: {
      Pending: status === "Created" || status === "Queued" ? 1 : 0,
      InProgress: status === "InProgress" ? 1 : 0,
      Succeeded: status === "Succeeded" ? 1 : 0,
      Failed: status === "Failed" ? 1 : 0,
      Skipped: status === "Stopped" ? 1 : 0,
      Ready: status === "Ready" ? 1 : 0,
    },
    description: deployment.description,
    creator: deployment.creator,
    ignoreApplicationStopFailures: false,
    autoRollbackConfiguration: {
      enabled: deployment.autoRollback.length > 0,
      events: deployment.autoRollback,
    },
    rollbackInfo: rollback && {
      ...(rollback.id === undefined ? {} : { rollbackDeploymentId: rollback.id }),
      ...(rollback.triggering === undefined ? {} : { rollbackTriggeringDeploymentId: rollback.triggering }),
      rollbackMessage: rollback.message,
    },
    deploymentStyle: { deploymentType: "BLUE_GREEN", deploymentOption: "WITH_TRAFFIC_CONTROL" },
    instanceTerminationWaitTimeStarted: deployment.terminating,
    blueGreenDeploymentConfiguration: blueGreen(group),
    computePlatform: "ECS",
  });
}

function blueGreen(group: Group): Json {
  return {
    terminateBlueInstancesOnDeploymentSuccess: {
      action: "TERMINATE",
      terminationWaitTimeInMinutes: group.terminationWait,
    },
    deploymentReadyOption: { actionOnTimeout: group.readyAction, waitTimeInMinutes: group.readyWait },
  };
}

/** A group as GetDeploymentGroup shows it. */
export function showGroup(state: CodeDeployState, group: Group): Json {
  const own = state.deployments.filter((deployment) => deployment.group === group);
  const brief = (found: CodeDeployment | undefined) =>
    found &&
    defined({
      deploymentId: found.id,
      status: found.status,
      endTime: found.completedAt === undefined ? undefined : seconds(found.completedAt),
      createTime: seconds(found.createdAt),
    });
  return defined({
    applicationName: group.application,
    deploymentGroupId: group.id,
    deploymentGroupName: group.name,
    deploymentConfigName: group.config,
    serviceRoleArn: "arn:aws:iam::123456789012:role/codedeploy",
    triggerConfigurations: [],
    alarmConfiguration: { enabled: group.alarms.length > 0, alarms: group.alarms.map((name) => ({ name })) },
    autoRollbackConfiguration: { enabled: group.autoRollback.length > 0, events: group.autoRollback },
    deploymentStyle: { deploymentType: "BLUE_GREEN", deploymentOption: "WITH_TRAFFIC_CONTROL" },
    blueGreenDeploymentConfiguration: blueGreen(group),
    loadBalancerInfo: {
      targetGroupPairInfoList: [
        {
          targetGroups: [{ name: "blue" }, { name: "green" }],
          prodTrafficRoute: {
            listenerArns: ["arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/app/1/1"],
          },
        },
      ],
    },
    lastSuccessfulDeployment: brief(own.find((one) => one.status === "Succeeded")),
    lastAttemptedDeployment: brief(own[0]),
    computePlatform: "ECS",
    ecsServices: [{ serviceName: group.service.name, clusterName: group.service.cluster }],
  });
}

/** The only target of a deployment: the service with its lifecycle events and task sets. */
export function showTarget(deployment: CodeDeployment): Json {
  const { group, original, replacement } = deployment;
  const time = (ms: number | undefined) => (ms === undefined ? undefined : seconds(ms));
  const sets = [
    { set: original, label: "Blue", weight: 100 - deployment.weight },
    { set: replacement, label: "Green", weight: deployment.weight },
  ];
  const status = { Created: "Pending", Queued: "Pending", Stopped: "Skipped" }[deployment.status as string];
  return {
    deploymentTargetType: "ECSTarget",
    ecsTarget: {
      deploymentId: deployment.id,
      targetId: targetId(deployment),
      targetArn: group.service.arn,
      status: status ?? deployment.status,
      lifecycleEvents: deployment.events.map((event) =>
        defined({
          lifecycleEventName: event.name,
          status: event.status,
          startTime: time(event.startTime),
          endTime: time(event.endTime),
          diagnostics: event.diagnostics,
        }),
      ),
      taskSetsInfo: sets.map(({ set, label, weight }) => ({
        identifer: set.id,
        desiredCount: set.desired,
        runningCount: group.service.tasks.filter(
          (task) => task.deployment === set && task.lastStatus === "RUNNING",
        ).length,
        pendingCount: group.service.tasks.filter(
          (task) => task.deployment === set && task.lastStatus === "PENDING",
        ).length,
        status: set.status,
        trafficWeight: weight,
        targetGroup: { name: label === "Blue" ? "blue" : "green" },
        taskSetLabel: label,
      })),
    },
  };
}

/** The id of the only target: `cluster:service`. */
export function targetId(deployment: CodeDeployment): string {
  return `${deployment.group.service.cluster}:${deployment.group.service.name}`;
}

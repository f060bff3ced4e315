import type { JsonObject } from "../../../../lib/aws/call.ts";
import type { EcsDeployment, EcsService } from "../api/ecs-types.ts";
import type { ServiceBefore, TargetGroupUse } from "./model.ts";
import { bakeOf, strategyOf } from "./stages.ts";

/** The deployment that the service runs, or is on its way to. */
export function primaryOf(service: EcsService | undefined): EcsDeployment | undefined {
  return (service?.deployments ?? []).find((deployment) => deployment.status === "PRIMARY");
}

/** What is kept of a service as it was before this run. */
export function photograph(service: EcsService): ServiceBefore {
  const primary = primaryOf(service);
  const { deploymentConfiguration: configuration } = service;
  const { deploymentCircuitBreaker: breaker, alarms } = configuration ?? {};
  return {
    arn: service.serviceArn ?? "",
    name: service.serviceName ?? "",
    revision: primary?.taskDefinition ?? service.taskDefinition ?? "",
    primary: primary?.id ?? "",
    state: primary?.rolloutState ?? "",
    moving: inProgress(service),
    proven: provenRevision(service),
    deployments: (service.deployments ?? []).map((deployment) => deployment.id ?? ""),
    desired: service.desiredCount ?? primary?.desiredCount ?? 0,
    strategy: strategyOf(configuration),
    goesBack: (breaker?.enable && breaker.rollback) === true || (alarms?.enable && alarms.rollback) === true,
    bakeMs: bakeOf(configuration),
    targetGroups: targetGroupsOf(service),
    propagateTags: service.propagateTags ?? "NONE",
    managedTags: service.enableECSManagedTags ?? false,
    volumes: volumesOf(primary),
  };
}

/** The newest deployment that ECS completed; where it tells no state, what runs as many tasks as it should. */
function provenRevision(service: EcsService): string {
  const primary = primaryOf(service);
  const listed = [primary, ...(service.deployments ?? []).filter((one) => one !== primary)];
  const proven = listed.find(
    (one) => one?.rolloutState === "COMPLETED" || (one !== undefined && isFull(one)),
  );
  return proven?.taskDefinition ?? "";
}

function isFull(deployment: EcsDeployment): boolean {
  const { rolloutState, desiredCount = 0, runningCount = 0 } = deployment;
  return rolloutState === undefined && desiredCount > 0 && runningCount >= desiredCount;
}

function targetGroupsOf(service: EcsService): TargetGroupUse[] {
  return (service.loadBalancers ?? []).flatMap((balancer) =>
    balancer.targetGroupArn === undefined
      ? []
      : [
          {
            arn: balancer.targetGroupArn,
            container: balancer.containerName ?? "",
            port: balancer.containerPort ?? 0,
          },
        ],
  );
}

function volumesOf(deployment: EcsDeployment | undefined): readonly JsonObject[] {
  const volumes = (deployment as JsonObject | undefined)?.["volumeConfigurations"];
  return Array.isArray(volumes) ? (volumes as readonly JsonObject[]) : [];
}

/** Names the deployment that is still on its way, "" when none is. */
export function inProgress(service: EcsService): string {
  const deployments = service.deployments ?? [];
  const moving = deployments.find((deployment) => deployment.rolloutState === "IN_PROGRESS");
  if (moving) return nameOf(moving);
  const primary = primaryOf(service);
  const stateless = primary !== undefined && primary.rolloutState === undefined;
  const settled = (primary?.runningCount ?? 0) >= (primary?.desiredCount ?? 0);
  return stateless && (deployments.length > 1 || !settled) ? nameOf(primary) : "";
}

/** `deployment ecs-svc/123 of shop:9`, for people. */
export function nameOf(deployment: EcsDeployment): string {
  const revision = deployment.taskDefinition?.split("task-definition/").at(-1) ?? "an unknown revision";
  return `deployment ${deployment.id ?? "without an id"} of ${revision}`;
}

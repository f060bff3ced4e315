import type { EcsDeployment, EcsService, EcsTaskSet } from "../api/ecs-types.ts";

/** The task set that serves, undefined before the first one does. */
export function primarySet(service: EcsService | undefined): EcsTaskSet | undefined {
  return (service?.taskSets ?? []).find(({ status }) => status === "PRIMARY");
}

/**
 * A service whose tasks CodeDeploy keeps in task sets, as if ECS itself deployed it: each set is shown
 * as a deployment, since that is what the rest of this action reads. `idle`: no deployment of CodeDeploy
 * is under way, so what is left beside the PRIMARY set is a remainder.
 */
export function asDeployments(service: EcsService, idle: boolean): EcsService {
  const sets = service.taskSets ?? [];
  const primary = primarySet(service);
  const revision = primary?.taskDefinition ?? service.taskDefinition;
  return {
    ...service,
    ...(revision === undefined ? {} : { taskDefinition: revision }),
    deployments: sets.map((set) => deploymentOf(set, set === primary || idle)),
    loadBalancers: primary?.loadBalancers ?? service.loadBalancers ?? [],
  };
}

function deploymentOf(set: EcsTaskSet, settled: boolean): EcsDeployment {
  const { id, status, taskDefinition, computedDesiredCount, pendingCount, runningCount, createdAt } = set;
  return {
    ...(id === undefined ? {} : { id }),
    ...(status === undefined ? {} : { status }),
    ...(taskDefinition === undefined ? {} : { taskDefinition }),
    ...(computedDesiredCount === undefined ? {} : { desiredCount: computedDesiredCount }),
    ...(pendingCount === undefined ? {} : { pendingCount }),
    ...(runningCount === undefined ? {} : { runningCount }),
    ...(createdAt === undefined ? {} : { createdAt }),
    rolloutState: status === "PRIMARY" ? "COMPLETED" : settled ? "FAILED" : "IN_PROGRESS",
  };
}

/** Whether the old version serves again: PRIMARY, complete, and of the revision that ran before. */
export function servesAgain(service: EcsService, revision: string): boolean {
  const primary = primarySet(service);
  if (primary?.taskDefinition !== revision) return false;
  const { runningCount = 0, computedDesiredCount = 0, stabilityStatus } = primary;
  return runningCount >= computedDesiredCount && stabilityStatus !== "STABILIZING";
}

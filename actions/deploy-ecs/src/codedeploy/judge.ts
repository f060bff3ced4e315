import type { Cause } from "../../../../lib/rollout/target.ts";
import type { CodeDeployDeployment, DeploymentGroup, DeploymentTarget } from "../api/codedeploy.ts";

/** States in which a deployment is over; anything else, also a new word, is still on its way. */
const OVER: ReadonlySet<string> = new Set(["Succeeded", "Failed", "Stopped"]);

/** The states to ask ListDeployments for when only those under way are meant. */
export const ACTIVE_STATES = ["Created", "Queued", "InProgress", "Baking", "Ready"] as const;

/** Whether nothing more happens by this deployment. */
export function isOver({ status = "" }: CodeDeployDeployment): boolean {
  return OVER.has(status);
}

/** Whether it is CodeDeploy's own way back from another deployment: nobody may stop that half-way. */
export function isWayBack({ creator, rollbackInfo }: CodeDeployDeployment): boolean {
  return creator === "codeDeployRollback" || Boolean(rollbackInfo?.rollbackTriggeringDeploymentId);
}

/** `InProgress, AllowTraffic InProgress, 10% of the traffic`. */
export function describeDeployment(
  { status = "Created" }: CodeDeployDeployment,
  target?: DeploymentTarget,
): string {
  const event = (target?.lifecycleEvents ?? []).find((one) => one.status === "InProgress");
  const green = (target?.taskSetsInfo ?? []).find(({ taskSetLabel }) => taskSetLabel === "Green");
  const words = [
    status === "Ready" ? "waiting to be continued" : status,
    event?.lifecycleEventName ?? "",
    green === undefined ? "" : `${green.runningCount ?? 0} of ${green.desiredCount ?? 0} new tasks run`,
    green?.trafficWeight === undefined ? "" : `${green.trafficWeight}% of the traffic`,
  ];
  return `CodeDeploy: ${words.filter((word) => word !== "").join(", ")}`;
}

/** Why a deployment that is over did not succeed. */
export function causeOfEnd(deployment: CodeDeployDeployment, target: DeploymentTarget | undefined): Cause {
  const { deploymentId = "", status = "", errorInformation } = deployment;
  const stopped = status === "Stopped";
  const message = oneLine(errorInformation?.message ?? "");
  const failed = (target?.lifecycleEvents ?? []).filter((event) => event.status === "Failed");
  const evidence = failed.map(({ lifecycleEventName = "?", diagnostics }) =>
    oneLine(
      `${lifecycleEventName} failed: ${diagnostics?.errorCode ?? ""} ${diagnostics?.message ?? ""} ${diagnostics?.logTail ?? ""}`,
    ),
  );
  const where = failed[0]?.lifecycleEventName === undefined ? "" : ` in ${failed[0].lifecycleEventName}`;
  const why = [errorInformation?.code ?? "", message].filter((text) => text !== "").join(": ");
  return {
    code: stopped ? "DEPLOYMENT_STOPPED" : "DEPLOYMENT_FAILED",
    message: `CodeDeploy deployment ${deploymentId} ${stopped ? "was stopped" : `failed${where}`}${why === "" ? "" : `: ${why}`}`,
    fix: stopped
      ? "somebody or an alarm has stopped it: see the deployment in CodeDeploy"
      : "see the failed lifecycle event and the reasons of the stopped tasks",
    evidence,
  };
}

/** Whether CodeDeploy takes an ended deployment back by itself: it says so, or its group does for such an end. */
export function goesBack(deployment: CodeDeployDeployment, group: DeploymentGroup): boolean {
  if (deployment.rollbackInfo?.rollbackDeploymentId) return true;
  const { enabled, events = [] } = group.autoRollbackConfiguration ?? {};
  if (enabled !== true) return false;
  if (deployment.status === "Stopped") return events.includes("DEPLOYMENT_STOP_ON_REQUEST");
  const alarm = deployment.errorInformation?.code === "ALARM_ACTIVE";
  return events.includes(alarm ? "DEPLOYMENT_STOP_ON_ALARM" : "DEPLOYMENT_FAILURE");
}

/** Lifecycle events that have begun or ended since the last look, for the log. */
export function newEvents(target: DeploymentTarget, told: Set<string>): readonly string[] {
  return (target.lifecycleEvents ?? []).flatMap(({ lifecycleEventName = "?", status = "Pending" }) => {
    const key = `${lifecycleEventName} ${status}`;
    if (status === "Pending" || told.has(key)) return [];
    told.add(key);
    return [`CodeDeploy: ${lifecycleEventName} ${status}`];
  });
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().replace(/\.$/, "");
}

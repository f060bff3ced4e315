import type { DeploymentConfig, DeploymentGroup } from "../api/codedeploy.ts";

const MINUTE_MS = 60_000;

/** Waits that a deployment group and its traffic plan add to every deployment, milliseconds. */
export function waitsOf(group: DeploymentGroup, config: DeploymentConfig | undefined): number {
  const { deploymentReadyOption: ready, terminateBlueInstancesOnDeploymentSuccess: terminate } =
    group.blueGreenDeploymentConfiguration ?? {};
  const minutes =
    count(ready?.waitTimeInMinutes) +
    (terminate?.action === "KEEP_ALIVE" ? 0 : count(terminate?.terminationWaitTimeInMinutes)) +
    shiftMinutes(config);
  return minutes * MINUTE_MS;
}

/** How long the traffic takes to shift. */
function shiftMinutes(config: DeploymentConfig | undefined): number {
  const { type, timeBasedCanary, timeBasedLinear } = config?.trafficRoutingConfig ?? {};
  if (type === "TimeBasedCanary") return count(timeBasedCanary?.canaryInterval);
  if (type !== "TimeBasedLinear") return 0;
  const percent = count(timeBasedLinear?.linearPercentage);
  return percent === 0 ? 0 : (Math.ceil(100 / percent) - 1) * count(timeBasedLinear?.linearInterval);
}

/** What a group does not say is no wait. */
function count(value: number | null | undefined): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

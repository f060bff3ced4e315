import type { EcsDeploymentConfiguration, EcsHookDetail, EcsServiceDeployment } from "../api/ecs-types.ts";
import { LIFECYCLE_STAGES, type WaitUntil } from "../inputs/model.ts";
import type { Strategy } from "./model.ts";

const MINUTE_MS = 60_000;
/** What ECS takes where the service sets nothing: LINEAR 10 % each 6 min, CANARY 10 min. */
const LINEAR_STEP_PERCENT = 10;
const LINEAR_BAKE_MINUTES = 6;
const CANARY_BAKE_MINUTES = 10;

/** How a service deploys; ROLLING where it says nothing. */
export function strategyOf(configuration: EcsDeploymentConfiguration | undefined): Strategy {
  const { strategy } = configuration ?? {};
  return strategy === "BLUE_GREEN" || strategy === "LINEAR" || strategy === "CANARY" ? strategy : "ROLLING";
}

/** The waits that the strategy itself adds to a deployment, milliseconds. */
export function bakeOf(configuration: EcsDeploymentConfiguration | undefined): number {
  const strategy = strategyOf(configuration);
  if (strategy === "ROLLING") return 0;
  const { bakeTimeInMinutes = 0, linearConfiguration, canaryConfiguration } = configuration ?? {};
  let minutes = bakeTimeInMinutes;
  if (strategy === "LINEAR") {
    const percent = linearConfiguration?.stepPercent ?? LINEAR_STEP_PERCENT;
    const steps = Math.max(0, Math.ceil(100 / Math.max(0.1, percent)) - 1);
    minutes += steps * (linearConfiguration?.stepBakeTimeInMinutes ?? LINEAR_BAKE_MINUTES);
  }
  if (strategy === "CANARY") minutes += canaryConfiguration?.canaryBakeTimeInMinutes ?? CANARY_BAKE_MINUTES;
  return minutes * MINUTE_MS;
}

/**
 * Whether a deployment has come to the stage that is waited for. Positions are
 * compared, since a stage may begin and end between two looks.
 */
export function hasReached(rollout: EcsServiceDeployment | undefined, until: WaitUntil): boolean {
  if (until === "completed" || rollout?.status !== "IN_PROGRESS") return false;
  return position(rollout.lifecycleStage) >= position(until);
}

function position(stage: string | undefined): number {
  const stages: readonly (string | undefined)[] = LIFECYCLE_STAGES;
  return stages.indexOf(stage);
}

/** Pause hooks that wait for somebody to say how it goes on. */
export function pausedHooks(rollout: EcsServiceDeployment | undefined): readonly EcsHookDetail[] {
  const hooks = rollout?.lifecycleHookDetails ?? [];
  return hooks.filter((hook) => hook.targetType === "PAUSE" && hook.status === "AWAITING_ACTION");
}

/** `stage BAKE_TIME, 100% of the traffic`; "" when nothing of it is known. */
export function describeStage(rollout: EcsServiceDeployment | undefined): string {
  if (!rollout?.lifecycleStage) return "";
  const weight = rollout.targetServiceRevision?.requestedProductionTrafficWeight;
  const share = weight === undefined ? "" : `, ${weight}% of the traffic`;
  return `stage ${rollout.lifecycleStage}${share}`;
}

/** Whether tasks of the new revision run once a deployment has come so far. */
export function startsTasks(until: WaitUntil): boolean {
  return until === "completed" || position(until) >= position("POST_SCALE_UP");
}

import type { FakeService } from "../ecs/state.ts";
import { pick, randomFrom } from "../random.ts";
import type { CodeDeployState, Group, Traffic } from "./state.ts";

/** A deployment group for a service whose controller is CODE_DEPLOY. */
export interface GroupSetup {
  /** Default: as the service, with `AppECS-` and `DgpECS-` before it, as the console names them. */
  readonly application?: string;
  readonly name?: string;
  readonly config?: string;
  readonly readyWait?: number;
  readonly readyAction?: Group["readyAction"];
  readonly terminationWait?: number;
  readonly autoRollback?: readonly string[];
  readonly alarms?: readonly string[];
  readonly testListener?: boolean;
}

/** CodeDeploy with AWS's own configurations for ECS. */
export function codeDeployState(): CodeDeployState {
  const canary = (minutes: number): Traffic => ({ type: "TimeBasedCanary", percent: 10, minutes });
  const linear = (minutes: number): Traffic => ({ type: "TimeBasedLinear", percent: 10, minutes });
  return {
    groups: [],
    deployments: [],
    configs: new Map<string, Traffic>([
      ["CodeDeployDefault.ECSAllAtOnce", { type: "AllAtOnce" }],
      ["CodeDeployDefault.ECSCanary10Percent5Minutes", canary(5)],
      ["CodeDeployDefault.ECSCanary10Percent15Minutes", canary(15)],
      ["CodeDeployDefault.ECSLinear10PercentEvery1Minutes", linear(1)],
      ["CodeDeployDefault.ECSLinear10PercentEvery3Minutes", linear(3)],
    ]),
    failingHooks: new Set(),
  };
}

/** Adds a group. */
export function addGroup(state: CodeDeployState, service: FakeService, setup: GroupSetup): Group {
  const group: Group = {
    application: setup.application ?? `AppECS-${service.cluster}-${service.name}`,
    name: setup.name ?? `DgpECS-${service.cluster}-${service.name}`,
    id: pick(randomFrom(state.groups.length + 7), "0123456789abcdef", 32),
    service,
    config: setup.config ?? "CodeDeployDefault.ECSAllAtOnce",
    readyWait: setup.readyWait ?? 0,
    readyAction: setup.readyAction ?? "CONTINUE_DEPLOYMENT",
    terminationWait: setup.terminationWait ?? 0,
    autoRollback: setup.autoRollback ?? ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST"],
    alarms: setup.alarms ?? [],
    testListener: setup.testListener ?? false,
  };
  state.groups.push(group);
  return group;
}

import type { Deployment, FakeService } from "../ecs/state.ts";
import type { Json } from "../types.ts";

/** How CodeDeploy shifts the traffic. */
export type Traffic =
  | { readonly type: "AllAtOnce" }
  | { readonly type: "TimeBasedCanary"; readonly percent: number; readonly minutes: number }
  | { readonly type: "TimeBasedLinear"; readonly percent: number; readonly minutes: number };

/** A deployment group for one ECS service. */
export interface Group {
  readonly application: string;
  readonly name: string;
  readonly id: string;
  readonly service: FakeService;
  /** Name of a deployment configuration. */
  readonly config: string;
  /** Minutes to wait for a go before the traffic shifts; 0: none. */
  readonly readyWait: number;
  readonly readyAction: "CONTINUE_DEPLOYMENT" | "STOP_DEPLOYMENT";
  /** Minutes that the old tasks are kept after the traffic has shifted. */
  readonly terminationWait: number;
  readonly autoRollback: readonly string[];
  readonly alarms: readonly string[];
  /** With a test listener there are two more lifecycle events. */
  readonly testListener: boolean;
}

/** One lifecycle event of a deployment. */
export interface LifecycleEvent {
  readonly name: string;
  status: "Pending" | "InProgress" | "Succeeded" | "Failed" | "Skipped";
  startTime?: number;
  endTime?: number;
  diagnostics?: Json;
}

/** What the appspec asks for. */
export interface AppSpec {
  readonly taskDefinition: string;
  readonly containerName?: string;
  readonly containerPort?: number;
  readonly platformVersion?: string;
  readonly networkConfiguration?: Json;
  readonly capacityProviderStrategy?: readonly Json[];
  /** Lambda functions by lifecycle event. */
  readonly hooks: Readonly<Record<string, string>>;
}

/** A CodeDeploy deployment. */
export interface CodeDeployment {
  readonly id: string;
  readonly group: Group;
  readonly revision: Json;
  readonly spec: AppSpec;
  readonly config: string;
  readonly description?: string;
  readonly creator: "user" | "codeDeployRollback";
  readonly autoRollback: readonly string[];
  readonly createdAt: number;
  readonly original: Deployment;
  readonly replacement: Deployment;
  readonly events: LifecycleEvent[];
  status: "Created" | "Queued" | "InProgress" | "Ready" | "Succeeded" | "Failed" | "Stopped";
  startedAt?: number;
  completedAt?: number;
  error?: { readonly code: string; readonly message: string };
  rollback?: { readonly id?: string; readonly triggering?: string; readonly message: string };
  /** Percent of the traffic that the replacement has. */
  weight: number;
  terminating: boolean;
  cancel: (() => void)[];
}

/** Everything that CodeDeploy knows. */
export interface CodeDeployState {
  readonly groups: Group[];
  readonly deployments: CodeDeployment[];
  /** Deployment configurations by name. */
  readonly configs: Map<string, Traffic>;
  /** Lambda functions of lifecycle hooks that answer Failed, by name or ARN. */
  readonly failingHooks: Set<string>;
}

import type { EcsDeployment, EcsService, EcsServiceDeployment } from "../src/api/ecs-types.ts";
import type { ServiceBefore } from "../src/service/model.ts";
import type { Memory } from "../src/service/watch/memory.ts";

export const NOW = 1_000_000;
export const arn = (revision: number) => `arn:aws:ecs:eu-west-1:123456789012:task-definition/app:${revision}`;

export const BEFORE: ServiceBefore = {
  arn: "arn:aws:ecs:eu-west-1:123456789012:service/default/app",
  name: "app",
  revision: arn(1),
  primary: "ecs-svc/1",
  state: "COMPLETED",
  moving: "",
  proven: arn(1),
  deployments: ["ecs-svc/1"],
  desired: 2,
  strategy: "ROLLING",
  goesBack: false,
  bakeMs: 0,
  targetGroups: [],
  propagateTags: "NONE",
  managedTags: false,
  volumes: [],
};

/** What is known long enough after UpdateService for reads to be fresh. */
export const MEMORY: Memory = {
  before: BEFORE,
  revision: arn(2),
  deployment: "ecs-svc/2",
  createdAt: 500,
  startsDeployment: true,
  desired: undefined,
  updatedAt: NOW - 60_000,
  seen: true,
  reached: false,
  failedSince: null,
  troubled: false,
  steady: 0,
  missing: 0,
  failed: [],
  blind: false,
  rules: { failureBudget: 3, until: "completed", onPause: "fail" },
};

/** One deployment of the service, PRIMARY and with all of its tasks. */
export function deployment(id: number, revision: number, more: Partial<EcsDeployment> = {}): EcsDeployment {
  const counts = { desiredCount: 2, runningCount: 2, pendingCount: 0 };
  return {
    id: `ecs-svc/${id}`,
    taskDefinition: arn(revision),
    status: "PRIMARY",
    rolloutState: "IN_PROGRESS",
    ...counts,
    ...more,
  };
}

export const old = (more: Partial<EcsDeployment> = {}) =>
  deployment(1, 1, { status: "ACTIVE", rolloutState: "COMPLETED", ...more });
export const service = (...deployments: EcsDeployment[]): EcsService => ({ status: "ACTIVE", deployments });

/** One look at a service, what is known before it, and the verdict that it has to give. */
export interface Row {
  readonly name: string;
  readonly service: EcsService | undefined;
  readonly rollout?: EcsServiceDeployment;
  readonly memory?: Partial<Memory>;
  readonly is: string;
}

export const COMPLETED = { rolloutState: "COMPLETED" } as const;
export const FAILED = { rolloutState: "FAILED" } as const;
export const FRESH = { updatedAt: NOW - 1000 };

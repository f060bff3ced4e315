import { describe, expect, test } from "@jest/globals";
import type { EcsDeployment, EcsService, EcsServiceDeployment } from "../src/api/ecs-types.ts";
import type { ServiceBefore } from "../src/service/model.ts";
import { judge } from "../src/service/watch/judge.ts";
import { judgeBack } from "../src/service/watch/judge-back.ts";
import { type Memory, remember } from "../src/service/watch/memory.ts";

const NOW = 1_000_000;
const arn = (revision: number) => `arn:aws:ecs:eu-west-1:123456789012:task-definition/app:${revision}`;

const BEFORE: ServiceBefore = {
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
const MEMORY: Memory = {
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

function deployment(id: number, revision: number, more: Partial<EcsDeployment> = {}): EcsDeployment {
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

const old = (more: Partial<EcsDeployment> = {}) =>
  deployment(1, 1, { status: "ACTIVE", rolloutState: "COMPLETED", ...more });
const service = (...deployments: EcsDeployment[]): EcsService => ({ status: "ACTIVE", deployments });

interface Row {
  readonly name: string;
  readonly service: EcsService | undefined;
  readonly rollout?: EcsServiceDeployment;
  readonly memory?: Partial<Memory>;
  readonly is: string;
}

const COMPLETED = { rolloutState: "COMPLETED" } as const;
const FAILED = { rolloutState: "FAILED" } as const;
const FRESH = { updatedAt: NOW - 1000 };

/** One look each, and what it says. */
const ROWS: readonly Row[] = [
  { name: "completed and PRIMARY", service: service(deployment(2, 2, COMPLETED)), is: "ready" },
  {
    name: "completed, but another one is PRIMARY",
    service: service(old({ status: "PRIMARY" }), deployment(2, 2, { ...COMPLETED, status: "ACTIVE" })),
    is: "progressing",
  },
  {
    name: "completed, but a task is missing",
    service: service(deployment(2, 2, { ...COMPLETED, runningCount: 1 })),
    is: "progressing",
  },
  {
    name: "everything runs, but ECS has not completed it",
    service: service(deployment(2, 2)),
    is: "progressing",
  },
  {
    name: "the service deployment is SUCCESSFUL",
    service: service(deployment(2, 2)),
    rollout: { status: "SUCCESSFUL" },
    is: "ready",
  },
  {
    name: "FAILED with nothing that goes back",
    service: service(deployment(2, 2, FAILED), old()),
    is: "failed",
  },
  {
    name: "FAILED where ECS goes back by itself: one more look",
    service: service(deployment(2, 2, FAILED), old()),
    memory: { before: { ...BEFORE, goesBack: true } },
    is: "progressing",
  },
  {
    name: "FAILED where ECS should have gone back by now",
    service: service(deployment(2, 2, FAILED), old()),
    memory: { before: { ...BEFORE, goesBack: true }, failedSince: NOW - 5000 },
    is: "failed",
  },
  {
    name: "FAILED without anything to go back to",
    service: service(deployment(2, 2, FAILED)),
    memory: { before: { ...BEFORE, goesBack: true, proven: "" } },
    is: "failed",
  },
  {
    name: "ECS's own way back is PRIMARY",
    service: service(deployment(3, 1), deployment(2, 2, { ...FAILED, status: "ACTIVE" })),
    is: "reverted-by-target",
  },
  {
    name: "ECS's own way back is complete and ours is gone, told by the events",
    service: {
      ...service(deployment(3, 1, COMPLETED)),
      events: [
        { createdAt: 600, message: "(service app) (deployment ecs-svc/2) deployment failed: tasks failed." },
      ],
    },
    is: "reverted-by-target",
  },
  {
    name: "ours had FAILED and is gone, the old revision is deployed anew",
    service: service(deployment(3, 1, { rolloutStateReason: "in progress" })),
    memory: { failedSince: NOW - 2000 },
    is: "reverted-by-target",
  },
  {
    name: "ours is gone, the old revision is deployed anew, and ECS goes back by itself",
    service: service(deployment(3, 1)),
    memory: { before: { ...BEFORE, goesBack: true } },
    is: "reverted-by-target",
  },
  {
    name: "the same, and a task of ours had failed",
    service: service(deployment(3, 1, { rolloutStateReason: "in progress" })),
    memory: { before: { ...BEFORE, goesBack: true }, troubled: true },
    is: "reverted-by-target",
  },
  {
    name: "the same, though ECS gives a reason and nothing had failed",
    service: service(deployment(3, 1, { rolloutStateReason: "in progress" })),
    memory: { before: { ...BEFORE, goesBack: true } },
    is: "superseded",
  },
  {
    name: "the old revision is deployed anew and nothing says that ECS did it",
    service: service(deployment(3, 1, COMPLETED)),
    is: "superseded",
  },
  {
    name: "another revision is PRIMARY",
    service: service(deployment(3, 9), deployment(2, 2, { status: "ACTIVE" })),
    is: "superseded",
  },
  {
    name: "our revision, deployed anew by somebody else, is not ours",
    service: service(deployment(3, 2, COMPLETED)),
    is: "superseded",
  },
  {
    name: "another revision is PRIMARY, at once",
    service: service(deployment(3, 9)),
    memory: FRESH,
    is: "superseded",
  },
  {
    name: "the world as before, at once",
    service: service(old({ status: "PRIMARY" })),
    memory: { ...FRESH, seen: false },
    is: "progressing",
  },
  {
    name: "the world as before, much later, though ours was seen",
    service: service(old({ status: "PRIMARY" })),
    is: "reverted-by-target",
  },
  { name: "no service in the answer, at once", service: undefined, memory: FRESH, is: "progressing" },
  { name: "no service in the answer for long", service: undefined, memory: { missing: 5 }, is: "superseded" },
  { name: "an empty list of deployments", service: service(), is: "progressing" },
  {
    name: "no state: the counts once are not enough",
    service: service(deployment(2, 2, { rolloutState: undefined } as never)),
    is: "progressing",
  },
  {
    name: "no state: the counts for two looks",
    service: service(deployment(2, 2, { rolloutState: undefined } as never)),
    memory: { steady: 1 },
    is: "ready",
  },
  {
    name: "rolled back, says the service deployment",
    service: service(deployment(2, 2)),
    rollout: { status: "ROLLBACK_IN_PROGRESS" },
    is: "reverted-by-target",
  },
  {
    name: "stopped, says the service deployment",
    service: service(deployment(2, 2)),
    rollout: { status: "STOPPED" },
    is: "failed",
  },
  {
    name: "about to be stopped: decided by what follows",
    service: service(deployment(2, 2)),
    rollout: { status: "STOP_REQUESTED" },
    is: "progressing",
  },
  {
    name: "tasks may not be read: ECS's count",
    service: service(deployment(2, 2, { failedTasks: 3 })),
    memory: { blind: true },
    is: "stalled",
  },
  {
    name: "ECS's count alone does not decide",
    service: service(deployment(2, 2, { failedTasks: 30 })),
    is: "progressing",
  },
  {
    name: "a stage that was reached stays reached",
    service: service(deployment(2, 2), old()),
    memory: { reached: true, rules: { ...MEMORY.rules, until: "BAKE_TIME" } },
    is: "ready",
  },
];

function see(row: Row): string {
  const snapshot = { service: row.service, rollout: row.rollout };
  const memory = remember({ ...MEMORY, ...row.memory }, snapshot, NOW);
  return judge(snapshot, memory, NOW).kind;
}

test.each(ROWS)("$name", (row) => {
  expect(see(row)).toBe(row.is);
});

const BACK_ROWS: readonly Row[] = [
  {
    name: "a newer deployment of the old revision",
    service: service(deployment(3, 1, COMPLETED)),
    is: "ready",
  },
  { name: "it is not complete", service: service(deployment(3, 1)), is: "progressing" },
  { name: "it fails", service: service(deployment(3, 1, FAILED)), is: "failed" },
  {
    name: "the deployment of before, at once: a stale read",
    service: service(old({ status: "PRIMARY" })),
    memory: FRESH,
    is: "progressing",
  },
  {
    name: "the deployment of before, when reads are fresh",
    service: service(old({ status: "PRIMARY" })),
    is: "ready",
  },
  {
    name: "the deployment of before, and ours is still listed",
    service: service(old({ status: "PRIMARY" }), deployment(2, 2, { status: "ACTIVE" })),
    is: "progressing",
  },
  {
    name: "the deployment of before, and ECS says that it went back",
    service: service(old({ status: "PRIMARY" }), deployment(2, 2, { status: "ACTIVE" })),
    rollout: { status: "ROLLBACK_SUCCESSFUL" },
    memory: FRESH,
    is: "ready",
  },
  {
    name: "the deployment of before, and ECS says that it is on its way",
    service: service(old({ status: "PRIMARY" })),
    rollout: { status: "ROLLBACK_IN_PROGRESS" },
    is: "progressing",
  },
  { name: "ours is still PRIMARY", service: service(deployment(2, 2, COMPLETED)), is: "progressing" },
  { name: "somebody else's is PRIMARY", service: service(deployment(3, 9)), is: "superseded" },
  {
    name: "ECS could not go back",
    service: service(deployment(2, 2)),
    rollout: { status: "ROLLBACK_FAILED" },
    is: "failed",
  },
];

describe("the way back", () => {
  test.each(BACK_ROWS)("$name", (row) => {
    const snapshot = { service: row.service, rollout: row.rollout };
    const memory = remember({ ...MEMORY, ...row.memory }, snapshot, NOW);
    expect(judgeBack(snapshot, memory, { revision: arn(1), deployment: "" }, NOW).kind).toBe(row.is);
  });
});

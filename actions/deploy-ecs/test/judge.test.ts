import { expect, test } from "@jest/globals";
import { judge } from "../src/service/watch/judge.ts";
import { remember } from "../src/service/watch/memory.ts";
import {
  BEFORE,
  COMPLETED,
  deployment,
  FAILED,
  FRESH,
  MEMORY,
  NOW,
  old,
  type Row,
  service,
} from "./looks.ts";

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

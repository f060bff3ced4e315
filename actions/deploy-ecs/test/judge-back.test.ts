import { describe, expect, test } from "@jest/globals";
import { judgeBack } from "../src/service/watch/judge-back.ts";
import { remember } from "../src/service/watch/memory.ts";
import { arn, COMPLETED, deployment, FAILED, FRESH, MEMORY, NOW, old, type Row, service } from "./looks.ts";

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

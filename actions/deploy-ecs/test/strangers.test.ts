import { describe, expect, test } from "@jest/globals";
import type { JsonObject } from "../../../lib/aws/call.ts";
import type { FakeAws } from "../../../lib/testing/fake-ecs/world.ts";
import { ecsApi } from "../src/api/ecs.ts";
import { inSeconds, serviceOf } from "../src/api/legible.ts";
import type { Story } from "./story.ts";
import { back, FILE, play, type Row } from "./timelines.ts";

/** What people put in the place of ECS answers less than ECS does, or in another form. */
interface Stranger {
  readonly name: string;
  readonly retold: NonNullable<Story["retold"]>;
}

const STRANGERS: readonly Stranger[] = [
  { name: "deployments without ids", retold: members((name) => name === "id") },
  { name: "deployments without ids and times", retold: members((name) => /^(id|\w+At)$/.test(name)) },
  { name: "ISO 8601 for times", retold: times((at) => new Date(at * 1000).toISOString()) },
  { name: "milliseconds for times", retold: times((at) => at * 1000) },
  {
    name: "services without a status and counts",
    retold: members((name, of) => /^(status|\w+Count)$/.test(name) && "serviceArn" in of),
  },
  { name: "tasks without startedBy", retold: members((name) => name === "startedBy") },
  { name: "what is older than service deployments", retold: without(/ServiceDeployment|ServiceRevision/) },
];

describe.each(STRANGERS)("a stand-in that answers $name", ({ retold }) => {
  test("a good version", () => run(retold, () => {}, ["succeeded", "", "app:2 COMPLETED"]));

  test("a version that exits", () =>
    run(retold, (aws) => aws.behave("app:2", { kind: "exits", code: 1 }), back("CONTAINER_EXITED")));
});

test("ECS counts failed tasks that it does not show: its count has to do", () =>
  run(
    (operation, answer) => (operation === "ListTasks" ? { taskArns: [] } : answer),
    (aws) => aws.behave("app:2", { kind: "exits", code: 1 }),
    back("TASKS_FAILED"),
  ));

test("a one-off task that ECS forgets ends with `run-task-timeout`", () =>
  run(
    (operation, answer) => (operation === "DescribeTasks" ? { tasks: [], failures: [] } : answer),
    () => {},
    ["failed", "TASK_FAILED", "app:1 COMPLETED"],
    { "run-task": "true", "run-task-timeout": "20s" },
    (told) => expect(told.took).toBeLessThan(40_000),
  ));

test("tasks are read to the last page", async () => {
  const { listTasks } = ecsApi(async (_service, _operation, { nextToken }) => {
    const page = Number(nextToken ?? 0);
    return { taskArns: [`task/${page}`], ...(page < 2 ? { nextToken: String(page + 1) } : {}) };
  });
  expect(await listTasks("c", {})).toEqual(["task/0", "task/1", "task/2"]);
});

test("times in any form become seconds; what is no time stays away", () => {
  const forms = [1_700_000_000.5, 1_700_000_000_500, "2023-11-14T22:13:20.500Z", "1700000000.5"];
  for (const createdAt of forms)
    expect(inSeconds({ a: [{ createdAt }] })).toEqual({ a: [{ createdAt: forms[0] }] });
  expect(inSeconds({ createdAt: "soon" })).toEqual({ createdAt: undefined });
});

test("deployments of one revision at two times have two ids", () => {
  const deployments = [1, 2].map((createdAt) => ({ taskDefinition: "app:1", createdAt }));
  const ids = serviceOf({ deployments }).deployments?.map(({ id }) => id);
  expect(new Set(ids).size).toBe(2);
});

async function run(
  retold: Stranger["retold"],
  arrange: (aws: FakeAws) => void,
  ends: Row["ends"],
  more: Readonly<Record<string, string>> = {},
  check: NonNullable<Row["check"]> = () => {},
): Promise<void> {
  await play({ name: "stranger", inputs: { ...FILE, ...more }, arrange, retold, ends, check });
}

type Change = (name: string, value: unknown, of: JsonObject) => unknown;

/** The answers about services and tasks with every member passed through `change`; undefined takes it away. */
function changed(change: Change): Stranger["retold"] {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const of = value as JsonObject;
    const entries = Object.entries(of).map(([name, item]) => [name, walk(change(name, item, of))]);
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
  };
  return (operation, answer) =>
    operation.includes("TaskDefinition") ? answer : (walk(answer) as JsonObject);
}

function members(gone: (name: string, of: JsonObject) => boolean): Stranger["retold"] {
  return changed((name, value, of) => (gone(name, of) ? undefined : value));
}

function times(write: (seconds: number) => unknown): Stranger["retold"] {
  return changed((name, value) => (name.endsWith("At") && typeof value === "number" ? write(value) : value));
}

function without(operations: RegExp): Stranger["retold"] {
  return (operation, answer) => {
    if (!operations.test(operation)) return answer;
    const refusal = new Error(`no ${operation} here`);
    throw Object.assign(refusal, { name: "UnknownOperationException", $metadata: { httpStatusCode: 404 } });
  };
}

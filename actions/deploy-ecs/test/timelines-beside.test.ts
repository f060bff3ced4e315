import { expect, test } from "@jest/globals";
import type { FakeAws } from "../../../lib/testing/fake-ecs/world.ts";
import { back, FILE, play, type Row, WITH, writes } from "./timelines.ts";

const TASK = { ...FILE, "run-task": "true" };

/** What a run does beside the deployment: one-off tasks, schedules, pruning, warnings. */
const ROWS: readonly Row[] = [
  {
    name: "a one-off task runs before the service changes",
    inputs: { ...TASK, "run-task-command": '["migrate"]' },
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => {
      expect(writes(told)).toEqual(["RegisterTaskDefinition", "RunTask", "UpdateService"]);
      expect(told.outputs["run-task-exit-code"]).toBe("0");
      expect(JSON.parse(told.outputs["run-task-arn"] ?? "")).toHaveLength(1);
    },
  },
  {
    name: "the task has the tags that the service hands on to its tasks",
    inputs: TASK,
    arrange: (aws) =>
      aws.addService({ members: { propagateTags: "SERVICE" }, tags: [{ key: "team", value: "shop" }] }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => {
      const run = told.aws.calls.find(({ operation }) => operation === "RunTask");
      expect(run?.input["tags"]).toEqual([{ key: "team", value: "shop" }]);
    },
  },
  {
    name: "a one-off task that fails leaves the service alone",
    inputs: TASK,
    arrange: (aws) =>
      aws.behave("app:2", { kind: "exits", code: 3, afterMs: 3000, logs: ["no such table"] }, "task"),
    ends: ["failed", "TASK_FAILED", "app:1 COMPLETED"],
    check: (told) => {
      expect(writes(told)).toEqual(["RegisterTaskDefinition", "RunTask"]);
      expect(told.outputs).toMatchObject({
        changed: "false",
        "rolled-back": "false",
        "run-task-exit-code": "3",
      });
      expect(told.evidence.join("\n")).toContain("no such table");
    },
  },
  {
    name: "a one-off task that takes too long is stopped",
    inputs: { ...TASK, "run-task-timeout": "1m" },
    arrange: (aws) => aws.behave("app:2", { kind: "good" }, "task"),
    ends: ["failed", "TASK_FAILED", "app:1 COMPLETED"],
    check: (told) => expect(writes(told).at(-1)).toBe("StopTask"),
  },
  {
    name: "cancelled during the one-off task: it is stopped, the service is as it was",
    inputs: TASK,
    cancelAt: 5000,
    arrange: (aws) => aws.behave("app:2", { kind: "good" }, "task"),
    ends: ["cancelled", "CANCELLED", "app:1 COMPLETED"],
    check: (told) => {
      expect(writes(told)).toEqual(["RegisterTaskDefinition", "RunTask", "StopTask"]);
      expect(told.outputs["changed"]).toBe("false");
    },
  },
  {
    name: "killed during the one-off task: the post step stops it",
    inputs: TASK,
    killBefore: 8,
    arrange: (aws) => aws.behave("app:2", { kind: "good" }, "task"),
    ends: ["post: proven", "", "app:1 COMPLETED"],
    check: (told) => expect(runningTasks(told.aws)).toBe(0),
  },
  {
    name: "killed as the one-off task was started: the post step finds and stops it",
    inputs: TASK,
    killBefore: 5,
    arrange: (aws) => aws.behave("app:2", { kind: "good" }, "task"),
    ends: ["post: proven", "", "app:1 COMPLETED"],
    check: (told) => expect(runningTasks(told.aws)).toBe(0),
  },
  {
    name: "RunTask's answer is lost: asked again, one task",
    inputs: TASK,
    arrange: (aws) => aws.fail("reset-after", { operation: "RunTask", nth: 1 }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: ({ aws }) => expect(aws.ecs.state.tasks.filter(({ role }) => role === "task")).toHaveLength(1),
  },
  {
    name: "someone else deploys during the one-off task: theirs is not touched",
    inputs: TASK,
    arrange: (aws, time) => {
      aws.addService();
      aws.behave("app:2", { kind: "exits", code: 0, afterMs: 60_000 }, "task");
      time.at(20_000, () => void aws.deploy("app", "app:9"));
    },
    ends: ["superseded", "SUPERSEDED", "app:9 COMPLETED"],
    check: (told) => expect(told.calls).not.toContain("UpdateService"),
  },
  {
    name: "a one-off task is not run when nothing changes",
    inputs: { ...TASK, image: "app:1" },
    ends: ["unchanged", "", "app:1 COMPLETED"],
  },
  {
    name: "an unknown container for the one-off task is refused before anything is written",
    inputs: { ...TASK, "run-task-container": "web" },
    ends: ["failed", "BAD_INPUT", "app:1 COMPLETED"],
    check: (told) => expect(writes(told)).toEqual([]),
  },
  {
    name: "schedules follow after success",
    inputs: { ...FILE, schedules: "nightly" },
    arrange: (aws) => {
      aws.addService();
      addNightly(aws);
    },
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => expect(scheduled(told.aws)).toBe("app:2"),
  },
  {
    name: "schedules stay where the version fails",
    inputs: { ...FILE, schedules: "nightly" },
    arrange: (aws) => {
      aws.addService();
      addNightly(aws);
      aws.behave("app:2", { kind: "exits", code: 1 });
    },
    ends: back("CONTAINER_EXITED"),
    check: (told) => {
      expect(scheduled(told.aws)).toBe("app:1");
      expect(told.calls).not.toContain("PutTargets");
    },
  },
  {
    name: "a schedule that cannot be moved takes the service back too",
    inputs: { ...FILE, schedules: "nightly" },
    arrange: (aws) => {
      aws.addService();
      addNightly(aws);
      aws.deny("events:PutTargets");
    },
    ends: back("ACCESS_DENIED"),
  },
  {
    name: "an unknown schedule is refused before anything is written",
    inputs: { ...FILE, schedules: "weekly" },
    ends: ["failed", "BAD_INPUT", "app:1 COMPLETED"],
    check: (told) => expect(writes(told)).toEqual([]),
  },
  {
    name: "old revisions are pruned, never what runs or ran before",
    inputs: { ...FILE, "keep-revisions": "1" },
    arrange: (aws) => {
      aws.addService();
      for (const image of ["app:7", "app:8"]) {
        aws.deploy("app", image);
      }
    },
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: ({ aws }) => {
      const active = [...aws.ecs.state.families.values()].flat().filter(({ status }) => status === "ACTIVE");
      expect(active.map(({ revision }) => revision)).toEqual([3, 4]);
    },
  },
  {
    name: "pruning that is denied is a warning",
    inputs: { ...FILE, "keep-revisions": "1" },
    arrange: (aws) => {
      aws.addService();
      aws.deny("ecs:ListTaskDefinitions");
    },
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => expect(told.log.join("\n")).toContain("warning: old revisions"),
  },
  {
    name: "drift is told: what runs is not the newest of its family",
    arrange: (aws, time) => {
      aws.addService({ deploymentConfiguration: WITH.breaker });
      aws.behave("app:7", { kind: "exits", code: 1 });
      aws.deploy("app", "app:7");
      time.time += 600_000;
      aws.time.catchUp();
    },
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => expect(told.log.join("\n")).toContain("warning: drift: the service runs app:1"),
  },
];

function addNightly(aws: FakeAws): void {
  const { arn } = aws.service().definition;
  const role = "arn:aws:iam::123456789012:role/events";
  const cluster = "arn:aws:ecs:eu-west-1:123456789012:cluster/default";
  aws.schedules.addRule("nightly", [
    { Id: "1", Arn: cluster, RoleArn: role, EcsParameters: { TaskDefinitionArn: arn, TaskCount: 1 } },
  ]);
}

/** The revision that the rule runs. */
function scheduled(aws: FakeAws): string {
  const [target] = aws.schedules.targetsOf("nightly");
  const parameters = target?.["EcsParameters"] as { TaskDefinitionArn: string } | undefined;
  return parameters?.TaskDefinitionArn.split("task-definition/").at(-1) ?? "";
}

function runningTasks(aws: FakeAws): number {
  return aws.ecs.state.tasks.filter(
    ({ role, desiredStatus }) => role === "task" && desiredStatus === "RUNNING",
  ).length;
}

test.each(ROWS)("$name", play);

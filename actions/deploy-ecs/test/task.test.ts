import { describe, expect, test } from "@jest/globals";
import type { JsonObject } from "../../../lib/aws/call.ts";
import { RecordingLog } from "../../../lib/log.ts";
import { FakeClock } from "../../../lib/testing/fake-clock.ts";
import { sampleDefinition } from "../../../lib/testing/fake-ecs/set-up.ts";
import { FakeAws } from "../../../lib/testing/fake-ecs/world.ts";
import { apisOver } from "../src/api/apis.ts";
import type { EcsService } from "../src/api/ecs-types.ts";
import type { TaskInputs } from "../src/inputs.ts";
import {
  findTask,
  hasStopped,
  startTask,
  stopTask,
  TaskWatcher,
  type WatchedTask,
} from "../src/task/one-off.ts";
import { type TaskSpec, taskRequest } from "../src/task/request.ts";
import { judgeTask } from "../src/task/verdict.ts";

const NONE: TaskInputs = {
  container: "",
  command: undefined,
  overrides: [],
  subnets: undefined,
  securityGroups: undefined,
  assignPublicIp: undefined,
  launchType: undefined,
  capacityProviderStrategy: undefined,
  startedBy: "",
  tags: undefined,
  timeoutMs: 900_000,
};
const NETWORK = {
  awsvpcConfiguration: { subnets: ["subnet-1"], securityGroups: ["sg-1"], assignPublicIp: "DISABLED" },
};
const DEFINITION = sampleDefinition("app", "app:2");

function spec(
  inputs: Partial<TaskInputs> = {},
  service?: EcsService,
  definition: JsonObject = DEFINITION,
): TaskSpec {
  return {
    cluster: "prod",
    revision: "arn:aws:ecs:eu-west-1:1:task-definition/app:2",
    definition,
    inputs: { ...NONE, ...inputs },
    service,
    container: "app",
    token: "run-1-1-abc",
  };
}

function requestOf(made: TaskSpec): JsonObject {
  const request = taskRequest(made);
  if (request.kind === "refused") throw new Error(request.problems.join("; "));
  return request.input;
}

describe("the request", () => {
  test("runs as the service does", () => {
    const service: EcsService = {
      launchType: "FARGATE",
      platformVersion: "1.4.0",
      networkConfiguration: NETWORK,
      enableECSManagedTags: true,
      propagateTags: "TASK_DEFINITION",
    };
    expect(requestOf(spec({}, service))).toEqual({
      cluster: "prod",
      taskDefinition: "arn:aws:ecs:eu-west-1:1:task-definition/app:2",
      count: 1,
      clientToken: "run-1-1-abc",
      startedBy: "run-1-1-abc",
      launchType: "FARGATE",
      platformVersion: "1.4.0",
      networkConfiguration: NETWORK,
      propagateTags: "TASK_DEFINITION",
      enableECSManagedTags: true,
    });
  });

  test("the PRIMARY task set tells where the service has no word", () => {
    const service: EcsService = {
      taskSets: [
        { status: "ACTIVE", launchType: "EC2" },
        {
          status: "PRIMARY",
          capacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT", weight: 1 }],
          networkConfiguration: NETWORK,
          platformVersion: "1.4.0",
        },
      ],
    };
    expect(requestOf(spec({}, service))).toMatchObject({
      capacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT", weight: 1 }],
      networkConfiguration: NETWORK,
      platformVersion: "1.4.0",
    });
  });

  test.each([
    [
      { subnets: ["subnet-9"] },
      {
        networkConfiguration: {
          awsvpcConfiguration: { ...NETWORK.awsvpcConfiguration, subnets: ["subnet-9"] },
        },
      },
    ],
    [
      { assignPublicIp: "ENABLED" as const },
      {
        networkConfiguration: {
          awsvpcConfiguration: { ...NETWORK.awsvpcConfiguration, assignPublicIp: "ENABLED" },
        },
      },
    ],
    [{ startedBy: "me" }, { startedBy: "me", clientToken: "run-1-1-abc" }],
    [{ tags: [{ key: "a", value: "b" }] }, { tags: [{ key: "a", value: "b" }] }],
    [
      { command: ["migrate", "--all"] },
      { overrides: { containerOverrides: [{ name: "app", command: ["migrate", "--all"] }] } },
    ],
    [
      { command: ["migrate"], overrides: [{ name: "app", cpu: 64 }] },
      { overrides: { containerOverrides: [{ name: "app", cpu: 64, command: ["migrate"] }] } },
    ],
  ])("%j wins over the service", (inputs, expected) => {
    expect(requestOf(spec(inputs, { launchType: "FARGATE", networkConfiguration: NETWORK }))).toMatchObject(
      expected,
    );
  });

  test("launch type and capacity providers exclude each other, and a platform version needs Fargate", () => {
    const service: EcsService = {
      capacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 1 }],
      platformVersion: "1.4.0",
      networkConfiguration: NETWORK,
    };
    const ec2 = requestOf(spec({ launchType: "EC2" }, service));
    expect([ec2["launchType"], "capacityProviderStrategy" in ec2, "platformVersion" in ec2]).toEqual([
      "EC2",
      false,
      false,
    ]);
    const other = requestOf(
      spec(
        { capacityProviderStrategy: [{ capacityProvider: "mine" }] },
        { ...service, launchType: "FARGATE" },
      ),
    );
    expect(["launchType" in other, other["capacityProviderStrategy"]]).toEqual([
      false,
      [{ capacityProvider: "mine" }],
    ]);
  });

  test("tags of the service where its tasks get them, those of AWS left out", () => {
    const tags = [
      { key: "team", value: "shop" },
      { key: "aws:cloudformation:stack-name", value: "x" },
    ];
    const service: EcsService = { networkConfiguration: NETWORK, propagateTags: "SERVICE", tags };
    expect(requestOf(spec({}, service))["tags"]).toEqual([{ key: "team", value: "shop" }]);
    expect("tags" in requestOf(spec({}, { ...service, propagateTags: "NONE" }))).toBe(false);
  });

  test("a network mode other than awsvpc takes no network configuration", () => {
    const definition = { ...DEFINITION, networkMode: "bridge", requiresCompatibilities: ["EC2"] };
    const request = requestOf(spec({}, { networkConfiguration: NETWORK, launchType: "EC2" }, definition));
    expect("networkConfiguration" in request).toBe(false);
  });

  test.each([
    [
      { ...spec({}, { networkConfiguration: NETWORK }), container: "web" },
      "`run-task-container` is `web`, which is not there: valid are `app`",
    ],
    [spec({ overrides: [{ name: "nope" }] }, { networkConfiguration: NETWORK }), "names `nope`"],
    [spec(), "`run-task-subnets` is needed"],
    [spec({ command: ["x".repeat(9000)] }, { networkConfiguration: NETWORK }), "ECS takes at most 8192"],
  ])("is refused when it cannot work", (made, problem) => {
    const request = taskRequest(made);
    expect(request.kind === "refused" && request.problems.join()).toContain(problem);
  });
});

describe("the verdict", () => {
  const judge = (task: Parameters<typeof judgeTask>[0]) =>
    judgeTask(task, "app", { containerDefinitions: [{ name: "app" }, { name: "proxy" }] });
  test("is the chosen container's, whatever became of its sidecars", () => {
    const containers = [
      { name: "app", exitCode: 0, lastStatus: "STOPPED" },
      { name: "proxy", exitCode: 137, lastStatus: "STOPPED" },
    ];
    expect(judge({ lastStatus: "STOPPED", stopCode: "EssentialContainerExited", containers })).toMatchObject({
      kind: "succeeded",
      exitCode: 0,
    });
    // On its way down already: the rest takes only time.
    expect(judge({ lastStatus: "DEPROVISIONING", desiredStatus: "STOPPED", containers }).kind).toBe(
      "succeeded",
    );
    expect(judge({ lastStatus: "RUNNING", desiredStatus: "RUNNING", containers }).kind).toBe("running");
  });

  test("a sidecar that ended well hides no failure", () => {
    const containers = [
      { name: "app", exitCode: 2 },
      { name: "proxy", exitCode: 0 },
    ];
    const verdict = judge({
      lastStatus: "STOPPED",
      stopCode: "EssentialContainerExited",
      stoppedReason: "Essential container in task exited",
      containers,
    });
    expect(verdict).toMatchObject({
      kind: "failed",
      exitCode: 2,
      cause: { code: "TASK_FAILED", message: "the one-off task failed: container app exited with code 2" },
    });
  });

  test.each([
    [
      {
        lastStatus: "STOPPED",
        stopCode: "TaskFailedToStart",
        stoppedReason: "CannotPullContainerError: x/y:1: not found",
      },
      "is not found",
    ],
    [
      {
        lastStatus: "STOPPED",
        stopCode: "UserInitiated",
        stoppedReason: "Stopped by a person",
        containers: [{ name: "app" }],
      },
      "ended without an exit code (Stopped by a person)",
    ],
    [
      {
        lastStatus: "STOPPED",
        stopCode: "SpotInterruption",
        stoppedReason: "Your Spot Task was interrupted.",
        containers: [{ name: "app" }, { name: "proxy", exitCode: 0 }],
      },
      "ended without an exit code",
    ],
    [
      {
        lastStatus: "STOPPED",
        stopCode: "EssentialContainerExited",
        containers: [
          { name: "app", exitCode: 137, reason: "OutOfMemoryError: Container killed due to memory usage" },
        ],
      },
      "out of memory",
    ],
  ])("%j has failed", (task, words) => {
    const verdict = judge(task);
    expect(verdict).toMatchObject({ kind: "failed", cause: { code: "TASK_FAILED" } });
    expect(verdict.kind === "failed" && verdict.cause.message).toContain(words);
  });
});

describe("a task in the world", () => {
  function world(more: (aws: FakeAws) => void = () => {}) {
    const aws = new FakeAws();
    aws.addService({ image: "app:1" });
    more(aws);
    const clock = new FakeClock(aws.time.now(), true);
    const log = new RecordingLog();
    const { ecs, logs } = apisOver(aws.call);
    return { aws, clock, log, ports: { ecs, logs, clock, log } };
  }
  const revisionOf = (aws: FakeAws) => aws.service().deployments[0]?.revision.definition.arn ?? "";

  async function started(setup: ReturnType<typeof world>, more: Partial<WatchedTask> = {}) {
    const { aws, ports } = setup;
    const { services } = await ports.ecs.describeServices("default", ["app"]);
    const revision = revisionOf(aws);
    const definition = (await ports.ecs.describeTaskDefinition(revision)).taskDefinition;
    const input = requestOf({ ...spec({}, services[0], definition), cluster: "default", revision });
    const answer = await startTask(ports, input);
    if (answer.kind === "refused") return { answer, input, watcher: undefined, task: "" };
    const watcher = new TaskWatcher(ports, {
      cluster: "default",
      task: answer.task,
      container: "app",
      definition,
      timeoutMs: 600_000,
      logLines: 3,
      ...more,
    });
    return { answer, input, watcher, task: answer.task };
  }

  async function watched(setup: ReturnType<typeof world>, more: Partial<WatchedTask> = {}) {
    const { watcher } = await started(setup, more);
    for (let looks = 0; looks < 400; looks++) {
      const verdict = await watcher?.look(new AbortController().signal);
      if (verdict === undefined || verdict.kind !== "running") return verdict;
      setup.aws.advance(3000);
      await setup.clock.sleep(3000);
    }
    throw new Error("never ended");
  }

  test("ends well, its lines are shown once and as they came", async () => {
    const setup = world((aws) =>
      aws.behave(
        "app:1",
        { kind: "exits", code: 0, afterMs: 9000, logs: ["one", "two", "\u001b[31mthree\u001b[0m"] },
        "task",
      ),
    );
    expect(await watched(setup)).toMatchObject({ kind: "succeeded", exitCode: 0 });
    expect(setup.log.lines.filter((line) => line.startsWith("|"))).toEqual(["| one", "| two", "| three"]);
    expect(setup.aws.violations).toEqual([]);
  });

  test("fails with its last lines as evidence", async () => {
    const setup = world((aws) =>
      aws.behave("app:1", { kind: "exits", code: 4, afterMs: 3000, logs: ["a", "b", "c", "d"] }, "task"),
    );
    const verdict = await watched(setup);
    expect(verdict).toMatchObject({ kind: "failed", exitCode: 4 });
    expect(verdict?.kind === "failed" && verdict.cause.evidence?.slice(-4)).toEqual([
      "last 3 lines of container app:",
      "b",
      "c",
      "d",
    ]);
  });

  test("an image that is not found", async () => {
    const setup = world((aws) => aws.behave("app:1", { kind: "image-not-found" }, "task"));
    const verdict = await watched(setup);
    expect(verdict).toMatchObject({ kind: "failed", exitCode: null, cause: { code: "TASK_FAILED" } });
    expect(verdict?.kind === "failed" && verdict.cause.message).toContain("app:1 is not found");
  });

  test("one that does not end in time is a failure that says so", async () => {
    const setup = world((aws) => aws.behave("app:1", { kind: "good" }, "task"));
    const verdict = await watched(setup, { timeoutMs: 60_000 });
    expect(verdict?.kind === "failed" && verdict.cause.message).toContain(
      "did not end within `run-task-timeout` 1 min",
    );
  });

  test("logs that may not be read cost one line, not the task", async () => {
    const setup = world((aws) => {
      aws.behave("app:1", { kind: "exits", code: 0, afterMs: 9000, logs: ["x"] }, "task");
      aws.deny("logs:GetLogEvents");
    });
    expect(await watched(setup)).toMatchObject({ kind: "succeeded" });
    expect(setup.log.lines.filter((line) => line.includes("logs:GetLogEvents"))).toHaveLength(1);
  });

  test("no capacity is answered with 200 and failures: nothing was started", async () => {
    const setup = world((aws) => aws.behave("app:1", { kind: "no-capacity" }, "task"));
    const { answer } = await started(setup);
    expect(answer).toMatchObject({ kind: "refused", cause: { code: "TASK_FAILED" } });
    expect(answer.kind === "refused" && answer.cause.message).toContain("RunTask started nothing");
  });

  test("sent twice it is started once, and found again by its name", async () => {
    const setup = world((aws) => aws.behave("app:1", { kind: "good" }, "task"));
    const { ecs } = setup.ports;
    const { task, input } = await started(setup);
    const again = await startTask(setup.ports, input);
    expect(again).toEqual({ kind: "started", task });
    const mark = { cluster: "default", startedBy: "run-1-1-abc", revision: revisionOf(setup.aws), since: 0 };
    expect(await findTask(ecs, mark)).toBe(task);
    expect(await findTask(ecs, { ...mark, startedBy: "someone" })).toBe("");
    expect(await findTask(ecs, { ...mark, revision: "arn:other" })).toBe("");
  });

  test("is stopped, which is told once it has ended; to stop it again is no error", async () => {
    const setup = world((aws) => aws.behave("app:1", { kind: "good" }, "task"));
    const { ecs } = setup.ports;
    const { task } = await started(setup);
    setup.aws.advance(20_000);
    expect(await hasStopped(ecs, "default", task)).toBe(false);
    await stopTask(ecs, "default", task, "cancelled");
    setup.aws.advance(120_000);
    expect(await hasStopped(ecs, "default", task)).toBe(true);
    await stopTask(ecs, "default", task, "cancelled");
    await stopTask(
      ecs,
      "default",
      "arn:aws:ecs:eu-west-1:123456789012:task/default/0123456789abcdef0123456789abcdef",
      "cancelled",
    );
    expect(setup.aws.violations).toEqual([]);
  });
});

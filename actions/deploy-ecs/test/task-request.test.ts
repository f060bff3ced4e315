import { describe, expect, test } from "@jest/globals";
import type { EcsService } from "../src/api/ecs-types.ts";
import { taskRequest } from "../src/task/request.ts";
import { judgeTask } from "../src/task/verdict.ts";
import { DEFINITION, NETWORK, requestOf, spec } from "./task-spec.ts";

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

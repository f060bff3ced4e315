import { describe, expect, test } from "@jest/globals";
import type { JsonObject } from "../../../lib/aws/call.ts";
import { RecordingLog } from "../../../lib/log.ts";
import type { Behaviour } from "../../../lib/testing/fake-ecs/behaviour.ts";
import type { ServiceSetup } from "../../../lib/testing/fake-ecs/set-up.ts";
import { FakeAws } from "../../../lib/testing/fake-ecs/world.ts";
import { apisOver } from "../src/api/apis.ts";
import type { EcsTask } from "../src/api/ecs-types.ts";
import { diagnose } from "../src/diagnose/diagnose.ts";
import { logSourceOf } from "../src/diagnose/log-source.ts";
import { logTail } from "../src/diagnose/log-tail.ts";
import { rankCauses } from "../src/diagnose/rank.ts";

const NO_FACTS = { tasks: [], essential: undefined, events: [], targets: [] };
const exit = (id: string, exitCode: number, more: Partial<EcsTask> = {}): EcsTask => ({
  taskArn: `arn:aws:ecs:eu-west-1:1:task/c/${id}`,
  lastStatus: "STOPPED",
  stopCode: "EssentialContainerExited",
  stoppedReason: "Essential container in task exited",
  containers: [{ name: "app", exitCode }],
  ...more,
});

describe("ranking", () => {
  test("a fault that no retry mends goes before all others", () => {
    const pull =
      "CannotPullContainerError: pull image manifest has been retried: failed to resolve ref r/app:2: r/app:2: not found";
    const found = rankCauses({
      ...NO_FACTS,
      tasks: [
        exit("1", 1),
        exit("2", 1),
        exit("3", 1, { stopCode: "TaskFailedToStart", stoppedReason: pull, containers: [] }),
      ],
    });
    expect(found.map(({ cause }) => cause.code)).toEqual(["IMAGE_NOT_FOUND", "CONTAINER_EXITED"]);
    expect(found[1]?.cause.message).toBe("container app exited with code 1 (2 tasks)");
  });

  test("so does a command that cannot be started, however often others exit", () => {
    const stoppedReason =
      'CannotStartContainerError: OCI runtime create failed: exec: "serve": executable file not found in $PATH';
    const start = exit("4", 1, { stopCode: "TaskFailedToStart", stoppedReason, containers: [] });
    const found = rankCauses({ ...NO_FACTS, tasks: [exit("1", 1), exit("2", 1), start] });
    expect(found.map(({ cause }) => cause.code)).toEqual(["CONTAINER_START_FAILED", "CONTAINER_EXITED"]);
  });

  test("a task's own end goes before what the load balancer and the events say of it", () => {
    const found = rankCauses({
      ...NO_FACTS,
      tasks: [
        exit("1", 137, {
          containers: [
            { name: "app", exitCode: 137, reason: "OutOfMemoryError: Container killed due to memory usage" },
          ],
        }),
      ],
      events: [
        { message: "(service s) was unable to place a task. Reason: Capacity is unavailable at this time." },
        {
          message:
            "(service s) (port 80) is unhealthy in (target-group arn:x:targetgroup/web/1) due to (reason Request timed out)",
        },
      ],
      targets: [
        {
          Target: { Id: "10.0.0.1", Port: 80 },
          TargetHealth: { State: "unhealthy", Reason: "Target.Timeout" },
        },
      ],
    });
    expect(found.map(({ cause }) => cause.code)).toEqual([
      "OUT_OF_MEMORY",
      "TARGET_UNHEALTHY",
      "NO_CAPACITY",
    ]);
  });

  test("an unhealthy target is explained in the load balancer's own words", () => {
    const [found] = rankCauses({
      ...NO_FACTS,
      tasks: [
        exit("1", 0, {
          stopCode: "ServiceSchedulerInitiated",
          stoppedReason: "Task failed ELB health checks in (target-group arn:x:targetgroup/web/1)",
        }),
      ],
      events: [
        {
          message:
            "(service s) (port 80) is unhealthy in (target-group arn:x:targetgroup/web/1) due to (reason Health checks failed with these codes: [500]).",
        },
      ],
    });
    expect(found?.cause.message).toBe(
      "the load balancer's health check fails in target group web: Health checks failed with these codes: [500]",
    );
  });

  test("nothing is explained by tasks that scaling stopped, nor by nothing", () => {
    const scaled = exit("1", 143, {
      stopCode: "ServiceSchedulerInitiated",
      stoppedReason: "Scaling activity initiated by (deployment x)",
    });
    expect(rankCauses({ ...NO_FACTS, tasks: [scaled] })).toEqual([]);
    expect(rankCauses(NO_FACTS)).toEqual([]);
  });

  test("evidence is bounded", () => {
    const tasks = Array.from({ length: 40 }, (_, place) => exit(String(place), 1));
    const events = Array.from({ length: 90 }, () => ({ message: "(service s) has started 1 tasks" }));
    const [found] = rankCauses({ ...NO_FACTS, tasks, events });
    expect(found?.cause.message).toContain("(40 tasks)");
    expect(found?.cause.evidence?.length).toBeLessThanOrEqual(15);
  });
});

describe("log sources", () => {
  const of = (logConfiguration: JsonObject | undefined) =>
    logSourceOf(
      { containerDefinitions: [{ name: "app", logConfiguration }] },
      "app",
      "arn:aws:ecs:eu-west-1:1:task/c/1a2b",
    );
  test("awslogs", () => {
    const options = {
      "awslogs-group": "/ecs/app",
      "awslogs-region": "eu-north-1",
      "awslogs-stream-prefix": "ecs",
    };
    expect(of({ logDriver: "awslogs", options })).toEqual({
      kind: "awslogs",
      group: "/ecs/app",
      region: "eu-north-1",
      stream: "ecs/app/1a2b",
    });
  });
  test.each([
    [undefined, "no log driver"],
    [{ logDriver: "awsfirelens" }, "logs through awsfirelens"],
    [{ logDriver: "awslogs", options: { "awslogs-group": "g" } }, "without awslogs-stream-prefix"],
    [{ logDriver: "awslogs", options: {} }, "no awslogs-group"],
  ])("%j says why", (configuration, why) => {
    const source = of(configuration);
    expect(source.kind === "unreadable" && source.why).toContain(why);
  });
});

describe("log tails", () => {
  const definition = {
    containerDefinitions: [
      {
        name: "app",
        logConfiguration: {
          logDriver: "awslogs",
          options: { "awslogs-group": "g", "awslogs-stream-prefix": "p" },
        },
      },
    ],
  };
  const query = { definition, container: "app", taskArn: "x/1", lines: 4 };

  test("an empty page is not the end", async () => {
    const asked: unknown[] = [];
    const pages = [
      { events: [{ message: "d" }], nextBackwardToken: "b/1" },
      { events: [], nextBackwardToken: "b/2" },
      { events: [{ message: "b" }, { message: "c" }], nextBackwardToken: "b/3" },
      { events: [], nextBackwardToken: "b/3" },
    ];
    const tail = await logTail(
      {
        getLogEvents: async ({ nextToken, limit }) => {
          asked.push([nextToken, limit]);
          return pages.shift() ?? { events: [] };
        },
      },
      query,
    );
    expect(tail.lines).toEqual(["b", "c", "d"]);
    expect(asked).toEqual([
      [undefined, 4],
      ["b/1", 3],
      ["b/2", 3],
      ["b/3", 1],
    ]);
  });

  test("a missing stream is no fault", async () => {
    const { logs } = apisOver(new FakeAws().call);
    expect(await logTail(logs, query)).toEqual({ lines: [], note: "there is no log stream g p/app/1" });
  });
});

describe("a deployment that fails in the world", () => {
  async function failing(
    behaviour: Behaviour,
    setup: ServiceSetup = {},
    more: (aws: FakeAws) => void = () => {},
  ) {
    const aws = new FakeAws();
    aws.addService({ ...setup });
    aws.behave("app:2", behaviour);
    aws.deploy("app", "app:2");
    aws.advance(240_000);
    more(aws);
    const { ecs, logs, elb } = apisOver(aws.call);
    const [seen] = (await ecs.describeServices("default", ["app"])).services;
    const ours = seen?.deployments?.find(({ taskDefinition }) => taskDefinition?.endsWith(":2"));
    const { taskDefinition } = await ecs.describeTaskDefinition("app:2");
    const log = new RecordingLog();
    const causes = await diagnose(
      { ecs, logs, elb, log },
      {
        cluster: "default",
        service: "app",
        startedBy: [ours?.id ?? ""],
        revision: ours?.taskDefinition ?? "",
        since: ours?.createdAt ?? 0,
        definition: taskDefinition,
        logLines: 2,
        seen,
      },
    );
    expect(aws.violations).toEqual([]);
    return { causes, log, aws };
  }

  test.each<[string, Behaviour, string]>([
    ["IMAGE_NOT_FOUND", { kind: "image-not-found" }, "app:2 is not found"],
    ["IMAGE_DENIED", { kind: "image-denied" }, "may not pull the image app:2"],
    ["SECRET_DENIED", { kind: "secret-denied" }, "may not read the secret arn:"],
    ["SECRET_DENIED", { kind: "secret-not-found" }, "is not found"],
    ["CONTAINER_EXITED", { kind: "exits", code: 1 }, "container app exited with code 1"],
    ["OUT_OF_MEMORY", { kind: "out-of-memory" }, "container app was killed: out of memory"],
    ["CONTAINER_UNHEALTHY", { kind: "container-unhealthy" }, "container app fails its health check"],
    ["NO_CAPACITY", { kind: "no-capacity" }, "Capacity is unavailable"],
  ])("%s", async (code, behaviour, words) => {
    const { causes } = await failing(behaviour);
    expect(causes[0]?.code).toBe(code);
    expect(causes[0]?.message).toContain(words);
    expect(causes[0]?.message).not.toContain("\n");
  });

  test("TARGET_UNHEALTHY, with the load balancer's reason", async () => {
    // Asked just as it finds a target unhealthy: a moment later ECS has stopped the task.
    const unhealthy = (aws: FakeAws) => {
      const seen = () => aws.service().tasks.some(({ target }) => target.state === "unhealthy");
      for (let steps = 0; steps < 2000 && !seen(); steps++) aws.advance(100);
    };
    const { causes } = await failing({ kind: "target-unhealthy" }, { targetGroup: "app" }, unhealthy);
    expect(causes[0]?.code).toBe("TARGET_UNHEALTHY");
    expect(causes[0]?.message).toContain("Health checks failed with these codes: [500]");
  });

  test("the last lines of the failed container are evidence", async () => {
    const { causes } = await failing({ kind: "exits", code: 1, logs: ["boot", "no database", "bye"] });
    const evidence = causes[0]?.evidence ?? [];
    expect(evidence.slice(-2)).toEqual(["no database", "bye"]);
    expect(evidence.at(-3)).toMatch(/^last 2 lines of container app, task [0-9a-f]+:$/);
  });

  test("what may not be read costs its part and one line", async () => {
    const { causes, log } = await failing({ kind: "no-capacity" }, {}, (aws) => aws.deny("ecs:ListTasks"));
    expect(causes[0]?.code).toBe("NO_CAPACITY");
    expect(log.lines.filter((line) => line.includes("ecs:ListTasks"))).toHaveLength(1);
  });

  test("tasks of another deployment explain nothing", async () => {
    const { causes } = await failing({ kind: "good" });
    expect(causes).toEqual([]);
  });
});

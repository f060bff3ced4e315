import { describe, expect, test } from "@jest/globals";
import { FakeAws } from "../../../lib/testing/fake-ecs/world.ts";
import { apisOver } from "../src/api/apis.ts";
import type { EcsTask } from "../src/api/ecs-types.ts";
import { prune, staleRevisions } from "../src/prune.ts";
import { parseScheduleName } from "../src/schedules/names.ts";
import { moveSchedules, readSchedules, restoreSchedules } from "../src/schedules/schedules.ts";
import { entrancesOf, judgeTargets, lookAtTargets } from "../src/target-health.ts";

const ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition";
const target = (id: string, definition: string) => ({
  Id: id,
  Arn: "arn:aws:ecs:eu-west-1:123456789012:cluster/default",
  RoleArn: "arn:aws:iam::123456789012:role/events",
  Input: '{"containerOverrides":[{"name":"app","command":["a","b"]}]}',
  EcsParameters: {
    TaskDefinitionArn: `${ARN}/${definition}`,
    TaskCount: 3,
    LaunchType: "FARGATE",
    Group: "g",
  },
  RetryPolicy: { MaximumRetryAttempts: 2 },
});
const scheduleTarget = (definition: string) => {
  const { Id: _, ...rest } = target("", definition);
  return { ...rest, EcsParameters: { TaskDefinitionArn: `${ARN}/${definition}`, TaskCount: 1 } };
};

describe("names", () => {
  test.each([
    ["nightly", { kind: "either", name: "nightly", group: "" }],
    ["ops/nightly", { kind: "either", name: "nightly", group: "ops" }],
    ["arn:aws:events:eu-west-1:1:rule/nightly", { kind: "rule", name: "nightly", group: "" }],
    ["arn:aws:events:eu-west-1:1:rule/bus/nightly", { kind: "rule", name: "nightly", group: "bus" }],
    [
      "arn:aws-cn:scheduler:cn-north-1:1:schedule/default/nightly",
      { kind: "schedule", name: "nightly", group: "" },
    ],
    [
      "arn:aws:scheduler:eu-west-1:1:schedule/ops/nightly",
      { kind: "schedule", name: "nightly", group: "ops" },
    ],
  ])("%s", (text, parsed) => {
    expect(parseScheduleName(text)).toEqual(parsed);
  });
});

describe("schedules", () => {
  function world() {
    const aws = new FakeAws();
    aws.schedules.addRule("hourly", [
      target("one", "app:1"),
      target("two", "other:5"),
      target("three", "app:1"),
    ]);
    aws.schedules.addRule("bused", [target("one", "app:1")], "bus");
    aws.schedules.addSchedule("nightly", {
      GroupName: "ops",
      ScheduleExpression: "cron(0 3 * * ? *)",
      ScheduleExpressionTimezone: "Europe/Berlin",
      State: "DISABLED",
      StartDate: 1_700_000_000,
      Description: "at night",
      FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 15 },
      Target: scheduleTarget("app:1"),
    });
    const { events, scheduler } = apisOver(aws.call);
    return { aws, ports: { events, scheduler } };
  }
  const names = ["hourly", "bus/bused", "ops/nightly"];

  test("move: one ARN changes in each target of the family, and nothing else", async () => {
    const { aws, ports } = world();
    const rule = aws.schedules.targetsOf("hourly");
    const schedule = aws.schedules.schedule("nightly", "ops");
    const { found, problems } = await readSchedules(ports, names, "app");
    expect(problems).toEqual([]);
    expect(await moveSchedules(ports, found, `${ARN}/app:2`)).toBe(4);
    const moved = (one: unknown) =>
      JSON.parse(JSON.stringify(one).replaceAll(`${ARN}/app:1`, `${ARN}/app:2`));
    expect(aws.schedules.targetsOf("hourly")).toEqual(moved(rule));
    const { LastModificationDate: _a, ...now } = aws.schedules.schedule("nightly", "ops");
    const { LastModificationDate: _b, ...then } = moved(schedule);
    expect(now).toEqual(then);
    expect(aws.violations).toEqual([]);
    // Idempotent: nothing is written a second time.
    const writes = () => aws.calls.filter(({ operation }) => /^(Put|Update)/.test(operation)).length;
    const before = writes();
    expect(await moveSchedules(ports, found, `${ARN}/app:2`)).toBe(0);
    expect(writes()).toBe(before);
  });

  test("restore: byte for byte as before, from what was saved alone", async () => {
    const { aws, ports } = world();
    const rule = JSON.stringify(aws.schedules.targetsOf("hourly"));
    const { found } = await readSchedules(ports, names, "app");
    const saved = JSON.parse(JSON.stringify(found));
    await moveSchedules(ports, found, `${ARN}/app:2`);
    expect(await restoreSchedules(ports, saved, `${ARN}/app:2`)).toBe(4);
    expect(JSON.stringify(aws.schedules.targetsOf("hourly"))).toBe(rule);
    expect(await restoreSchedules(ports, saved, `${ARN}/app:2`)).toBe(0);
  });

  test("restore leaves what somebody else has moved since", async () => {
    const { aws, ports } = world();
    const { found } = await readSchedules(ports, ["bus/bused"], "app");
    await moveSchedules(ports, found, `${ARN}/app:2`);
    await moveSchedules(ports, found, `${ARN}/app:3`);
    expect(await restoreSchedules(ports, found, `${ARN}/app:2`)).toBe(0);
    expect(JSON.stringify(aws.schedules.targetsOf("bused", "bus"))).toContain("app:3");
  });

  test("what is saved holds no input of a target", async () => {
    const { ports } = world();
    const { found } = await readSchedules(ports, names, "app");
    expect(JSON.stringify(found)).not.toContain("containerOverrides");
  });

  test("names that do not fit are told, each with what is wrong", async () => {
    const { ports } = world();
    const { problems } = await readSchedules(ports, ["never", "hourly"], "third");
    expect(problems[0]).toBe("`schedules` is `never`: there is no such rule or schedule");
    expect(problems[1]).toContain("it has no target that runs third, it runs app, other");
  });

  test("permission for the other kind is not needed; for its own it is", async () => {
    const { aws, ports } = world();
    aws.deny("scheduler:GetSchedule");
    expect((await readSchedules(ports, ["hourly"], "app")).found).toHaveLength(1);
    await expect(readSchedules(ports, ["ops/nightly"], "app")).rejects.toMatchObject({
      code: "ACCESS_DENIED",
    });
  });
});

describe("pruning", () => {
  const arns = (...numbers: number[]) => numbers.map((number) => `${ARN}/app:${number}`);

  test.each([
    [0, [], []],
    [2, [], [1, 2, 3]],
    [2, [2], [1, 3]],
    [9, [], []],
    [1, [1, 5], [2, 3, 4]],
  ])("keep %d, used %j: %j go, oldest first", (keep, used, gone) => {
    expect(staleRevisions(arns(3, 1, 5, 2, 4), { keep, used: new Set(arns(...used)) })).toEqual(
      arns(...gone),
    );
  });

  test("numbers count, not text; a run prunes at most 50", () => {
    expect(staleRevisions(arns(9, 10, 11), { keep: 2, used: new Set() })).toEqual(arns(9));
    const many = arns(...Array.from({ length: 400 }, (_, place) => place + 1));
    expect(staleRevisions(many, { keep: 1, used: new Set() })).toEqual(many.slice(0, 50));
  });

  test("what another family lists is never touched", async () => {
    const gone: string[] = [];
    const { ecs } = apisOver(async (_service, operation, input) => {
      if (operation === "DeregisterTaskDefinition") gone.push(String(input["taskDefinition"]));
      return { taskDefinitionArns: [...arns(3, 2, 1), `${ARN}/app-two:1`, `${ARN}/two/app:1`] };
    });
    await prune(ecs, "app", { keep: 1, used: new Set() });
    expect(gone).toEqual(arns(1, 2));
  });

  test("in the world: a family whose name only begins the same is untouched", async () => {
    const aws = new FakeAws();
    aws.addService();
    for (let count = 0; count < 4; count++) {
      await aws.call("ecs", "RegisterTaskDefinition", {
        family: "app",
        containerDefinitions: [{ name: "app", image: "x", memory: 64 }],
      });
      await aws.call("ecs", "RegisterTaskDefinition", {
        family: "app-two",
        containerDefinitions: [{ name: "app", image: "x", memory: 64 }],
      });
    }
    const { ecs } = apisOver(aws.call);
    expect(await prune(ecs, "app", { keep: 2, used: new Set([`${ARN}/app:1`]) })).toEqual(arns(2, 3));
    expect(await ecs.listTaskDefinitions("app")).toEqual(arns(5, 4, 1));
    expect(await ecs.listTaskDefinitions("app-two")).toHaveLength(4);
    expect(aws.violations).toEqual([]);
  });
});

describe("target health", () => {
  const entrances = entrancesOf([
    {
      targetGroupArn: "tg-a",
      containerName: "app",
      containerPort: 80,
      advancedConfiguration: { alternateTargetGroupArn: "tg-b" },
    },
    { loadBalancerName: "classic", containerName: "app", containerPort: 80 },
  ]);
  const fargate = (id: string, address: string): EcsTask => ({
    taskArn: `t/${id}`,
    containers: [{ name: "app", networkInterfaces: [{ privateIpv4Address: address }] }],
  });
  const state = (Id: string, Port: number, State: string, Reason?: string) => ({
    Target: { Id, Port },
    TargetHealth: { State, ...(Reason ? { Reason } : {}) },
  });

  test.each([
    ["healthy in one of the two groups", [], [state("10.0.0.1", 80, "healthy")], "healthy"],
    ["initial", [state("10.0.0.1", 80, "initial")], [], "waiting"],
    ["another port of the same address", [state("10.0.0.1", 81, "healthy")], [], "waiting"],
    ["only an old task is healthy", [state("10.0.0.9", 80, "healthy")], [], "waiting"],
    ["draining", [state("10.0.0.1", 80, "draining")], [], "waiting"],
    ["a group that no listener uses", [state("10.0.0.1", 80, "unused", "Target.NotInUse")], [], "healthy"],
    [
      "registered in a zone that the load balancer lacks",
      [state("10.0.0.1", 80, "unused", "Target.IpUnusable")],
      [],
      "waiting",
    ],
  ])("%s", (_, a, b, kind) => {
    const health = new Map([
      ["tg-a", a],
      ["tg-b", b],
    ]);
    expect(judgeTargets([fargate("1", "10.0.0.1")], entrances, health).kind).toBe(kind);
  });

  test("every new task counts, and why is told", () => {
    const health = new Map([
      ["tg-a", [state("10.0.0.1", 80, "healthy"), state("10.0.0.2", 80, "unhealthy", "Target.Timeout")]],
    ]);
    const seen = judgeTargets([fargate("1", "10.0.0.1"), fargate("2", "10.0.0.2")], entrances, health);
    expect(seen.detail).toBe("target 10.0.0.2:80 is unhealthy (Target.Timeout)");
    expect(seen.kind === "waiting" && seen.suspect.code).toBe("TARGET_UNHEALTHY");
    expect(judgeTargets([], entrances, health).kind).toBe("waiting");
  });

  test("tasks of instances are known by their host's port", () => {
    const task: EcsTask = {
      taskArn: "t/1",
      containers: [{ name: "app", networkBindings: [{ containerPort: 80, hostPort: 32_768 }] }],
    };
    expect(judgeTargets([task], entrances, new Map([["tg-a", [state("i-1", 32_768, "healthy")]]])).kind).toBe(
      "healthy",
    );
    expect(judgeTargets([task], entrances, new Map([["tg-a", [state("i-1", 32_769, "healthy")]]])).kind).toBe(
      "waiting",
    );
  });

  test("in the world", async () => {
    const aws = new FakeAws();
    aws.addService({ targetGroup: "app" });
    const apis = apisOver(aws.call);
    const [service] = (await apis.ecs.describeServices("default", ["app"])).services;
    const scene = {
      cluster: "default",
      service: "app",
      revision: `${ARN}/app:1`,
      entrances: entrancesOf(service?.loadBalancers ?? []),
    };
    expect(await lookAtTargets(apis, scene)).toEqual({ kind: "healthy", detail: "2 targets healthy" });
    expect((await lookAtTargets(apis, { ...scene, revision: `${ARN}/app:9` })).kind).toBe("waiting");
    expect(aws.violations).toEqual([]);
  });
});

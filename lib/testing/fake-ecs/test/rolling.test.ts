import { describe, expect, test } from "@jest/globals";
import type { Behaviour } from "../behaviour.ts";
import { breakerSettings, breakerThreshold } from "../ecs/breaker.ts";
import { FakeAws } from "../world.ts";
import { deploy, deploymentsOf, rolloutOf, stoppedOf } from "./looks.ts";

const breaker = { deploymentCircuitBreaker: { enable: true, rollback: true } };

describe("the circuit breaker's threshold", () => {
  test.each([
    [undefined, 1, 3],
    [undefined, 6, 3],
    [undefined, 7, 4],
    [undefined, 25, 13],
    [undefined, 400, 200],
    [undefined, 1000, 200],
    [{ type: "BOUNDED_PERCENT", value: 10 }, 50, 5],
    [{ type: "BOUNDED_PERCENT", value: 10 }, 10, 3],
    [{ type: "UNBOUNDED_PERCENT", value: 10 }, 10, 1],
    [{ type: "UNBOUNDED_PERCENT", value: 100 }, 1000, 1000],
    [{ type: "COUNT", value: 7 }, 1, 7],
  ])("%j with %i tasks is %i", (thresholdConfiguration, desired, expected) => {
    const deploymentCircuitBreaker = { enable: true, rollback: true, thresholdConfiguration };
    expect(breakerThreshold(breakerSettings({ deploymentCircuitBreaker }), desired)).toBe(expected);
  });
});

test("a good rollout: new tasks, then the old ones leave, then COMPLETED", async () => {
  const aws = new FakeAws();
  aws.addService({ targetGroup: "app" });
  await deploy(aws, "app:2");
  expect(await deploymentsOf(aws)).toEqual([
    "PRIMARY app:2 IN_PROGRESS 0/2 failed 0",
    "ACTIVE app:1 COMPLETED 2/2 failed 0",
  ]);
  aws.advance(10_000);
  expect(await deploymentsOf(aws)).toEqual([
    "PRIMARY app:2 IN_PROGRESS 2/2 failed 0",
    "ACTIVE app:1 COMPLETED 2/2 failed 0",
  ]);
  aws.advance(30_000);
  expect(await deploymentsOf(aws)).toEqual(["PRIMARY app:2 COMPLETED 2/2 failed 0"]);
  expect(await rolloutOf(aws)).toMatchObject({ status: "SUCCESSFUL" });
  expect(aws.violations).toEqual([]);
});

test.each<[string, Behaviour, string, string, number | undefined]>([
  [
    "an image that is not there",
    { kind: "image-not-found" },
    "TaskFailedToStart",
    "CannotPullContainerError",
    undefined,
  ],
  ["an image that is denied", { kind: "image-denied" }, "TaskFailedToStart", "403 Forbidden", undefined],
  [
    "a secret that is denied",
    { kind: "secret-denied" },
    "TaskFailedToStart",
    "AccessDeniedException",
    undefined,
  ],
  [
    "an exit",
    { kind: "exits", code: 1 },
    "EssentialContainerExited",
    "Essential container in task exited",
    1,
  ],
  ["too little memory", { kind: "out-of-memory" }, "EssentialContainerExited", "Essential container", 137],
  [
    "a container's health check",
    { kind: "container-unhealthy" },
    "ServiceSchedulerInitiated",
    "container health checks",
    143,
  ],
  [
    "a target's health check",
    { kind: "target-unhealthy" },
    "ServiceSchedulerInitiated",
    "ELB health checks",
    143,
  ],
])("%s trips the breaker and ECS goes back", async (_, behaviour, stopCode, reason, exitCode) => {
  const aws = new FakeAws();
  aws.addService({ targetGroup: "app", deploymentConfiguration: breaker });
  aws.behave("app:2", behaviour);
  await deploy(aws, "app:2");
  aws.advance(180_000);
  const rollout = await rolloutOf(aws);
  expect(rollout).toMatchObject({
    status: "ROLLBACK_SUCCESSFUL",
    deploymentCircuitBreaker: { status: "TRIGGERED", threshold: 3 },
  });
  expect(await deploymentsOf(aws)).toEqual(["PRIMARY app:1 COMPLETED 2/2 failed 0"]);
  const task = (await stoppedOf(aws)).find((one) => String(one["taskDefinitionArn"]).endsWith("app:2"));
  expect(task).toMatchObject({ stopCode, stoppedReason: expect.stringContaining(reason) });
  const [container] = (task?.["containers"] ?? []) as { exitCode?: number }[];
  expect(container?.exitCode).toBe(exitCode);
  expect(aws.violations).toEqual([]);
});

test("a failed rollout without rollback leaves two deployments for ever", async () => {
  const aws = new FakeAws();
  aws.addService({
    deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: false } },
  });
  aws.behave("app:2", { kind: "exits", code: 1 });
  await deploy(aws, "app:2");
  aws.advance(3_600_000);
  expect(await deploymentsOf(aws)).toEqual([
    "PRIMARY app:2 FAILED 0/2 failed 4",
    "ACTIVE app:1 COMPLETED 2/2 failed 0",
  ]);
  expect(await rolloutOf(aws)).toMatchObject({ status: "STOPPED" });
});

test("a first deployment has nothing to go back to and stalls", async () => {
  const aws = new FakeAws();
  aws.behave("app:1", { kind: "exits", code: 1 });
  aws.addService({ deployed: false, deploymentConfiguration: breaker });
  aws.advance(3_600_000);
  expect(await deploymentsOf(aws)).toEqual([
    expect.stringMatching(/^PRIMARY app:1 IN_PROGRESS 0\/2 failed \d$/),
  ]);
});

test("tasks that crash after they ran are not counted: without a breaker's help the rollout goes on for ever", async () => {
  const aws = new FakeAws();
  aws.addService({ targetGroup: "app", deploymentConfiguration: breaker });
  aws.behave("app:2", { kind: "exits", code: 1, afterMs: 3000 });
  await deploy(aws, "app:2");
  aws.advance(600_000);
  const [primary] = await deploymentsOf(aws);
  expect(primary).toMatch(/^PRIMARY app:2 (IN_PROGRESS|COMPLETED) \d\/2 failed 0$/);
  expect((await stoppedOf(aws)).length).toBeGreaterThan(20);
});

test("no capacity: no task, an event, no failure; when there is some again, it goes on", async () => {
  const aws = new FakeAws();
  aws.addService({ deploymentConfiguration: breaker });
  aws.behave("app:2", { kind: "no-capacity", forMs: 60_000 });
  await deploy(aws, "app:2");
  aws.advance(55_000);
  expect(await deploymentsOf(aws)).toContain("PRIMARY app:2 IN_PROGRESS 0/2 failed 0");
  const messages = aws.service().events.map((event) => String(event["message"]));
  expect(messages[0]).toContain("(service app) was unable to place a task");
  aws.advance(60_000);
  expect(await deploymentsOf(aws)).toEqual(["PRIMARY app:2 COMPLETED 2/2 failed 0"]);
});

test("an alarm fails the rollout, also in the bake after the old tasks are gone", async () => {
  const aws = new FakeAws();
  aws.addService({
    deploymentConfiguration: { alarms: { enable: true, rollback: true, alarmNames: ["errors"] } },
  });
  await deploy(aws, "app:2");
  aws.advance(40_000);
  expect(await deploymentsOf(aws)).toEqual(["PRIMARY app:2 IN_PROGRESS 2/2 failed 0"]);
  aws.ring("errors");
  aws.advance(60_000);
  expect(await rolloutOf(aws)).toMatchObject({
    status: "ROLLBACK_SUCCESSFUL",
    alarms: { status: "TRIGGERED", triggeredAlarmNames: ["errors"] },
  });
  expect(await deploymentsOf(aws)).toEqual(["PRIMARY app:1 COMPLETED 2/2 failed 0"]);
});

test("an alarm that rings already when the rollout begins is not looked at", async () => {
  const aws = new FakeAws();
  aws.addService({
    deploymentConfiguration: { alarms: { enable: true, rollback: true, alarmNames: ["errors"] } },
  });
  aws.ring("errors");
  await deploy(aws, "app:2");
  aws.advance(60_000);
  expect(await rolloutOf(aws)).toMatchObject({ status: "SUCCESSFUL", alarms: { status: "DISABLED" } });
});

test("a newer deployment takes the place of one under way", async () => {
  const aws = new FakeAws();
  aws.addService();
  aws.behave("app:2", { kind: "stuck" });
  await deploy(aws, "app:2");
  aws.advance(10_000);
  aws.deploy("app", "app:3");
  const mine = aws.service().rollouts[1];
  expect(mine?.status).toBe("STOPPED");
  aws.advance(60_000);
  expect(await deploymentsOf(aws)).toEqual(["PRIMARY app:3 COMPLETED 2/2 failed 0"]);
});

test("the same revision again starts nothing unless it is forced; a new count starts no deployment", async () => {
  const aws = new FakeAws();
  aws.addService();
  await aws.call("ecs", "UpdateService", { service: "app", taskDefinition: "app:1", desiredCount: 3 });
  expect(await deploymentsOf(aws)).toEqual(["PRIMARY app:1 COMPLETED 2/3 failed 0"]);
  aws.advance(30_000);
  expect(await deploymentsOf(aws)).toEqual(["PRIMARY app:1 COMPLETED 3/3 failed 0"]);
  await aws.call("ecs", "UpdateService", { service: "app", forceNewDeployment: true });
  expect(await deploymentsOf(aws)).toHaveLength(2);
});

test("early success: COMPLETED with a part of the new tasks, while old ones still serve", async () => {
  const aws = new FakeAws();
  const earlySuccessCriteria = { enable: true, healthyPercent: 50, sourceServiceRevisionCleanup: "DEFERRED" };
  aws.addService({ desired: 2, targetGroup: "app", deploymentConfiguration: { earlySuccessCriteria } });
  aws.behave("app:2", { kind: "sequence", of: [{ kind: "good" }, { kind: "stuck" }] });
  await deploy(aws, "app:2");
  aws.advance(60_000);
  expect(await deploymentsOf(aws)).toEqual([
    "PRIMARY app:2 COMPLETED 1/2 failed 0",
    "ACTIVE app:1 COMPLETED 1/2 failed 0",
  ]);
});

test("someone scales the service during a rollout", async () => {
  const aws = new FakeAws();
  aws.addService();
  await deploy(aws, "app:2");
  aws.advance(5000);
  aws.scale("app", 4);
  aws.advance(60_000);
  expect(await deploymentsOf(aws)).toEqual(["PRIMARY app:2 COMPLETED 4/4 failed 0"]);
});

test("a new network starts a deployment, a new deployment configuration does not", async () => {
  const aws = new FakeAws();
  aws.addService();
  const deploymentConfiguration = { maximumPercent: 150, minimumHealthyPercent: 50 };
  await aws.call("ecs", "UpdateService", { service: "app", deploymentConfiguration });
  expect(await deploymentsOf(aws)).toHaveLength(1);
  const networkConfiguration = { awsvpcConfiguration: { subnets: ["subnet-9"] } };
  await aws.call("ecs", "UpdateService", { service: "app", networkConfiguration });
  expect(await deploymentsOf(aws)).toHaveLength(2);
});

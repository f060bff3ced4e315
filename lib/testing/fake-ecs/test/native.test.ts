import { expect, test } from "@jest/globals";
import type { Json } from "../types.ts";
import { FakeAws } from "../world.ts";
import { deploy, deploymentsOf, rolloutOf } from "./looks.ts";

const weightOf = (rollout: Json) =>
  (rollout["targetServiceRevision"] as Json)["requestedProductionTrafficWeight"];

/** The stages and weights that a poll every second sees. */
async function watch(aws: FakeAws, seconds: number): Promise<readonly string[]> {
  const seen: string[] = [];
  for (let second = 0; second < seconds; second += 1) {
    aws.advance(1000);
    const rollout = await rolloutOf(aws);
    const line = `${String(rollout["lifecycleStage"] ?? rollout["status"])} ${String(weightOf(rollout))}`;
    if (seen.at(-1) !== line) seen.push(line);
  }
  return seen;
}

test("blue/green goes through its stages, bakes with both revisions, and cleans up", async () => {
  const aws = new FakeAws();
  aws.addService({
    targetGroup: "app",
    deploymentConfiguration: { strategy: "BLUE_GREEN", bakeTimeInMinutes: 2 },
  });
  await deploy(aws, "app:2");
  expect(await watch(aws, 60)).toEqual([
    "RECONCILE_SERVICE 0",
    "PRE_SCALE_UP 0",
    "SCALE_UP 0",
    "POST_SCALE_UP 0",
    "TEST_TRAFFIC_SHIFT 0",
    "POST_TEST_TRAFFIC_SHIFT 0",
    "PRE_PRODUCTION_TRAFFIC_SHIFT 0",
    "PRODUCTION_TRAFFIC_SHIFT 100",
    "POST_PRODUCTION_TRAFFIC_SHIFT 100",
    "BAKE_TIME 100",
  ]);
  expect(await deploymentsOf(aws)).toEqual([
    "PRIMARY app:2 IN_PROGRESS 2/2 failed 0",
    "ACTIVE app:1 COMPLETED 2/2 failed 0",
  ]);
  expect(await watch(aws, 120)).toEqual(["BAKE_TIME 100", "CLEAN_UP 100", "SUCCESSFUL 100"]);
  expect(await deploymentsOf(aws)).toEqual(["PRIMARY app:2 COMPLETED 2/2 failed 0"]);
  expect(aws.violations).toEqual([]);
});

test.each([
  ["CANARY", { canaryConfiguration: { canaryPercent: 5, canaryBakeTimeInMinutes: 1 } }, [5, 100]],
  ["LINEAR", { linearConfiguration: { stepPercent: 40, stepBakeTimeInMinutes: 1 } }, [40, 80, 100]],
])("%s shifts the traffic in its steps", async (strategy, configuration, weights) => {
  const aws = new FakeAws();
  aws.addService({ deploymentConfiguration: { strategy, ...configuration } });
  await deploy(aws, "app:2");
  const seen = (await watch(aws, 240)).filter((line) => line.startsWith("PRODUCTION_TRAFFIC_SHIFT"));
  expect(seen.map((line) => Number(line.split(" ")[1]))).toEqual(weights);
  expect(await rolloutOf(aws)).toMatchObject({ status: "SUCCESSFUL" });
});

test("going back while the old tasks are there needs no new ones", async () => {
  const aws = new FakeAws();
  aws.addService({ deploymentConfiguration: { strategy: "BLUE_GREEN", bakeTimeInMinutes: 5 } });
  await deploy(aws, "app:2");
  aws.advance(60_000);
  const { serviceDeploymentArn } = await rolloutOf(aws);
  const before = aws.ecs.state.tasks.length;
  await aws.call("ecs", "StopServiceDeployment", { serviceDeploymentArn, stopType: "ROLLBACK" });
  aws.advance(2000);
  expect(await rolloutOf(aws)).toMatchObject({ status: "ROLLBACK_IN_PROGRESS" });
  expect((await deploymentsOf(aws))[0]).toBe("PRIMARY app:1 COMPLETED 2/2 failed 0");
  aws.advance(30_000);
  expect(await rolloutOf(aws)).toMatchObject({ status: "ROLLBACK_SUCCESSFUL" });
  expect(await deploymentsOf(aws)).toEqual(["PRIMARY app:1 COMPLETED 2/2 failed 0"]);
  expect(aws.ecs.state.tasks).toHaveLength(before);
});

test.each([
  ["CONTINUE", "SUCCESSFUL", "SUCCEEDED"],
  ["ROLLBACK", "ROLLBACK_SUCCESSFUL", "FAILED"],
])("a pause hook that is answered with %s ends as %s", async (action, status, hookStatus) => {
  const aws = new FakeAws();
  const lifecycleHooks = [{ targetType: "PAUSE", lifecycleStages: ["POST_TEST_TRAFFIC_SHIFT"] }];
  aws.addService({
    deploymentConfiguration: { strategy: "BLUE_GREEN", bakeTimeInMinutes: 0, lifecycleHooks },
  });
  await deploy(aws, "app:2");
  aws.advance(3_600_000);
  const paused = await rolloutOf(aws);
  expect(paused).toMatchObject({ status: "IN_PROGRESS", lifecycleStage: "POST_TEST_TRAFFIC_SHIFT" });
  const hookId = (paused["lifecycleHookDetails"] as Json[])[0]?.["hookId"];
  const answer = { serviceDeploymentArn: paused["serviceDeploymentArn"], hookId, action };
  await aws.call("ecs", "ContinueServiceDeployment", answer);
  aws.advance(60_000);
  expect(await rolloutOf(aws)).toMatchObject({ status, lifecycleHookDetails: [{ status: hookStatus }] });
});

test("a hook's function that says no rolls back; a pause that nobody answers does what it was told", async () => {
  const aws = new FakeAws();
  const hookTargetArn = "arn:aws:lambda:eu-west-1:123456789012:function:check";
  const lifecycleHooks = [{ hookTargetArn, roleArn: "arn:r", lifecycleStages: ["POST_SCALE_UP"] }];
  const configuration = { strategy: "BLUE_GREEN", bakeTimeInMinutes: 0, lifecycleHooks };
  aws.addService({ deploymentConfiguration: configuration });
  aws.ecs.state.failingHooks.add(hookTargetArn);
  await deploy(aws, "app:2");
  aws.advance(60_000);
  expect(await rolloutOf(aws)).toMatchObject({ status: "ROLLBACK_SUCCESSFUL" });
  const timeoutConfiguration = { timeoutInMinutes: 1, action: "ROLLBACK" };
  const pause = [{ targetType: "PAUSE", lifecycleStages: ["PRE_SCALE_UP"], timeoutConfiguration }];
  aws.addService({ name: "slow", deploymentConfiguration: { ...configuration, lifecycleHooks: pause } });
  await deploy(aws, "slow:2", "slow");
  aws.advance(120_000);
  expect(await rolloutOf(aws, "slow")).toMatchObject({
    status: "ROLLBACK_SUCCESSFUL",
    lifecycleHookDetails: [{ status: "TIMED_OUT" }],
  });
});

test("the tasks' failures trip no breaker: the scale-up just goes on", async () => {
  const aws = new FakeAws();
  aws.addService({ deploymentConfiguration: { strategy: "BLUE_GREEN", bakeTimeInMinutes: 1 } });
  aws.behave("app:2", { kind: "exits", code: 1 });
  await deploy(aws, "app:2");
  aws.advance(600_000);
  expect(await rolloutOf(aws)).toMatchObject({ status: "IN_PROGRESS", lifecycleStage: "SCALE_UP" });
  expect((await deploymentsOf(aws))[0]).toMatch(/^PRIMARY app:2 IN_PROGRESS 0\/2 failed \d\d$/);
});

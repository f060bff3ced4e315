import { createHash } from "node:crypto";
import { expect, test } from "@jest/globals";
import type { GroupSetup } from "../codedeploy/set-up.ts";
import { sampleDefinition } from "../set-up.ts";
import type { Json } from "../types.ts";
import { FakeAws } from "../world.ts";

interface Story {
  readonly aws: FakeAws;
  readonly names: Json;
  readonly revision: Json;
  readonly arn: string;
}

/** A service under CODE_DEPLOY, and a revision that is about to be deployed. */
async function story(group: GroupSetup = {}, hooks: readonly Json[] = [], extra: Json = {}): Promise<Story> {
  const aws = new FakeAws();
  aws.addService({ controller: "CODE_DEPLOY", targetGroup: "app" });
  const made = aws.addDeploymentGroup("app", group);
  const registered = await aws.call("ecs", "RegisterTaskDefinition", sampleDefinition("app", "app:2"));
  const arn = String((registered["taskDefinition"] as Json)["taskDefinitionArn"]);
  const LoadBalancerInfo = { ContainerName: "app", ContainerPort: 3000 };
  const Properties = { TaskDefinition: arn, LoadBalancerInfo, ...extra };
  const Resources = [{ TargetService: { Type: "AWS::ECS::Service", Properties } }];
  const content = JSON.stringify({ version: 0, Resources, Hooks: hooks });
  const sha256 = createHash("sha256").update(content).digest("hex");
  return {
    aws,
    arn,
    names: { applicationName: made.application, deploymentGroupName: made.name },
    revision: { revisionType: "AppSpecContent", appSpecContent: { content, sha256 } },
  };
}

async function create({ aws, names, revision }: Story, more: Json = {}): Promise<string> {
  const answer = await aws.call("codedeploy", "CreateDeployment", { ...names, revision, ...more });
  return String(answer["deploymentId"]);
}

const get = async (aws: FakeAws, deploymentId: string): Promise<Json> =>
  (await aws.call("codedeploy", "GetDeployment", { deploymentId }))["deploymentInfo"] as Json;

async function serviceOf(aws: FakeAws): Promise<Json> {
  const answer = await aws.call("ecs", "DescribeServices", { services: ["app"] });
  return (answer["services"] as Json[])[0] ?? {};
}

async function eventsOf(aws: FakeAws, deploymentId: string): Promise<readonly string[]> {
  const targetIds = ["default:app"];
  const answer = await aws.call("codedeploy", "BatchGetDeploymentTargets", { deploymentId, targetIds });
  const target = (answer["deploymentTargets"] as Json[])[0]?.["ecsTarget"] as Json;
  const events = target["lifecycleEvents"] as Json[];
  return events.map((event) => `${String(event["lifecycleEventName"])} ${String(event["status"])}`);
}

test("a canary shifts, waits, shifts the rest, keeps the old tasks for the termination wait", async () => {
  const made = await story({ config: "CodeDeployDefault.ECSCanary10Percent5Minutes", terminationWait: 10 });
  const id = await create(made);
  made.aws.advance(60_000);
  expect(await eventsOf(made.aws, id)).toContain("AllowTraffic InProgress");
  expect([...(made.aws.trafficOf(made.aws.service()) ?? new Map()).values()]).toEqual([10, 90]);
  made.aws.advance(5 * 60_000);
  expect(await get(made.aws, id)).toMatchObject({
    status: "InProgress",
    instanceTerminationWaitTimeStarted: true,
  });
  expect(await serviceOf(made.aws)).toMatchObject({ taskDefinition: made.arn, deployments: [] });
  expect((await serviceOf(made.aws))["taskSets"]).toHaveLength(2);
  made.aws.advance(10 * 60_000);
  expect(await get(made.aws, id)).toMatchObject({ status: "Succeeded" });
  expect((await serviceOf(made.aws))["taskSets"]).toMatchObject([
    { status: "PRIMARY", taskDefinition: made.arn },
  ]);
  expect(made.aws.violations).toEqual([]);
});

test("a replacement that never gets healthy fails after an hour, and the group goes back", async () => {
  const made = await story();
  made.aws.behave("app:2", { kind: "exits", code: 1 });
  const id = await create(made);
  made.aws.advance(30 * 60_000);
  expect(await get(made.aws, id)).toMatchObject({ status: "InProgress" });
  made.aws.advance(40 * 60_000);
  const failed = await get(made.aws, id);
  expect(failed).toMatchObject({ status: "Failed", errorInformation: { code: "ECS_UPDATE_ERROR" } });
  const back = String((failed["rollbackInfo"] as Json)["rollbackDeploymentId"]);
  expect(await get(made.aws, back)).toMatchObject({ status: "Succeeded", creator: "codeDeployRollback" });
  const arn = expect.stringMatching(/:task-definition\/app:1$/);
  expect((await serviceOf(made.aws))["taskSets"]).toMatchObject([{ taskDefinition: arn }]);
  expect(made.aws.violations).toEqual([]);
});

test.each([
  [true, 1],
  [false, 2],
])("stopped with a rollback %s: %i task sets stay, of which the first is the old one", async (back, sets) => {
  const made = await story({ terminationWait: 60 });
  const id = await create(made);
  made.aws.advance(3000);
  await made.aws.call("codedeploy", "StopDeployment", { deploymentId: id, autoRollbackEnabled: back });
  made.aws.advance(60_000);
  expect(await get(made.aws, id)).toMatchObject({ status: "Stopped" });
  const shown = (await serviceOf(made.aws))["taskSets"] as Json[];
  expect(shown).toHaveLength(sets);
  expect(shown.find((set) => set["status"] === "PRIMARY")?.["taskDefinition"]).toMatch(/app:1$/);
  const late = made.aws.call("codedeploy", "StopDeployment", { deploymentId: id });
  await expect(late).rejects.toMatchObject({ name: "DeploymentAlreadyCompletedException" });
});

test("a hook's function that says no fails the deployment", async () => {
  const made = await story({ autoRollback: [] }, [{ AfterInstall: "check" }]);
  made.aws.failCodeDeployHook("check");
  const id = await create(made);
  made.aws.advance(60_000);
  expect(await get(made.aws, id)).toMatchObject({
    status: "Failed",
    errorInformation: { code: "HOOK_EXECUTION_FAILURE" },
  });
  expect(await eventsOf(made.aws, id)).toEqual([
    "BeforeInstall Succeeded",
    "Install Succeeded",
    "AfterInstall Failed",
    "BeforeAllowTraffic Skipped",
    "AllowTraffic Skipped",
    "AfterAllowTraffic Skipped",
  ]);
});

test("Ready waits for a go, and stops without one when the group says so", async () => {
  const made = await story({ readyWait: 5, readyAction: "STOP_DEPLOYMENT" });
  const first = await create(made);
  made.aws.advance(60_000);
  expect(await get(made.aws, first)).toMatchObject({ status: "Ready" });
  await made.aws.call("codedeploy", "ContinueDeployment", {
    deploymentId: first,
    deploymentWaitType: "READY_WAIT",
  });
  made.aws.advance(60_000);
  expect(await get(made.aws, first)).toMatchObject({ status: "Succeeded" });
  const second = await create(made);
  made.aws.advance(10 * 60_000);
  expect(await get(made.aws, second)).toMatchObject({ status: "Stopped" });
});

test("an appspec without a capacity provider strategy takes it from the service", async () => {
  const made = await story();
  made.aws.service().members["capacityProviderStrategy"] = [{ capacityProvider: "FARGATE_SPOT", weight: 1 }];
  await create(made);
  made.aws.advance(60_000);
  expect((await serviceOf(made.aws))["capacityProviderStrategy"]).toBeUndefined();
  const strategy = [{ CapacityProvider: "FARGATE", Weight: 1, Base: 0 }];
  const kept = await story({}, [], { CapacityProviderStrategy: strategy });
  await create(kept);
  kept.aws.advance(60_000);
  expect((await serviceOf(kept.aws))["capacityProviderStrategy"]).toEqual([
    { capacityProvider: "FARGATE", weight: 1, base: 0 },
  ]);
});

test("what CodeDeploy refuses", async () => {
  const made = await story();
  const refused = (input: Json) => made.aws.call("codedeploy", "CreateDeployment", input);
  const { names, revision } = made;
  await expect(refused({ ...names, applicationName: "nix", revision })).rejects.toMatchObject({
    name: "ApplicationDoesNotExistException",
  });
  await expect(refused({ ...names, deploymentGroupName: "nix", revision })).rejects.toMatchObject({
    name: "DeploymentGroupDoesNotExistException",
  });
  await expect(refused(names)).rejects.toMatchObject({ name: "RevisionRequiredException" });
  await expect(refused({ ...names, revision, deploymentConfigName: "nix" })).rejects.toMatchObject({
    name: "DeploymentConfigDoesNotExistException",
  });
  const broken = { revisionType: "AppSpecContent", appSpecContent: { content: "version: 0" } };
  await expect(refused({ ...names, revision: broken })).rejects.toMatchObject({
    name: "InvalidRevisionException",
  });
  const forged = {
    revisionType: "AppSpecContent",
    appSpecContent: { ...(revision["appSpecContent"] as Json), sha256: "0" },
  };
  await expect(refused({ ...names, revision: forged })).rejects.toMatchObject({
    name: "InvalidRevisionException",
  });
});

test.each(["CODE_DEPLOY", "EXTERNAL"] as const)(
  "ECS refuses to change the revision of a service under %s",
  async (controller) => {
    const aws = new FakeAws();
    aws.addService({ controller });
    const changed = aws.call("ecs", "UpdateService", {
      service: "app",
      taskDefinition: "app:1",
      forceNewDeployment: true,
    });
    await expect(changed).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: expect.stringContaining(controller),
    });
    await aws.call("ecs", "UpdateService", { service: "app", desiredCount: 4 });
    expect(await serviceOf(aws)).toMatchObject({
      desiredCount: 4,
      deployments: [],
      deploymentController: { type: controller },
    });
  },
);

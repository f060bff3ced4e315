import * as ecs from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { sampleDefinition } from "../set-up.ts";
import { type RunningAws, startFakeAws } from "../start.ts";

/** The real SDK against the HTTP door: each operation that deploy-ecs may call goes there and back. */
let aws: RunningAws;
let settings: {
  endpoint: string;
  region: string;
  maxAttempts: number;
  credentials: ecs.ECSClientConfig["credentials"];
};

beforeAll(async () => {
  aws = await startFakeAws({ speed: 0 });
  const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "fake" };
  settings = { endpoint: aws.endpoint, region: "eu-west-1", maxAttempts: 1, credentials } as typeof settings;
  aws.world.addService({ targetGroup: "app" });
});

afterAll(async () => {
  expect(aws.world.violations).toEqual([]);
  await aws.close();
});

describe("ECS", () => {
  const client = () => new ecs.ECSClient(settings as ecs.ECSClientConfig);

  test("task definitions: register, describe with tags, list, deregister", async () => {
    const sent = { ...sampleDefinition("worker", "worker:1"), tags: [{ key: "team", value: "a" }] };
    const registered = await client().send(
      new ecs.RegisterTaskDefinitionCommand(sent as unknown as ecs.RegisterTaskDefinitionCommandInput),
    );
    expect(registered.taskDefinition?.revision).toBe(1);
    expect(registered.taskDefinition?.registeredAt).toBeInstanceOf(Date);
    const plain = await client().send(new ecs.DescribeTaskDefinitionCommand({ taskDefinition: "worker" }));
    expect(plain.tags).toBeUndefined();
    const tagged = await client().send(
      new ecs.DescribeTaskDefinitionCommand({ taskDefinition: "worker:1", include: ["TAGS"] }),
    );
    expect(tagged.tags).toEqual([{ key: "team", value: "a" }]);
    expect(tagged.taskDefinition?.containerDefinitions?.[0]).toMatchObject({
      cpu: 0,
      mountPoints: [],
      portMappings: [{ containerPort: 3000, hostPort: 3000, protocol: "tcp" }],
    });
    const listed = await client().send(new ecs.ListTaskDefinitionsCommand({ familyPrefix: "worker" }));
    expect(listed.taskDefinitionArns).toEqual([registered.taskDefinition?.taskDefinitionArn]);
    await client().send(new ecs.DeregisterTaskDefinitionCommand({ taskDefinition: "worker:1" }));
    const gone = client().send(new ecs.DescribeTaskDefinitionCommand({ taskDefinition: "worker" }));
    await expect(gone).rejects.toThrow("Unable to describe task definition.");
  });

  test("a deployment: update, list, describe, its revisions, stop with a rollback", async () => {
    const registered = await client().send(
      new ecs.RegisterTaskDefinitionCommand(
        sampleDefinition("app", "app:2") as unknown as ecs.RegisterTaskDefinitionCommandInput,
      ),
    );
    const arn = registered.taskDefinition?.taskDefinitionArn as string;
    const updated = await client().send(
      new ecs.UpdateServiceCommand({ service: "app", taskDefinition: arn }),
    );
    expect(updated.service?.deployments?.map((one) => [one.status, one.rolloutState])).toEqual([
      ["PRIMARY", "IN_PROGRESS"],
      ["ACTIVE", "COMPLETED"],
    ]);
    const listed = await client().send(
      new ecs.ListServiceDeploymentsCommand({ service: "app", status: ["PENDING"] }),
    );
    const deployment = listed.serviceDeployments?.[0]?.serviceDeploymentArn as string;
    aws.world.advance(1000);
    const described = await client().send(
      new ecs.DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [deployment, "arn:nix"] }),
    );
    expect(described.serviceDeployments?.[0]?.status).toBe("IN_PROGRESS");
    expect(described.failures).toEqual([{ arn: "arn:nix", reason: "MISSING" }]);
    const revisions = await client().send(
      new ecs.DescribeServiceRevisionsCommand({
        serviceRevisionArns: [described.serviceDeployments?.[0]?.targetServiceRevision?.arn as string],
      }),
    );
    expect(revisions.serviceRevisions?.[0]?.containerImages?.[0]?.imageDigest).toMatch(
      /^sha256:[0-9a-f]{64}$/,
    );
    await client().send(
      new ecs.StopServiceDeploymentCommand({ serviceDeploymentArn: deployment, stopType: "ROLLBACK" }),
    );
    aws.world.advance(60_000);
    const after = await client().send(
      new ecs.DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [deployment] }),
    );
    expect(after.serviceDeployments?.[0]?.status).toBe("ROLLBACK_SUCCESSFUL");
    const again = client().send(new ecs.StopServiceDeploymentCommand({ serviceDeploymentArn: deployment }));
    await expect(again).rejects.toMatchObject({ name: "ConflictException" });
  });

  test("services: failures for a missing one, an error for a missing cluster", async () => {
    const described = await client().send(
      new ecs.DescribeServicesCommand({ services: ["app", "nix"], include: ["TAGS"] }),
    );
    expect(described.services?.[0]?.runningCount).toBe(2);
    expect(described.failures?.[0]?.reason).toBe("MISSING");
    const nowhere = client().send(new ecs.DescribeServicesCommand({ services: ["app"], cluster: "nix" }));
    await expect(nowhere).rejects.toMatchObject({ name: "ClusterNotFoundException" });
    const updated = client().send(new ecs.UpdateServiceCommand({ service: "nix" }));
    await expect(updated).rejects.toMatchObject({ name: "ServiceNotFoundException" });
  });

  test("tasks: run one off with a token, watch it, read its exit code, stop another", async () => {
    const input = {
      taskDefinition: "app",
      launchType: "FARGATE" as const,
      clientToken: "run-1",
      networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-1"] } },
    };
    const first = await client().send(new ecs.RunTaskCommand(input));
    const second = await client().send(new ecs.RunTaskCommand(input));
    expect(second.tasks?.[0]?.taskArn).toBe(first.tasks?.[0]?.taskArn);
    const other = client().send(new ecs.RunTaskCommand({ ...input, taskDefinition: "app:1" }));
    await expect(other).rejects.toMatchObject({ name: "ConflictException" });
    aws.world.advance(20_000);
    const arn = first.tasks?.[0]?.taskArn as string;
    const stopped = await client().send(new ecs.DescribeTasksCommand({ tasks: [arn], include: ["TAGS"] }));
    expect(stopped.tasks?.[0]).toMatchObject({ lastStatus: "STOPPED", stopCode: "EssentialContainerExited" });
    expect(stopped.tasks?.[0]?.containers?.[0]?.exitCode).toBe(0);
    const listed = await client().send(new ecs.ListTasksCommand({ desiredStatus: "STOPPED", family: "app" }));
    expect(listed.taskArns).toContain(arn);
    const third = await client().send(new ecs.RunTaskCommand({ ...input, clientToken: "run-3" }));
    const halted = await client().send(
      new ecs.StopTaskCommand({ task: third.tasks?.[0]?.taskArn as string, reason: "enough" }),
    );
    expect(halted.task).toMatchObject({ stopCode: "UserInitiated", stoppedReason: "enough" });
  });

  test("a pause hook is answered", async () => {
    const strategy = { strategy: "BLUE_GREEN", bakeTimeInMinutes: 1 };
    const hook = { targetType: "PAUSE", lifecycleStages: ["POST_SCALE_UP"] };
    aws.world.addService({ name: "green", deploymentConfiguration: { ...strategy, lifecycleHooks: [hook] } });
    aws.world.deploy("green", "green:2");
    aws.world.advance(60_000);
    const listed = await client().send(new ecs.ListServiceDeploymentsCommand({ service: "green" }));
    const serviceDeploymentArn = listed.serviceDeployments?.[0]?.serviceDeploymentArn as string;
    const paused = await client().send(
      new ecs.DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [serviceDeploymentArn] }),
    );
    const shown = paused.serviceDeployments?.[0];
    expect(shown).toMatchObject({ lifecycleStage: "POST_SCALE_UP", status: "IN_PROGRESS" });
    const hookId = shown?.lifecycleHookDetails?.[0]?.hookId as string;
    await client().send(new ecs.ContinueServiceDeploymentCommand({ serviceDeploymentArn, hookId }));
    aws.world.advance(120_000);
    const after = await client().send(
      new ecs.DescribeServiceDeploymentsCommand({ serviceDeploymentArns: [serviceDeploymentArn] }),
    );
    expect(after.serviceDeployments?.[0]?.status).toBe("SUCCESSFUL");
  });
});

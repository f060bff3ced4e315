import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as codedeploy from "@aws-sdk/client-codedeploy";
import * as ecs from "@aws-sdk/client-ecs";
import * as elb from "@aws-sdk/client-elastic-load-balancing-v2";
import * as events from "@aws-sdk/client-eventbridge";
import * as scheduler from "@aws-sdk/client-scheduler";
import * as sts from "@aws-sdk/client-sts";
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

test("ELBv2: target groups and the health of their targets", async () => {
  const client = new elb.ElasticLoadBalancingV2Client(settings as elb.ElasticLoadBalancingV2ClientConfig);
  const groups = await client.send(new elb.DescribeTargetGroupsCommand({}));
  const group = groups.TargetGroups?.find((one) => one.TargetGroupName === "app");
  expect(group?.HealthCheckIntervalSeconds).toBe(30);
  const TargetGroupArn = group?.TargetGroupArn as string;
  const health = await client.send(new elb.DescribeTargetHealthCommand({ TargetGroupArn }));
  expect(health.TargetHealthDescriptions?.map((one) => one.TargetHealth?.State)).toContain("healthy");
  const Id = health.TargetHealthDescriptions?.[0]?.Target?.Id as string;
  const asked = await client.send(
    new elb.DescribeTargetHealthCommand({
      TargetGroupArn,
      Targets: [{ Id, Port: 3000 }, { Id: "10.9.9.9" }],
    }),
  );
  expect(asked.TargetHealthDescriptions?.[0]?.Target).toMatchObject({ Id, Port: 3000 });
  expect(asked.TargetHealthDescriptions?.[1]?.TargetHealth?.Reason).toBe("Target.NotRegistered");
  const nix = client.send(new elb.DescribeTargetHealthCommand({ TargetGroupArn: "arn:nix" }));
  await expect(nix).rejects.toMatchObject({ name: "TargetGroupNotFoundException" });
});

test("CloudWatch Logs: pages, the end of a stream, a stream that is not there", async () => {
  const client = new logs.CloudWatchLogsClient(settings as logs.CloudWatchLogsClientConfig);
  aws.world.behave("talk:1", { kind: "exits", code: 3, logs: ["one", "two", "three"] }, "task");
  await aws.world.call("ecs", "RegisterTaskDefinition", sampleDefinition("talk", "talk:1"));
  const ran = await aws.world.call("ecs", "RunTask", {
    taskDefinition: "talk",
    launchType: "FARGATE",
    networkConfiguration: { awsvpcConfiguration: { subnets: ["subnet-1"] } },
  });
  aws.world.advance(20_000);
  const id = String((ran["tasks"] as { taskArn: string }[])[0]?.taskArn.split("/").at(-1));
  const stream = { logGroupName: "/ecs/talk", logStreamName: `ecs/app/${id}` };
  const page = await client.send(new logs.GetLogEventsCommand({ ...stream, limit: 2 }));
  expect(page.events?.map((one) => one.message)).toEqual(["two", "three"]);
  const end = await client.send(
    new logs.GetLogEventsCommand({ ...stream, nextToken: page.nextForwardToken as string }),
  );
  expect(end).toMatchObject({ events: [], nextForwardToken: page.nextForwardToken });
  const nix = client.send(new logs.GetLogEventsCommand({ ...stream, logStreamName: "nix" }));
  await expect(nix).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

test("EventBridge: a rule's targets are replaced as a whole", async () => {
  const client = new events.EventBridgeClient(settings as events.EventBridgeClientConfig);
  const EcsParameters = { TaskDefinitionArn: "arn:aws:ecs:eu-west-1:123456789012:task-definition/app:1" };
  aws.world.schedules.addRule("nightly", [
    { Id: "1", Arn: "arn:cluster", RoleArn: "arn:role", EcsParameters },
  ]);
  const rule = await client.send(new events.DescribeRuleCommand({ Name: "nightly" }));
  expect(rule.State).toBe("ENABLED");
  const listed = await client.send(new events.ListTargetsByRuleCommand({ Rule: "nightly" }));
  expect(listed.Targets?.[0]?.EcsParameters).toEqual(EcsParameters);
  const put = await client.send(
    new events.PutTargetsCommand({
      Rule: "nightly",
      Targets: [{ Id: "1", Arn: "arn:cluster", EcsParameters }],
    }),
  );
  expect(put.FailedEntryCount).toBe(0);
  expect(aws.world.schedules.targetsOf("nightly")[0]?.["RoleArn"]).toBeUndefined();
});

test("Scheduler: UpdateSchedule forgets what is not sent", async () => {
  const client = new scheduler.SchedulerClient(settings as scheduler.SchedulerClientConfig);
  const Target = {
    Arn: "arn:aws:ecs:eu-west-1:123456789012:cluster/default",
    RoleArn: "arn:aws:iam::123456789012:role/s",
  };
  aws.world.schedules.addSchedule("hourly", { Description: "kept?", State: "DISABLED", Target });
  const read = await client.send(new scheduler.GetScheduleCommand({ Name: "hourly" }));
  expect(read).toMatchObject({ Description: "kept?", State: "DISABLED", GroupName: "default" });
  expect(read.CreationDate).toBeInstanceOf(Date);
  await client.send(
    new scheduler.UpdateScheduleCommand({
      Name: "hourly",
      ScheduleExpression: "rate(1 hour)",
      FlexibleTimeWindow: { Mode: "OFF" },
      Target,
    }),
  );
  expect(aws.world.schedules.schedule("hourly")).toMatchObject({ State: "ENABLED" });
  expect(aws.world.schedules.schedule("hourly")["Description"]).toBeUndefined();
  const nix = client.send(new scheduler.GetScheduleCommand({ Name: "nix", GroupName: "g" }));
  await expect(nix).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

test("STS: who is calling", async () => {
  const client = new sts.STSClient(settings as sts.STSClientConfig);
  expect((await client.send(new sts.GetCallerIdentityCommand({}))).Account).toBe("123456789012");
});

test("CodeDeploy: a deployment from its appspec to Succeeded, with its events and task sets", async () => {
  const client = new codedeploy.CodeDeployClient(settings as codedeploy.CodeDeployClientConfig);
  aws.world.addService({ name: "blue", controller: "CODE_DEPLOY", targetGroup: "blue" });
  const group = aws.world.addDeploymentGroup("blue");
  const names = { applicationName: group.application, deploymentGroupName: group.name };
  const shown = await client.send(new codedeploy.GetDeploymentGroupCommand(names));
  expect(shown.deploymentGroupInfo?.ecsServices).toEqual([{ serviceName: "blue", clusterName: "default" }]);
  const config = await client.send(
    new codedeploy.GetDeploymentConfigCommand({ deploymentConfigName: group.config }),
  );
  expect(config.deploymentConfigInfo?.trafficRoutingConfig?.type).toBe("AllAtOnce");
  const next = await aws.world.call("ecs", "RegisterTaskDefinition", sampleDefinition("blue", "blue:2"));
  const TaskDefinition = (next["taskDefinition"] as { taskDefinitionArn: string }).taskDefinitionArn;
  const Properties = { TaskDefinition, LoadBalancerInfo: { ContainerName: "app", ContainerPort: 3000 } };
  const content = JSON.stringify({
    version: 0,
    Resources: [{ TargetService: { Type: "AWS::ECS::Service", Properties } }],
  });
  const revision: codedeploy.RevisionLocation = {
    revisionType: "AppSpecContent",
    appSpecContent: { content },
  };
  await client.send(
    new codedeploy.RegisterApplicationRevisionCommand({ applicationName: group.application, revision }),
  );
  const { deploymentId = "" } = await client.send(
    new codedeploy.CreateDeploymentCommand({ ...names, revision }),
  );
  const busy = client.send(new codedeploy.CreateDeploymentCommand({ ...names, revision }));
  await expect(busy).rejects.toMatchObject({ name: "DeploymentLimitExceededException" });
  aws.world.advance(60_000);
  const done = await client.send(new codedeploy.GetDeploymentCommand({ deploymentId }));
  expect(done.deploymentInfo?.status).toBe("Succeeded");
  const targets = await client.send(new codedeploy.ListDeploymentTargetsCommand({ deploymentId }));
  const target = await client.send(
    new codedeploy.BatchGetDeploymentTargetsCommand({ deploymentId, targetIds: targets.targetIds ?? [] }),
  );
  const steps = target.deploymentTargets?.[0]?.ecsTarget?.lifecycleEvents?.map((one) => one.status);
  expect(steps).toEqual(["Succeeded", "Succeeded", "Succeeded", "Succeeded", "Succeeded", "Succeeded"]);
  const listed = await client.send(
    new codedeploy.ListDeploymentsCommand({ ...names, includeOnlyStatuses: ["Succeeded"] }),
  );
  expect(listed.deployments).toEqual([deploymentId]);
  const late = client.send(new codedeploy.StopDeploymentCommand({ deploymentId, autoRollbackEnabled: true }));
  await expect(late).rejects.toMatchObject({ name: "DeploymentAlreadyCompletedException" });
  const service = await aws.world.call("ecs", "DescribeServices", { services: ["blue"] });
  expect((service["services"] as { taskDefinition: string }[])[0]?.taskDefinition).toBe(TaskDefinition);
});

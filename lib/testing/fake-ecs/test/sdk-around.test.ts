import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as codedeploy from "@aws-sdk/client-codedeploy";
import * as ecr from "@aws-sdk/client-ecr";
import * as ecrPublic from "@aws-sdk/client-ecr-public";
import * as elb from "@aws-sdk/client-elastic-load-balancing-v2";
import * as events from "@aws-sdk/client-eventbridge";
import * as scheduler from "@aws-sdk/client-scheduler";
import * as sts from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { sampleDefinition } from "../set-up.ts";
import { type RunningAws, startFakeAws } from "../start.ts";

/** The real SDK against the HTTP door: each operation that deploy-ecs may call goes there and back. */
let aws: RunningAws;
let settings: {
  endpoint: string;
  region: string;
  maxAttempts: number;
  credentials: { accessKeyId: string; secretAccessKey: string };
};

beforeAll(async () => {
  aws = await startFakeAws({ speed: 0 });
  const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "fake" };
  settings = { endpoint: aws.endpoint, region: "eu-west-1", maxAttempts: 1, credentials };
  aws.world.addService({ targetGroup: "app" });
});

afterAll(async () => {
  expect(aws.world.violations).toEqual([]);
  await aws.close();
});

test("ELBv2: target groups and the health of their targets", async () => {
  const client = new elb.ElasticLoadBalancingV2Client(settings);
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
  const client = new logs.CloudWatchLogsClient(settings);
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
  aws.world.log(id, ["four"]);
  const more = await client.send(
    new logs.GetLogEventsCommand({ ...stream, nextToken: end.nextForwardToken as string }),
  );
  expect(more.events?.map((one) => one.message)).toEqual(["four"]);
  const nix = client.send(new logs.GetLogEventsCommand({ ...stream, logStreamName: "nix" }));
  await expect(nix).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

test("EventBridge: a rule's targets are replaced as a whole", async () => {
  const client = new events.EventBridgeClient(settings);
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
  const client = new scheduler.SchedulerClient(settings);
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

test("ECR: a login, a repository that is made once", async () => {
  const client = new ecr.ECRClient(settings);
  const login = await client.send(new ecr.GetAuthorizationTokenCommand({}));
  const token = login.authorizationData?.[0]?.authorizationToken as string;
  expect(Buffer.from(token, "base64").toString()).toMatch(/^AWS:./);
  const missing = client.send(new ecr.DescribeRepositoriesCommand({ repositoryNames: ["team/app"] }));
  await expect(missing).rejects.toMatchObject({ name: "RepositoryNotFoundException" });
  await client.send(new ecr.CreateRepositoryCommand({ repositoryName: "team/app" }));
  const again = client.send(new ecr.CreateRepositoryCommand({ repositoryName: "team/app" }));
  await expect(again).rejects.toMatchObject({ name: "RepositoryAlreadyExistsException" });
  const found = await client.send(new ecr.DescribeRepositoriesCommand({ repositoryNames: ["team/app"] }));
  expect(found.repositories?.[0]?.repositoryUri).toMatch(/\/team\/app$/);
  const open = await new ecrPublic.ECRPUBLICClient(settings).send(
    new ecrPublic.GetAuthorizationTokenCommand({}),
  );
  expect(open.authorizationData?.expiresAt).toBeInstanceOf(Date);
});

test("STS: who is calling", async () => {
  const client = new sts.STSClient(settings);
  expect((await client.send(new sts.GetCallerIdentityCommand({}))).Account).toBe("123456789012");
});

test("CodeDeploy: a deployment from its appspec to Succeeded, with its events and task sets", async () => {
  const client = new codedeploy.CodeDeployClient(settings);
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

import { afterEach, describe, expect, test } from "@jest/globals";
import { FakeClock } from "../../fake-clock.ts";
import { sampleDefinition } from "../set-up.ts";
import { type RunningAws, startFakeAws } from "../start.ts";
import { FakeAws } from "../world.ts";
import { deploy, deploymentsOf } from "./looks.ts";

const look = (aws: FakeAws) => aws.call("ecs", "DescribeServices", { services: ["app"] });

describe("requests are held to AWS's models", () => {
  test.each([
    ["a missing member", "UpdateService", { desiredCount: 1 }, ".service: is required"],
    [
      "an unknown member",
      "DescribeServices",
      { services: ["app"], colour: "red" },
      ".colour: is unknown to AWS",
    ],
    [
      "a wrong type",
      "UpdateService",
      { service: "app", desiredCount: "2" },
      '.desiredCount: must be a whole number, is string "2"',
    ],
    [
      "an unknown value",
      "StopServiceDeployment",
      { serviceDeploymentArn: "a", stopType: "NOW" },
      "`NOW` is none of ABORT, ROLLBACK",
    ],
    [
      "a number out of range",
      "UpdateService",
      { service: "app", capacityProviderStrategy: [{ capacityProvider: "F", weight: 1001 }] },
      "1001  is more than 1000",
    ],
    [
      "an operation that is not played",
      "DeleteCluster",
      { cluster: "default" },
      "the stand-in does not play DeleteCluster",
    ],
  ])("%s", async (_, operation, input, complaint) => {
    const aws = new FakeAws();
    aws.addService();
    await expect(aws.call("ecs", operation, input)).rejects.toMatchObject({ name: "FakeAwsViolation" });
    expect(aws.violations).toEqual([expect.stringContaining(complaint)]);
    expect(aws.calls[0]).toMatchObject({ operation, error: "FakeAwsViolation" });
  });

  test("a member that only a newer AWS knows is kept when that is allowed, or lost when that is asked for", async () => {
    const aws = new FakeAws({ allowUnknown: ["RegisterTaskDefinition"] });
    const sent = { ...sampleDefinition("app", "app:1"), brandNew: { deep: [1] } };
    const first = await aws.call("ecs", "RegisterTaskDefinition", sent);
    expect(first["taskDefinition"]).toMatchObject({ brandNew: { deep: [1] } });
    aws.ecs.state.lostFields.push("brandNew.deep", "containerDefinitions.*.environment");
    const second = await aws.call("ecs", "RegisterTaskDefinition", sent);
    expect(second["taskDefinition"]).toMatchObject({
      brandNew: {},
      containerDefinitions: [{ environment: [] }],
    });
    expect(aws.violations).toEqual([]);
  });
});

describe("faults", () => {
  test("hit the calls that they are meant for, and only those", async () => {
    const aws = new FakeAws();
    aws.addService();
    aws.fail("throttle", { operation: "DescribeServices", nth: 2 });
    aws.fail({ code: "ClientException", message: "no" }, { call: 4 });
    const ends: string[] = [];
    for (let call = 1; call <= 5; call += 1)
      ends.push(
        await look(aws).then(
          () => "fine",
          (error: Error) => error.name,
        ),
      );
    expect(ends).toEqual(["fine", "ThrottlingException", "fine", "ClientException", "fine"]);
    aws.fail("server-error", { from: 2, times: 2 });
    const later: string[] = [];
    for (let call = 1; call <= 4; call += 1)
      later.push(
        await look(aws).then(
          () => "fine",
          (error: Error) => error.name,
        ),
      );
    expect(later).toEqual(["fine", "ServerException", "ServerException", "fine"]);
  });

  test.each([
    ["reset-before", 1],
    ["reset-after", 2],
    ["server-error", 1],
    ["server-error-after", 2],
  ] as const)("%s leaves %i revisions", async (fault, revisions) => {
    const aws = new FakeAws();
    aws.addService();
    aws.fail(fault, { operation: "RegisterTaskDefinition" });
    await expect(deploy(aws, "app:2")).rejects.toThrow();
    expect(aws.ecs.state.families.get("app")).toHaveLength(revisions);
  });

  test("a hang ends with the signal of whoever waits, and the change has landed or has not", async () => {
    const aws = new FakeAws();
    aws.addService();
    aws.fail("hang-after", { operation: "UpdateService" });
    const asked = aws.call(
      "ecs",
      "UpdateService",
      { service: "app", desiredCount: 5 },
      { signal: AbortSignal.timeout(5) },
    );
    await expect(asked).rejects.toThrow("timeout");
    expect(aws.service().desired).toBe(5);
  });

  test("with a probability they are the same for the same seed", async () => {
    const run = async (seed: number) => {
      const aws = new FakeAws({ seed });
      aws.addService();
      aws.fail("throttle", { probability: 0.5 });
      const ends: boolean[] = [];
      for (let call = 0; call < 40; call += 1)
        ends.push(
          await look(aws).then(
            () => true,
            () => false,
          ),
        );
      return ends.join();
    };
    expect(await run(5)).toBe(await run(5));
    expect(await run(5)).not.toBe(await run(6));
  });
});

test("someone else deploys between two calls", async () => {
  const aws = new FakeAws();
  aws.addService();
  aws.after({ operation: "UpdateService" }, () => aws.deploy("app", "app:theirs"));
  await deploy(aws, "app:2");
  expect((await deploymentsOf(aws))[0]).toContain("PRIMARY app:3");
});

test.each([
  ["before", { services: [{ taskDefinition: expect.stringContaining("app:1") }], failures: [] }],
  ["missing", { services: [], failures: [{ reason: "MISSING" }] }],
  ["empty", { services: [], failures: [] }],
] as const)("reads lag behind an update: %s", async (as, expected) => {
  const aws = new FakeAws();
  aws.addService();
  aws.staleReads({ forMs: 30_000, as });
  await deploy(aws, "app:2");
  aws.advance(29_000);
  expect(await look(aws)).toMatchObject(expected);
  aws.advance(2000);
  expect((await deploymentsOf(aws))[0]).toContain("app:2");
});

test("IAM: an action that is denied, and a policy with resources and PassRole", async () => {
  const aws = new FakeAws();
  aws.addService();
  aws.deny("ecs:ListServiceDeployments");
  const listed = aws.call("ecs", "ListServiceDeployments", { service: "app" });
  await expect(listed).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringContaining(
      "is not authorized to perform: ecs:ListServiceDeployments on resource: arn:aws:ecs:",
    ),
  });
  aws.heal();
  const service = "arn:aws:ecs:eu-west-1:123456789012:service/default/app";
  const allow = (Action: string, Resource: string) => ({ Effect: "Allow", Action, Resource }) as const;
  aws.enforce({ Statement: [allow("ecs:*Service*", service), allow("ecs:RegisterTaskDefinition", "*")] });
  await look(aws);
  await expect(aws.call("ecs", "DescribeServices", { services: ["other"] })).rejects.toThrow(
    "service/default/other",
  );
  await expect(deploy(aws, "app:2")).rejects.toThrow(
    "iam:PassRole on resource: arn:aws:iam::123456789012:role/app",
  );
});

test("a world follows a clock of lib", async () => {
  const clock = new FakeClock();
  const aws = new FakeAws({ clock });
  aws.addService();
  await deploy(aws, "app:2");
  await clock.advance(60_000);
  expect(await deploymentsOf(aws)).toEqual(["PRIMARY app:2 COMPLETED 2/2 failed 0"]);
});

describe("over HTTP", () => {
  let running: RunningAws;

  afterEach(() => running.close());

  const post = (target: string, body: string) =>
    fetch(running.endpoint, {
      method: "POST",
      body,
      headers: { "x-amz-target": target, "content-type": "application/x-amz-json-1.1" },
    });
  const describeServices = "AmazonEC2ContainerServiceV20141113.DescribeServices";

  test("the log holds the request's own bytes, and an error is AWS's", async () => {
    running = await startFakeAws({ speed: 0 });
    running.world.addService();
    const body = '{ "services" : ["app"]\n}';
    const answer = await post(describeServices, body);
    expect(answer.status).toBe(200);
    expect(running.calls[0]).toMatchObject({ raw: body, input: { services: ["app"] }, service: "ecs" });
    running.fail("expired-token");
    const refused = await post(describeServices, body);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ __type: "ExpiredTokenException" });
  });

  test("a reset cuts the connection, a hang gives no answer, nonsense is a violation", async () => {
    running = await startFakeAws({ speed: 0 });
    running.world.addService();
    running.fail("reset-before", { nth: 1 });
    await expect(post(describeServices, '{"services":["app"]}')).rejects.toThrow("fetch failed");
    running.fail("hang", { nth: 1 });
    const hanging = fetch(running.endpoint, {
      method: "POST",
      body: '{"services":["app"]}',
      headers: { "x-amz-target": describeServices },
      signal: AbortSignal.timeout(100),
    });
    await expect(hanging).rejects.toThrow("timeout");
    expect((await fetch(`${running.endpoint}/nix`)).status).toBe(400);
    expect(running.world.violations).toEqual(["GET /nix speaks no protocol of AWS that is played here"]);
  });
});

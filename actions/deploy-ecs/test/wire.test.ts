import { describe, expect, test } from "@jest/globals";
import { explained } from "../../../lib/aws/errors.ts";
import { signatureIn, signatureOf } from "../../../lib/aws/test/loopback.ts";
import { apisOver } from "../src/api/apis.ts";
import { openWire, refusal, SECRET } from "./aws-wire.ts";

const wire = openWire();

describe("raw JSON", () => {
  test("what no SDK knows passes in both directions, and the signature is that of the bytes sent", async () => {
    const definition = {
      family: "shop",
      futureField: { deep: [1, { "a b": null }] },
      containerDefinitions: [{ name: "app", image: "x:1", hoverboard: true, environment: [] }],
    };
    const answer = {
      taskDefinition: { ...definition, revision: 7, registeredAt: 1_700_000_000.123 },
      tags: [],
    };
    wire.server.replies = [{ status: 200, body: JSON.stringify(answer) }];
    const { ecs } = apisOver(wire.connect().call);
    const registered = await ecs.registerTaskDefinition(definition);
    expect(registered.taskDefinition).toEqual(answer.taskDefinition);
    const [heard] = wire.server.heard;
    if (heard === undefined) throw new Error("nothing was heard");
    expect(heard.body).toBe(JSON.stringify(definition));
    expect(heard.headers["content-length"]).toBe(String(Buffer.byteLength(heard.body)));
    expect(heard.headers["x-amz-target"]).toBe("AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition");
    expect(heard.headers["user-agent"]).toContain("goci");
    // A kept connection may be closed by the other end just as a write goes out.
    expect(heard.headers["connection"]).toBe("close");
    expect(signatureIn(heard)).toBe(signatureOf(heard, SECRET));
  });

  test("text beyond ASCII is signed and counted in bytes", async () => {
    const { ecs } = apisOver(wire.connect().call);
    await ecs.updateService({ cluster: "c", service: "s", note: "Grüße – 日本 \u2028" });
    const [heard] = wire.server.heard;
    if (heard === undefined) throw new Error("nothing was heard");
    expect(JSON.parse(heard.body)).toEqual({ cluster: "c", service: "s", note: "Grüße – 日本 \u2028" });
    expect(signatureIn(heard)).toBe(signatureOf(heard, SECRET));
  });

  test("UpdateService and RunTask send what was asked and not a byte more", async () => {
    const { ecs } = apisOver(wire.connect().call);
    await ecs.updateService({ cluster: "c", service: "s", taskDefinition: "t:1" });
    await ecs.runTask({ taskDefinition: "t:1" });
    expect(wire.server.heard.map(({ body }) => body)).toEqual([
      '{"cluster":"c","service":"s","taskDefinition":"t:1"}',
      '{"taskDefinition":"t:1"}',
    ]);
  });

  test("the scheduler's name is in the path, the rest in the body, unknown members included", async () => {
    const schedule = {
      Name: "nightly job",
      GroupName: "ops",
      State: "ENABLED",
      StartDate: 1_700_000_000,
      Target: { Arn: "arn:aws:ecs:eu-west-1:1:cluster/c", Future: 1 },
    };
    wire.server.replies = [{ status: 200, body: JSON.stringify(schedule) }];
    const { scheduler } = apisOver(wire.connect().call);
    expect(await scheduler.getSchedule("nightly job", "ops")).toEqual(schedule);
    await scheduler.updateSchedule(schedule);
    const [get, put] = wire.server.heard;
    expect([get?.method, get?.path, get?.body]).toEqual([
      "GET",
      "/schedules/nightly%20job?groupName=ops",
      "",
    ]);
    expect([put?.method, put?.path]).toEqual(["PUT", "/schedules/nightly%20job"]);
    const { Name: _, ...body } = schedule;
    expect(JSON.parse(put?.body ?? "")).toEqual(body);
    expect(put?.headers["content-type"]).toBe("application/json");
    for (const heard of [get, put]) {
      // The path of a signed request is encoded twice for every service but S3.
      if (heard) {
        const signed = { ...heard, path: heard.path.replace("%20", "%2520") };
        expect(signatureIn(heard)).toBe(signatureOf(signed, SECRET));
      }
    }
  });

  test("the load balancer's XML", async () => {
    wire.server.replies = [
      {
        status: 200,
        headers: { "content-type": "text/xml" },
        body: `<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
          <DescribeTargetHealthResult><TargetHealthDescriptions><member>
            <Target><Id>10.0.0.7</Id><Port>8080</Port></Target>
            <TargetHealth><State>unhealthy</State><Reason>Target.ResponseCodeMismatch</Reason></TargetHealth>
          </member></TargetHealthDescriptions></DescribeTargetHealthResult>
          <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></DescribeTargetHealthResponse>`,
      },
    ];
    const found = await apisOver(wire.connect().call).elb.describeTargetHealth("arn:tg");
    expect(found).toMatchObject([
      {
        Target: { Id: "10.0.0.7", Port: 8080 },
        TargetHealth: { State: "unhealthy", Reason: "Target.ResponseCodeMismatch" },
      },
    ]);
    expect(wire.server.heard[0]?.body).toContain("Action=DescribeTargetHealth");
  });

  test.each(["logs", "codedeploy", "events"] as const)("%s hands out raw JSON too", async (service) => {
    const [operation, input] = {
      logs: ["GetLogEvents", { logGroupName: "g", logStreamName: "s" }] as const,
      codedeploy: ["GetDeployment", { deploymentId: "d-1" }] as const,
      events: ["ListTargetsByRule", { Rule: "r" }] as const,
    }[service];
    wire.server.replies = [{ status: 200, body: '{"future":[1.5]}' }];
    expect(await wire.connect().call(service, operation, input)).toEqual({ future: [1.5] });
    expect(JSON.parse(wire.server.heard[0]?.body ?? "")).toEqual(input);
  });
});

describe("configuration", () => {
  test("the region is said once, with who named it, and the credentials are masked", async () => {
    const aws = wire.connect();
    const { ecs, logs } = apisOver(aws.call);
    await ecs.describeServices("c", ["s"]);
    await logs.getLogEvents({ group: "g", stream: "s" });
    expect(wire.log.lines).toEqual(["region eu-west-1 from AWS_REGION"]);
    expect(new Set(wire.masked)).toEqual(new Set([SECRET]));
    expect(await aws.region()).toEqual({ name: "eu-west-1", source: "AWS_REGION" });
  });

  test.each([
    [{ region: "us-east-2" }, {}, "us-east-2", "aws-region"],
    [{}, { AWS_REGION: "", AWS_DEFAULT_REGION: "ap-south-1" }, "ap-south-1", "AWS_DEFAULT_REGION"],
  ] as const)("region of %j and %j", async (options, env, region, source) => {
    Object.assign(process.env, env);
    await apisOver(wire.connect(options).call).ecs.describeServices("c", ["s"]);
    expect(wire.server.heard[0]?.headers.authorization).toContain(`/${region}/ecs/aws4_request`);
    expect(wire.log.lines).toEqual([`region ${region} from ${source}`]);
  });

  test("a stream in another region is asked there", async () => {
    await apisOver(wire.connect().call).logs.getLogEvents({ group: "g", stream: "s", region: "eu-north-1" });
    expect(wire.server.heard[0]?.headers.authorization).toContain("/eu-north-1/logs/");
  });

  test("a proxy of the environment is used, but not for this machine", async () => {
    const names = ["http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"];
    const saved = names.map((name) => [name, process.env[name]] as const);
    for (const name of names) delete process.env[name];
    try {
      process.env["http_proxy"] = wire.server.url;
      process.env["AWS_ENDPOINT_URL_ECS"] = "http://ecs.example.test";
      await apisOver(wire.connect().call).ecs.describeServices("c", ["s"]);
      expect(wire.server.heard[0]?.path).toBe("http://ecs.example.test/");
      process.env["http_proxy"] = "http://127.0.0.1:1";
      process.env["AWS_ENDPOINT_URL_ECS"] = wire.server.url;
      await apisOver(wire.connect().call).ecs.describeServices("c", ["s"]);
      expect(wire.server.heard).toHaveLength(2);
    } finally {
      for (const [name, value] of saved) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });

  test("no region: one error before any call", async () => {
    delete process.env["AWS_REGION"];
    const failed = explained(wire.connect().call)("ecs", "DescribeServices", {});
    await expect(failed).rejects.toMatchObject({
      code: "BAD_INPUT",
      fix: expect.stringContaining("`aws-region`"),
    });
    await expect(failed).rejects.toThrow("no AWS region");
    expect(wire.server.heard).toEqual([]);
  });

  test("a region that would make another host name is refused", async () => {
    const failed = wire.connect({ region: "evil.example.org/#" }).call("ecs", "DescribeServices", {});
    await expect(failed).rejects.toThrow("is no region");
  });

  test("no credentials: one error before any call", async () => {
    delete process.env["AWS_ACCESS_KEY_ID"];
    const error = await refusal(wire.connect().call("ecs", "DescribeServices", {}));
    expect(error.code).toBe("CREDENTIALS_MISSING");
    expect(error.fix).toContain("configure-aws-credentials");
    expect(wire.server.heard).toEqual([]);
  });

  test("a web identity whose file is not there is no credentials either", async () => {
    delete process.env["AWS_ACCESS_KEY_ID"];
    Object.assign(process.env, {
      AWS_WEB_IDENTITY_TOKEN_FILE: "/nowhere/token",
      AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/ci",
    });
    const error = await refusal(wire.connect().call("ecs", "DescribeServices", {}));
    expect(error.code).toBe("CREDENTIALS_MISSING");
    expect(error.message).toContain("/nowhere/token");
  });
});

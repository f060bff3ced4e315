import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type Aws, connectAws } from "../../../lib/aws/client.ts";
import { AwsError, explained } from "../../../lib/aws/errors.ts";
import { type Loopback, openLoopback, signatureIn, signatureOf } from "../../../lib/aws/test/loopback.ts";
import { RecordingLog } from "../../../lib/log.ts";
import { apisOver } from "../src/api/apis.ts";
import { loaders } from "../src/api/sdk.ts";

const SECRET = "not-a-real-secret-key";
const SERVICES = [
  "CLOUDWATCH_LOGS",
  "CODEDEPLOY",
  "ECS",
  "ELASTIC_LOAD_BALANCING_V2",
  "EVENTBRIDGE",
  "SCHEDULER",
];
const saved = { ...process.env };
let server: Loopback;
let log: RecordingLog;
let masked: string[];

beforeAll(async () => {
  server = await openLoopback();
});
afterAll(() => server.close());
beforeEach(() => {
  server.heard.length = 0;
  server.replies = [{ status: 200, body: "{}" }];
  log = new RecordingLog();
  masked = [];
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: SECRET,
    AWS_REGION: "eu-west-1",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/nowhere/config",
    AWS_SHARED_CREDENTIALS_FILE: "/nowhere/credentials",
  });
  for (const name of SERVICES) process.env[`AWS_ENDPOINT_URL_${name}`] = server.url;
});
afterAll(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
  Object.assign(process.env, saved);
});

function connect(options: { region?: string; timeoutMs?: number } = {}): Aws {
  const mask = { add: (value: string) => masked.push(value) };
  return connectAws({ loaders, region: "", env: process.env, log, mask, ...options });
}

async function refusal(promise: Promise<unknown>): Promise<AwsError> {
  const error = await promise.then(
    () => "no refusal",
    (found: unknown) => found,
  );
  if (!(error instanceof AwsError)) throw new Error(`not an AwsError: ${String(error)}`);
  return error;
}

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
    server.replies = [{ status: 200, body: JSON.stringify(answer) }];
    const { ecs } = apisOver(connect().call);
    const registered = await ecs.registerTaskDefinition(definition);
    expect(registered.taskDefinition).toEqual(answer.taskDefinition);
    const [heard] = server.heard;
    if (heard === undefined) throw new Error("nothing was heard");
    expect(heard.body).toBe(JSON.stringify(definition));
    expect(heard.headers["content-length"]).toBe(String(Buffer.byteLength(heard.body)));
    expect(heard.headers["x-amz-target"]).toBe("AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition");
    expect(heard.headers["user-agent"]).toContain("goci");
    expect(signatureIn(heard)).toBe(signatureOf(heard, SECRET));
  });

  test("text beyond ASCII is signed and counted in bytes", async () => {
    const { ecs } = apisOver(connect().call);
    await ecs.updateService({ cluster: "c", service: "s", note: "Grüße – 日本 \u2028" });
    const [heard] = server.heard;
    if (heard === undefined) throw new Error("nothing was heard");
    expect(JSON.parse(heard.body)).toEqual({ cluster: "c", service: "s", note: "Grüße – 日本 \u2028" });
    expect(signatureIn(heard)).toBe(signatureOf(heard, SECRET));
  });

  test("UpdateService and RunTask send what was asked and not a byte more", async () => {
    const { ecs } = apisOver(connect().call);
    await ecs.updateService({ cluster: "c", service: "s", taskDefinition: "t:1" });
    await ecs.runTask({ taskDefinition: "t:1" });
    expect(server.heard.map(({ body }) => body)).toEqual([
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
    server.replies = [{ status: 200, body: JSON.stringify(schedule) }];
    const { scheduler } = apisOver(connect().call);
    expect(await scheduler.getSchedule("nightly job", "ops")).toEqual(schedule);
    await scheduler.updateSchedule(schedule);
    const [get, put] = server.heard;
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
    server.replies = [
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
    const found = await apisOver(connect().call).elb.describeTargetHealth("arn:tg");
    expect(found).toMatchObject([
      {
        Target: { Id: "10.0.0.7", Port: 8080 },
        TargetHealth: { State: "unhealthy", Reason: "Target.ResponseCodeMismatch" },
      },
    ]);
    expect(server.heard[0]?.body).toContain("Action=DescribeTargetHealth");
  });

  test.each(["logs", "codedeploy", "events"] as const)("%s hands out raw JSON too", async (service) => {
    const [operation, input] = {
      logs: ["GetLogEvents", { logGroupName: "g", logStreamName: "s" }] as const,
      codedeploy: ["GetDeployment", { deploymentId: "d-1" }] as const,
      events: ["ListTargetsByRule", { Rule: "r" }] as const,
    }[service];
    server.replies = [{ status: 200, body: '{"future":[1.5]}' }];
    expect(await connect().call(service, operation, input)).toEqual({ future: [1.5] });
    expect(JSON.parse(server.heard[0]?.body ?? "")).toEqual(input);
  });
});

describe("configuration", () => {
  test("the region is said once, with who named it, and the credentials are masked", async () => {
    const aws = connect();
    const { ecs, logs } = apisOver(aws.call);
    await ecs.describeServices("c", ["s"]);
    await logs.getLogEvents({ group: "g", stream: "s" });
    expect(log.lines).toEqual(["region eu-west-1 from AWS_REGION"]);
    expect(new Set(masked)).toEqual(new Set([SECRET]));
    expect(await aws.region()).toEqual({ name: "eu-west-1", source: "AWS_REGION" });
  });

  test.each([
    [{ region: "us-east-2" }, {}, "us-east-2", "aws-region"],
    [{}, { AWS_REGION: "", AWS_DEFAULT_REGION: "ap-south-1" }, "ap-south-1", "AWS_DEFAULT_REGION"],
  ] as const)("region of %j and %j", async (options, env, region, source) => {
    Object.assign(process.env, env);
    await apisOver(connect(options).call).ecs.describeServices("c", ["s"]);
    expect(server.heard[0]?.headers.authorization).toContain(`/${region}/ecs/aws4_request`);
    expect(log.lines).toEqual([`region ${region} from ${source}`]);
  });

  test("a stream in another region is asked there", async () => {
    await apisOver(connect().call).logs.getLogEvents({ group: "g", stream: "s", region: "eu-north-1" });
    expect(server.heard[0]?.headers.authorization).toContain("/eu-north-1/logs/");
  });

  test("no region: one error before any call", async () => {
    delete process.env["AWS_REGION"];
    const failed = connect().call("ecs", "DescribeServices", {});
    await expect(failed).rejects.toMatchObject({
      code: "BAD_INPUT",
      fix: expect.stringContaining("`aws-region`"),
    });
    await expect(failed).rejects.toThrow("no AWS region");
    expect(server.heard).toEqual([]);
  });

  test("a region that would make another host name is refused", async () => {
    const failed = connect({ region: "evil.example.org/#" }).call("ecs", "DescribeServices", {});
    await expect(failed).rejects.toThrow("is no region");
  });

  test("no credentials: one error before any call", async () => {
    delete process.env["AWS_ACCESS_KEY_ID"];
    const error = await refusal(connect().call("ecs", "DescribeServices", {}));
    expect(error.code).toBe("CREDENTIALS_MISSING");
    expect(error.fix).toContain("configure-aws-credentials");
    expect(server.heard).toEqual([]);
  });
});

describe("faults", () => {
  const say = (type: string, message: string, status = 400) => ({
    status,
    body: JSON.stringify({ __type: type, message }),
  });

  test("a denial is HTTP 400 at ECS, and names what is missing", async () => {
    const text =
      "User: arn:aws:sts::1:assumed-role/ci/run is not authorized to perform: ecs:UpdateService on resource: arn:aws:ecs:eu-west-1:1:service/c/s because no identity-based policy allows the ecs:UpdateService action";
    server.replies = [say("AccessDeniedException", text)];
    const error = await refusal(connect().call("ecs", "UpdateService", {}));
    expect(error).toMatchObject({ fault: "denied", code: "ACCESS_DENIED", name: "AccessDeniedException" });
    expect(error.fix).toBe(
      "allow ecs:UpdateService on arn:aws:ecs:eu-west-1:1:service/c/s for arn:aws:sts::1:assumed-role/ci/run",
    );
  });

  test.each([
    ["ThrottlingException", 400, "transient"],
    ["ServerException", 500, "transient"],
    ["ExpiredTokenException", 400, "expired"],
    ["UnrecognizedClientException", 400, "expired"],
    ["ServiceNotFoundException", 400, "not-found"],
    ["ClientException", 400, "permanent"],
    ["com.amazonaws.ecs#InvalidParameterException", 400, "permanent"],
  ])("%s with %d is %s, and asked once", async (type, status, fault) => {
    server.replies = [say(type, "Rate exceeded", status)];
    const error = await refusal(connect().call("ecs", "DescribeServices", {}));
    expect(error.fault).toBe(fault);
    expect(error.message).toContain("Rate exceeded");
    expect(server.heard).toHaveLength(1);
  });

  test("a gateway's page instead of JSON", async () => {
    server.replies = [{ status: 503, body: "<html>busy</html>", headers: { "content-type": "text/html" } }];
    const error = await refusal(connect().call("ecs", "DescribeServices", {}));
    expect([error.fault, error.status]).toEqual(["transient", 503]);
    expect(error.message).toBe("ecs:DescribeServices failed for now: HTTP 503");
  });

  test("a page instead of an answer is no answer", async () => {
    server.replies = [{ status: 200, body: "<html>log in</html>" }];
    const error = await refusal(connect().call("ecs", "DescribeServices", {}));
    expect(error.fault).toBe("transient");
  });

  test("a reset, a cut answer, and silence pass", async () => {
    server.replies = [(response) => response.socket?.resetAndDestroy()];
    expect((await refusal(connect().call("ecs", "DescribeServices", {}))).fault).toBe("transient");
    server.replies = [
      (response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("{");
        setTimeout(() => response.destroy(), 20);
      },
    ];
    expect((await refusal(connect().call("ecs", "DescribeServices", {}))).fault).toBe("transient");
    server.replies = [() => {}];
    const error = await refusal(connect({ timeoutMs: 100 }).call("ecs", "DescribeServices", {}));
    expect([error.fault, error.name]).toEqual(["transient", "TimeoutError"]);
    expect(error.message).toContain("no answer within 0.1 s");
  });

  test("nobody listens", async () => {
    process.env["AWS_ENDPOINT_URL_ECS"] = "http://127.0.0.1:1";
    expect((await refusal(connect().call("ecs", "DescribeServices", {}))).fault).toBe("transient");
  });

  test("an aborted call rejects with the signal's own reason, also while it is out", async () => {
    const { call } = connect();
    const reason = new Error("cancelled");
    await expect(call("ecs", "DescribeServices", {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    const abort = new AbortController();
    server.replies = [() => abort.abort(reason)];
    await expect(explained(call)("ecs", "DescribeServices", {}, { signal: abort.signal })).rejects.toBe(
      reason,
    );
  });

  test("a wrong clock is learned from the refusal and costs one more request", async () => {
    const date = new Date(Date.now() + 20 * 60_000).toUTCString();
    server.replies = [
      {
        ...say("InvalidSignatureException", "Signature expired: 1 is now earlier than 2"),
        headers: { date },
      },
      { status: 200, body: '{"services":[]}' },
    ];
    await expect(connect().call("ecs", "DescribeServices", {})).resolves.toEqual({ services: [] });
    expect(server.heard).toHaveLength(2);
    expect(server.heard[0]?.headers["x-amz-date"]).not.toBe(server.heard[1]?.headers["x-amz-date"]);
  });
});

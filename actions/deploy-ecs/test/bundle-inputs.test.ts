import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { sampleDefinition } from "../../../lib/testing/fake-ecs/set-up.ts";
import { type RunningAws, startFakeAws } from "../../../lib/testing/fake-ecs/start.ts";
import { expectValidReport } from "../../../lib/testing/report-schema.ts";
import { FakeRunner, type StepResult } from "../../../lib/testing/runner.ts";

/** Calls that change something. */
const WRITE = /^(Register|Deregister|Update|Run|Stop|Create|Put|Continue|Delete)/;

const TWO_CONTAINERS = sampleDefinition("pair", "pair:1", {
  containerDefinitions: [
    { name: "web", image: "pair:1", environment: [{ name: "RUNNING", value: "canary-running-value" }] },
    { name: "log", image: "log:1" },
  ],
});

let aws: RunningAws;
let runner: FakeRunner;

beforeAll(async () => {
  aws = await startFakeAws({ speed: 20, allowUnknown: ["RegisterTaskDefinition", "DescribeTaskDefinition"] });
  const { world } = aws;
  world.addService({ name: "app", image: "app:1", desired: 1 });
  world.addService({ name: "gone", image: "gone:1", status: "INACTIVE" });
  world.addService({ name: "ext", image: "ext:1", controller: "EXTERNAL" });
  world.addService({ name: "pair", taskDefinition: TWO_CONTAINERS, desired: 1 });
  world.addService({ name: "file", image: "file:1", desired: 1 });
  runner = new FakeRunner();
});

beforeEach(() => {
  aws.world.calls.length = 0;
});

afterAll(async () => {
  await aws.close();
  runner.dispose();
  expect(aws.world.violations).toEqual([]);
});

function file(name: string, content: string): string {
  const path = join(runner.workspace, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return name;
}

async function deploy(inputs: Record<string, string>): Promise<StepResult> {
  return runner.main("deploy-ecs", { "poll-interval": "1s", ...inputs }, { env: aws.env() });
}

const operations = () => aws.calls.map((call) => call.operation);
const writes = () => operations().filter((operation) => WRITE.test(operation));

/** Looks often: the machine may be slow, the test has its own time-out. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Red, one error, BAD_INPUT, nothing written. */
function expectRefusal(result: StepResult): string {
  expect({ code: result.outputs["failure-code"], output: result.output }).toMatchObject({
    code: "BAD_INPUT",
  });
  expect(result.exitCode).toBe(1);
  expect(result.outputs).toMatchObject({ outcome: "failed", changed: "false", "rolled-back": "false" });
  expect(result.errors).toHaveLength(1);
  expect(writes()).toEqual([]);
  expectValidReport(result.report);
  return result.outputs["failure-reason"] ?? "";
}

describe("wrong inputs", () => {
  test("are named in one message before AWS is asked anything", async () => {
    file("broken.yaml", "family: [canary-in-a-file\n");
    const reason = expectRefusal(
      await deploy({
        service: "a b",
        "task-definition": "broken.yaml",
        "desired-count": "-1",
        "poll-interval": "10ms",
        "wait-for-minutes": "5",
        timeout: "5m",
        "run-task": "true",
        "run-task-launch-type": "FARGATE",
        "run-task-capacity-provider-strategy": '[{"capacityProvider":"FARGATE"}]',
        "health-check-url": "nowhere",
        "environment-variables": "A=canary-value",
        secrets: "A=/p",
        command: "npm start",
        "service-managed-ebs-volume-name": "v",
      }),
    );
    const named = ["service", "task-definition", "desired-count", "poll-interval", "wait-for-minutes"];
    const more = ["run-task-launch-type", "health-check-url", "secrets", "command"];
    for (const name of [...named, ...more, "service-managed-ebs-volume-name"]) {
      expect(reason).toContain(`\`${name}\``);
    }
    expect(reason).not.toContain("canary");
    expect(aws.calls).toEqual([]);
  });

  test.each<[string, Record<string, string>, readonly string[]]>([
    ["a service that is not there", { service: "none" }, ["`service` is `none`", "`default`"]],
    ["a deleted service", { service: "gone" }, ["`service` is `gone`", "INACTIVE"]],
    ["the EXTERNAL controller", { service: "ext" }, ["`service` is `ext`", "EXTERNAL"]],
    ["a cluster that is not there", { service: "app", cluster: "none" }, ["`none`"]],
    [
      "CodeDeploy's inputs for a service of ECS",
      { service: "app", "codedeploy-application": "x" },
      ["`codedeploy-application`"],
    ],
    [
      "a stage of a rolling deployment",
      { service: "app", "wait-until": "BAKE_TIME" },
      ["`wait-until` is `BAKE_TIME`"],
    ],
    ["a container that is not there", { service: "pair", images: "wbe=x:2" }, ["`wbe`", "`web`, `log`"]],
    [
      "nobody's variable",
      { service: "pair", "environment-variables": "A=canary-value" },
      ["`container-name` is required", "`web`, `log`"],
    ],
    [
      "several of them at once",
      { service: "pair", "container-name": "wbe", secrets: "lgo:A=/p", "codedeploy-appspec": "appspec.json" },
      ["`wbe`", "`lgo`", "`codedeploy-appspec`"],
    ],
    [
      "a family that is not there",
      { service: "app", "task-definition": "nobody" },
      ["`task-definition`", "nobody"],
    ],
    [
      "a revision that is not there",
      { service: "app", "task-definition": "app:99" },
      ["`task-definition`", "app:99"],
    ],
  ])("%s", async (_name, inputs, texts) => {
    file("appspec.json", '{"Resources": [{}]}');
    const reason = expectRefusal(await deploy(inputs));
    for (const text of texts) expect(reason).toContain(text);
    expect(reason).not.toContain("canary");
  });
});

describe("what is asked for is what is sent", () => {
  const sent = (operation: string) =>
    aws.calls.filter((call) => call.operation === operation).map((call) => call.input);

  test("a YAML file with members that nobody knows, and values that nobody sees", async () => {
    const values = ["canary-of-the-file", "canary-of-the-input", "canary-of-the-patch", "file:1"];
    file(
      "ops/task.yaml",
      `family: file
networkMode: awsvpc
requiresCompatibilities: [FARGATE]
cpu: 256
memory: 512
executionRoleArn: arn:aws:iam::123456789012:role/execution
madeOfDreams: {deep: [1, two]}
containerDefinitions:
  - name: app
    image: file:1
    unheardOf: true
    environment:
      - {name: FROM_FILE, value: ${values[0]}}
      - {name: VERSION, value: 1.10}
`,
    );
    const result = await deploy({
      service: "file",
      "working-directory": "ops",
      "task-definition": "task.yaml",
      image: "file:2",
      "environment-variables": `TOKEN=${values[1]}`,
      secrets: "KEY=/file/key",
      "task-definition-patch": `{"containerDefinitions":{"app":{"dockerLabels":{"a":"b=c"},"environment":[{"name":"P","value":"${values[2]}"}]}}}`,
    });
    expect({ outcome: result.outputs["outcome"], output: result.output }).toMatchObject({
      outcome: "succeeded",
    });
    expect(sent("RegisterTaskDefinition")).toEqual([
      {
        family: "file",
        networkMode: "awsvpc",
        requiresCompatibilities: ["FARGATE"],
        cpu: "256",
        memory: "512",
        executionRoleArn: "arn:aws:iam::123456789012:role/execution",
        madeOfDreams: { deep: [1, "two"] },
        containerDefinitions: [
          {
            name: "app",
            image: "file:2",
            unheardOf: true,
            dockerLabels: { a: "b=c" },
            environment: [
              { name: "P", value: values[2] },
              { name: "TOKEN", value: values[1] },
            ],
            secrets: [{ name: "KEY", valueFrom: "/file/key" }],
          },
        ],
      },
    ]);
    const arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/file:2";
    expect(sent("UpdateService")).toEqual([{ cluster: "default", service: "file", taskDefinition: arn }]);
    expect(result.outputs).toMatchObject({ "task-definition-arn": arn, changed: "true" });
    expect(result.output).toContain("container app: environment TOKEN added");
    expectValidReport(result.report);
    expectUnseen(result, ["canary-of-the-file", "canary-of-the-input", "canary-of-the-patch"]);
  });

  test("a YAML file when nothing else is YAML", async () => {
    file("plain.yaml", "family: file\ncontainerDefinitions: [{name: app, image: 'file:3'}]\n");
    const result = await deploy({ service: "file", "task-definition": "plain.yaml", "dry-run": "true" });
    expect({ outcome: result.outputs["outcome"], output: result.output }).toMatchObject({
      outcome: "planned",
    });
  });

  test("a member that ECS does not keep is red before the service is touched", async () => {
    aws.world.ecs.state.lostFields.push("containerDefinitions.*.neverHeardOf");
    const patch = { containerDefinitions: { app: { neverHeardOf: { deep: 1 } } } };
    const result = await deploy({ service: "app", "task-definition-patch": JSON.stringify(patch) });
    expect(result.outputs).toMatchObject({ outcome: "failed", "failure-code": "FIELDS_LOST" });
    expect(result.outputs["failure-reason"]).toContain("$.containerDefinitions[0].neverHeardOf");
    expect(writes()).toEqual(["RegisterTaskDefinition"]);
  });

  test("a killed step is finished although its file is gone by then", async () => {
    const path = file("soon-gone.json", JSON.stringify(sampleDefinition("app", "app:7")));
    aws.world.behave("app:7", { kind: "stuck" });
    const inputs = { service: "app", "task-definition": path, "poll-interval": "1s" };
    const running = runner.start("deploy-ecs", inputs, { env: aws.env() });
    await until(
      () => operations().slice(operations().indexOf("UpdateService")).length > 3 && writes().length === 2,
    );
    running.kill("SIGKILL");
    const main = await running.result;
    rmSync(join(runner.workspace, path));
    const post = await runner.post("deploy-ecs", main, inputs, { env: aws.env() });
    const { services } = (await aws.world.call("ecs", "DescribeServices", { services: ["app"] })) as {
      services: { taskDefinition: string; deployments: unknown[] }[];
    };
    expect({ output: post.output, service: services[0] }).toMatchObject({
      service: {
        taskDefinition: expect.stringMatching(/app:1$/),
        deployments: [{ rolloutState: "COMPLETED" }],
      },
    });
    expect(post.output).not.toContain("BAD_INPUT");
  });

  test("a dry run writes nothing and tells what it would", async () => {
    const result = await deploy({
      service: "pair",
      "container-name": "web",
      "environment-variables": "NEW=canary-of-the-plan",
      image: "pair:latest",
      "dry-run": "true",
    });
    expect({ outcome: result.outputs["outcome"], output: result.output }).toMatchObject({
      outcome: "planned",
    });
    expect(writes()).toEqual([]);
    for (const line of [
      "container web: image changed: pair:1 -> pair:latest",
      "container web: environment NEW added",
      "not pinned",
    ]) {
      expect(result.output).toContain(line);
      expect(result.summary).toContain(line);
    }
    expectUnseen(result, ["canary-of-the-plan", "canary-running-value"]);
    expect(result.report).toMatchObject({ subjects: [] });
  });

  test("what already runs is not registered again: two calls", async () => {
    const result = await deploy({ service: "pair", "container-name": "web", image: "pair:1" });
    expect(result.outputs).toMatchObject({ outcome: "unchanged", changed: "false" });
    expect(operations().sort()).toEqual(["DescribeServices", "DescribeTaskDefinition"]);
  });
});

/** The runner is told to hide each value, and none stands anywhere else. */
function expectUnseen(result: StepResult, values: readonly string[]): void {
  const log = result.output.split("\n").filter((line) => !line.startsWith("::add-mask::"));
  const kept = {
    outputs: result.outputs,
    state: result.state,
    report: result.report,
    summary: result.summary,
  };
  for (const value of values) {
    expect(result.masks).toContain(value);
    for (const text of [log.join("\n"), JSON.stringify(kept)]) {
      expect(text).not.toContain(value);
      expect(text).not.toContain(Buffer.from(value).toString("base64"));
    }
  }
}

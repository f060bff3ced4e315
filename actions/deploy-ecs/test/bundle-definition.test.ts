import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { sampleDefinition } from "../../../lib/testing/fake-ecs/set-up.ts";
import type { StepResult } from "../../../lib/testing/runner.ts";
import { BundleSite } from "./bundle-site.ts";

const TWO_CONTAINERS = sampleDefinition("pair", "pair:1", {
  containerDefinitions: [
    { name: "web", image: "pair:1", environment: [{ name: "RUNNING", value: "canary-running-value" }] },
    { name: "log", image: "log:1" },
  ],
});

let site: BundleSite;

beforeAll(async () => {
  site = await BundleSite.open();
  const { world } = site.aws;
  world.addService({ name: "pair", taskDefinition: TWO_CONTAINERS, desired: 1 });
  world.addService({ name: "file", image: "file:1", desired: 1 });
});

beforeEach(() => site.forget());

afterAll(async () => {
  await site.close();
  expect(site.aws.world.violations).toEqual([]);
});

/** Looks often: the machine may be slow, the test has its own time-out. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("what is asked for is what is sent", () => {
  const sent = (operation: string) =>
    site.aws.calls.filter((call) => call.operation === operation).map((call) => call.input);

  test("a YAML file with members that nobody knows, and values that nobody sees", async () => {
    const values = ["canary-of-the-file", "canary-of-the-input", "canary-of-the-patch", "file:1"];
    site.file(
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
    const result = await site.deploy({
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
    expectUnseen(result, ["canary-of-the-file", "canary-of-the-input", "canary-of-the-patch"]);
  });

  test("a YAML file when nothing else is YAML", async () => {
    site.file("plain.yaml", "family: file\ncontainerDefinitions: [{name: app, image: 'file:3'}]\n");
    const result = await site.deploy({ service: "file", "task-definition": "plain.yaml", "dry-run": "true" });
    expect({ outcome: result.outputs["outcome"], output: result.output }).toMatchObject({
      outcome: "planned",
    });
  });

  test("a member that ECS does not keep is red before the service is touched", async () => {
    site.aws.world.ecs.state.lostFields.push("containerDefinitions.*.neverHeardOf");
    const patch = { containerDefinitions: { app: { neverHeardOf: { deep: 1 } } } };
    const result = await site.deploy({ service: "app", "task-definition-patch": JSON.stringify(patch) });
    expect(result.outputs).toMatchObject({ outcome: "failed", "failure-code": "FIELDS_LOST" });
    expect(result.outputs["failure-reason"]).toContain("$.containerDefinitions[0].neverHeardOf");
    expect(site.writes()).toEqual(["RegisterTaskDefinition"]);
  });

  test("a killed step is finished although its file is gone by then", async () => {
    const path = site.file("soon-gone.json", JSON.stringify(sampleDefinition("app", "app:7")));
    site.aws.world.behave("app:7", { kind: "stuck" });
    const inputs = { image: "", "task-definition": path };
    const running = site.site.start(inputs);
    await until(() => {
      const made = site.operations();
      return made.slice(made.indexOf("UpdateService")).length > 3 && site.writes().length === 2;
    });
    running.kill("SIGKILL");
    const main = await running.result;
    rmSync(join(site.site.runner.workspace, path));
    const post = await site.site.post(main, inputs);
    const { services } = (await site.aws.world.call("ecs", "DescribeServices", { services: ["app"] })) as {
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
    const result = await site.deploy({
      service: "pair",
      "container-name": "web",
      "environment-variables": "NEW=canary-of-the-plan",
      image: "pair:latest",
      "dry-run": "true",
    });
    expect({ outcome: result.outputs["outcome"], output: result.output }).toMatchObject({
      outcome: "planned",
    });
    expect(site.writes()).toEqual([]);
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
    const result = await site.deploy({ service: "pair", "container-name": "web", image: "pair:1" });
    expect(result.outputs).toMatchObject({ outcome: "unchanged", changed: "false" });
    expect(site.operations().sort()).toEqual(["DescribeServices", "DescribeTaskDefinition"]);
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

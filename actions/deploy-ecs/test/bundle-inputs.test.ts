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
  world.addService({ name: "gone", image: "gone:1", status: "INACTIVE" });
  world.addService({ name: "ext", image: "ext:1", controller: "EXTERNAL" });
  world.addService({ name: "pair", taskDefinition: TWO_CONTAINERS, desired: 1 });
});

beforeEach(() => site.forget());

afterAll(async () => {
  await site.close();
  expect(site.aws.world.violations).toEqual([]);
});

/** Red, one error, BAD_INPUT, nothing written. */
function expectRefusal(result: StepResult): string {
  expect({ code: result.outputs["failure-code"], output: result.output }).toMatchObject({
    code: "BAD_INPUT",
  });
  expect(result.exitCode).toBe(1);
  expect(result.outputs).toMatchObject({ outcome: "failed", changed: "false", "rolled-back": "false" });
  expect(result.errors).toHaveLength(1);
  expect(site.writes()).toEqual([]);
  return result.outputs["failure-reason"] ?? "";
}

describe("wrong inputs", () => {
  test("are named in one message before AWS is asked anything", async () => {
    site.file("broken.yaml", "family: [canary-in-a-file\n");
    const reason = expectRefusal(
      await site.deploy({
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
    expect(site.aws.calls).toEqual([]);
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
    site.file("appspec.json", '{"Resources": [{}]}');
    const reason = expectRefusal(await site.deploy(inputs));
    for (const text of texts) expect(reason).toContain(text);
    expect(reason).not.toContain("canary");
  });
});

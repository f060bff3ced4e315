import { describe, expect, test } from "@jest/globals";
import { prepareYaml } from "../../../lib/yaml.ts";
import { GOOD, problems } from "./read-inputs.ts";

describe("what is wrong is named", () => {
  test.each<[string, Record<string, string>, string]>([
    ["a file that is not there", { "task-definition": "none.json" }, "`none.json`: there is no such file"],
    ["a folder", { "task-definition": "./ops" }, "it is a folder"],
    ["an array", { "task-definition": "array.json" }, "holds no object"],
    ["broken JSON", { "task-definition": "broken.json" }, "is not JSON (line 1, column"],
    ["broken YAML", { "task-definition": "broken.yaml" }, "neither JSON nor YAML (line"],
    ["no family", { "task-definition": "nameless.json" }, "no `family`"],
    ["a container without a name", { "task-definition": "nameless.json" }, "no `name`"],
    ["two of a name", { "task-definition": "nameless.json" }, "named `a`"],
    ["no containers", { "task-definition": "empty.json" }, "`containerDefinitions`"],
    ["no name of anything", { "task-definition": "shop:0" }, "`task-definition` is `shop:0`"],
    [
      "an ARN of something else",
      { "task-definition": "arn:aws:iam::123456789012:role/x" },
      "`task-definition`",
    ],
    ["nothing at all", { service: "" }, "`task-definition` or `service` is required"],
    [
      "a service's number without it",
      { service: "", "task-definition": "td.json", "desired-count": "1" },
      "`desired-count` needs `service`",
    ],
    [
      "CodeDeploy without a service",
      { service: "", "task-definition": "td.json", "codedeploy-application": "a" },
      "`codedeploy-application` needs",
    ],
    [
      "force without a service",
      { service: "", "task-definition": "td.json", "force-new-deployment": "true" },
      "`force-new-deployment` needs",
    ],
    ["a service's name", { service: "a b" }, "`service` is `a b`"],
    [
      "another cluster",
      { service: "arn:aws:ecs:eu-west-1:123456789012:service/prod/shop", cluster: "test" },
      "`cluster` is `test`",
    ],
    [
      "another region",
      { service: "arn:aws:ecs:eu-west-1:123456789012:service/prod/shop", "aws-region": "eu-west-2" },
      "`aws-region` is `eu-west-2`",
    ],
    [
      "a cluster in another region",
      { cluster: "arn:aws:ecs:eu-west-1:123456789012:cluster/prod", "aws-region": "eu-west-2" },
      "`cluster` is in `eu-west-1` and `aws-region` is `eu-west-2`",
    ],
    ["a region", { "aws-region": "Ireland" }, "`aws-region`"],
    ["timeout twice", { timeout: "1m", "wait-for-minutes": "1" }, "`wait-for-minutes` are both given"],
    ["a short poll", { "poll-interval": "500ms" }, "`poll-interval`"],
    ["a budget", { "failure-budget": "0" }, "`failure-budget`"],
    ["a negative count", { "desired-count": "-1" }, "`desired-count`"],
    ["half a task", { "desired-count": "1.5" }, "`desired-count`"],
    ["a stage", { "wait-until": "TRAFFIC" }, "`wait-until`"],
    ["a pause", { "on-pause": "skip" }, "`on-pause`"],
    ["a boolean", { "force-new-deployment": "yes" }, "`force-new-deployment`"],
    ["managed tags", { "enable-ecs-managed-tags": "1" }, "`enable-ecs-managed-tags`"],
    ["tags to spread", { "propagate-tags": "ALL" }, "`propagate-tags`"],
    ["a volume without a name", { "service-managed-ebs-volume": "{}" }, "`service-managed-ebs-volume` needs"],
    [
      "a name without a volume",
      { "service-managed-ebs-volume-name": "v" },
      "`service-managed-ebs-volume-name` needs",
    ],
    [
      "a volume without a role",
      { "service-managed-ebs-volume-name": "v", "service-managed-ebs-volume": "{}" },
      "`roleArn`",
    ],
    ["a command that is none", { command: "npm start" }, "`command` is not JSON"],
    ["a command of numbers", { command: "[1]" }, "`command` is not a JSON array of texts"],
    ["an empty command", { command: "[]" }, "`command` is not a JSON array of texts"],
    ["a task's command that is none", { "run-task": "true", "run-task-command": "{}" }, "`run-task-command`"],
    ["a task's command alone", { "run-task-command": '["x"]' }, "`run-task` is `false`"],
    [
      "two commands",
      {
        "run-task": "true",
        "run-task-command": '["x"]',
        "run-task-container-overrides": '[{"name":"app","command":["y"]}]',
      },
      "`run-task-command` is given and",
    ],
    [
      "an override without a name",
      { "run-task": "true", "run-task-container-overrides": "[{}]" },
      "without `name`",
    ],
    [
      "overrides too long",
      {
        "run-task": "true",
        "run-task-container-overrides": JSON.stringify([{ name: "a", command: ["x".repeat(9000)] }]),
      },
      "at most 8192",
    ],
    [
      "launch type and strategy",
      {
        "run-task": "true",
        "run-task-launch-type": "FARGATE",
        "run-task-capacity-provider-strategy": '[{"capacityProvider":"FARGATE"}]',
      },
      "exclude each other",
    ],
    [
      "a strategy",
      { "run-task": "true", "run-task-capacity-provider-strategy": '[{"weight":2000}]' },
      "`run-task-capacity-provider-strategy`",
    ],
    [
      "a public IP",
      { "run-task": "true", "run-task-assign-public-IP": "yes" },
      "`run-task-assign-public-IP`",
    ],
    ["started by", { "run-task": "true", "run-task-started-by": "a b" }, "`run-task-started-by`"],
    ["a tag without key", { "run-task": "true", "run-task-tags": '[{"value":"x"}]' }, "`run-task-tags`"],
    [
      "an appspec that is not there",
      { "codedeploy-appspec": "none.yaml" },
      "`none.yaml`: there is no such file",
    ],
    ["an appspec without resources", { "codedeploy-appspec": "td.json" }, "`Resources`"],
    [
      "a patch that is none",
      { "task-definition-patch": "[]" },
      "`task-definition-patch` is not a JSON object",
    ],
    ["a patch of ECS's own", { "task-definition-patch": '{"revision":1}' }, "`revision`"],
    ["a patch of containers", { "task-definition-patch": '{"containerDefinitions":"app"}' }, "by name"],
    [
      "set twice",
      { "environment-variables": "A=canary-value", secrets: "A=/p" },
      "`A` is in `environment-variables` and in `secrets`",
    ],
    [
      "set and removed",
      { secrets: "app:A=/p", "remove-environment-variables": "app:A" },
      "`app:A` is set and in",
    ],
    [
      "removal while replacing",
      { "environment-mode": "replace", "environment-variables": "A=b", "remove-environment-variables": "B" },
      "means nothing with `environment-mode: replace`",
    ],
    ["replacing by nothing", { "environment-mode": "replace" }, "`environment-mode` is `replace`"],
    ["a line that is no pair", { "environment-variables": "canary-value" }, "line 1 is not"],
    ["a key with blanks", { "environment-variables": "A B=canary-value" }, "`A B` is no name"],
    ["a key without its name", { "environment-variables": "app:=canary-value" }, "`app:` is no name"],
    ["a secret from nowhere", { secrets: "A=" }, "`A` has no value"],
    ["an image", { image: "a b" }, "`image`"],
    ["no image", { images: "app=" }, "`images` has no image for `app`"],
    ["two images", { image: "a:1", images: "app=a:2", "container-name": "app" }, "different images"],
    ["a container's name", { "container-name": "a.b" }, "`container-name`"],
    ["a health URL", { "health-check-url": "/health" }, "`health-check-url`"],
    [
      "a check without waiting",
      { "wait-for-service-stability": "false", "health-check-url": "http://x" },
      "`health-check-url` is given, but",
    ],
    [
      "a stage without waiting",
      { "wait-for-service-stability": "false", "wait-until": "BAKE_TIME" },
      "`wait-until` is `BAKE_TIME`, but",
    ],
    [
      "schedules without proof",
      { "wait-for-service-stability": "false", schedules: "x" },
      "`schedules` are moved",
    ],
    ["a schedule", { schedules: "a b" }, "`schedules` is `a b`"],
    ["an environment without token", { "github-environment": "prod" }, "`github-token`"],
  ])("%s", async (_name, inputs, text) => {
    await prepareYaml(Object.values(inputs));
    const found = problems({ ...GOOD, ...inputs }).join("\n");
    expect(found).toContain(text);
    expect(found).not.toContain("canary");
  });

  test("all of them in one message", () => {
    const found = problems({
      service: "a b",
      "task-definition": "none.json",
      "poll-interval": "0",
      "desired-count": "many",
      "health-check-url": "nowhere",
      "environment-variables": "A=1",
      secrets: "A=/p",
    });
    expect(found).toHaveLength(6);
  });
});

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { parse as parseYaml } from "yaml";
import { prepareYaml } from "../../../lib/yaml.ts";
import type { Inputs } from "../src/inputs/model.ts";
import { OUTPUTS } from "../src/outputs.ts";
import { NOTHING } from "./definitions.ts";
import { DEFINITION, GOOD, problems, read, SHA, workspace } from "./read-inputs.ts";

describe("inputs", () => {
  test("action.yml and the code name the same inputs with the same defaults, and the same outputs", () => {
    const folder = join(dirname(fileURLToPath(import.meta.url)), "..");
    const declared = parseYaml(readFileSync(join(folder, "action.yml"), "utf8"));
    const defaults = Object.entries<{ default?: string }>(declared.inputs).map(
      ([name, input]) => [name, String(input.default ?? "")] as const,
    );
    const used = read(GOOD).reader.uses.map((use) => [use.name, use.fallback] as const);
    expect(new Map(used)).toEqual(new Map(defaults));
    expect(Object.keys(declared.outputs).sort()).toEqual([...OUTPUTS].sort());
  });

  test("one that says nothing but the service changes nothing", () => {
    expect(problems(GOOD)).toEqual([]);
    const { parsed } = read(GOOD);
    expect(parsed.source).toEqual({ kind: "running" });
    expect(parsed.edits).toEqual(NOTHING);
    expect(parsed.service).toEqual({
      region: "",
      cluster: "default",
      name: "shop",
      forceNewDeployment: false,
      desiredCount: undefined,
      propagateTags: undefined,
      enableEcsManagedTags: undefined,
      volumeConfigurations: undefined,
    });
  });

  const arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop";
  const serviceArn = "arn:aws:ecs:eu-west-1:123456789012:service/prod/shop";
  test.each<[string, Record<string, string>, (inputs: Inputs) => unknown, unknown]>([
    [
      "a file",
      { "task-definition": "td.json" },
      (i) => i.source,
      { kind: "file", path: "td.json", definition: DEFINITION },
    ],
    ["an absolute file", { "task-definition": join(workspace, "td.json") }, (i) => i.source.kind, "file"],
    [
      "a YAML file under the working directory, texts as they are written",
      { "task-definition": "td.yaml", "working-directory": "ops" },
      (i) => i.source.kind === "file" && i.source.definition,
      {
        family: "shop",
        cpu: "256",
        containerDefinitions: [
          { name: "app", image: "shop:1", cpu: 10, environment: [{ name: "VERSION", value: "1.10" }] },
        ],
      },
    ],
    [
      "the region of a cluster's ARN",
      { cluster: "arn:aws:ecs:eu-west-1:123456789012:cluster/prod" },
      (i) => i.service.region,
      "eu-west-1",
    ],
    ["a family", { "task-definition": "shop" }, (i) => i.source, { kind: "family", name: "shop" }],
    ["a revision", { "task-definition": "shop:7" }, (i) => i.source, { kind: "revision", name: "shop:7" }],
    ["an ARN", { "task-definition": `${arn}:7` }, (i) => i.source, { kind: "revision", name: `${arn}:7` }],
    ["an ARN without revision", { "task-definition": arn }, (i) => i.source, { kind: "family", name: arn }],
    [
      "values with = and blanks, keys with containers",
      { "environment-variables": "A= x=y \nside:B:C=1" },
      (i) => i.edits.environment,
      [
        { container: "", key: "A", value: " x=y " },
        { container: "side", key: "B:C", value: "1" },
      ],
    ],
    [
      "secrets",
      { secrets: "KEY=arn:aws:ssm:eu-west-1:1:parameter/x\napp:B=/p" },
      (i) => i.edits.secrets,
      [
        { container: "", key: "KEY", value: "arn:aws:ssm:eu-west-1:1:parameter/x" },
        { container: "app", key: "B", value: "/p" },
      ],
    ],
    ["several containers", { "container-name": "app, side" }, (i) => i.edits.containers, ["app", "side"]],
    ["a command", { command: '["a b", "c"]' }, (i) => i.edits.command, ["a b", "c"]],
    [
      "removal",
      { "remove-environment-variables": "A\nside:B" },
      (i) => i.edits.remove,
      [
        { container: "", key: "A" },
        { container: "side", key: "B" },
      ],
    ],
    ["timeout", {}, (i) => i.rollout.timeoutMs, 1_800_000],
    ["wait-for-minutes", { "wait-for-minutes": "45" }, (i) => i.rollout.timeoutMs, 2_700_000],
    ["the cluster of the service's ARN", { service: serviceArn }, (i) => i.service.cluster, "prod"],
    ["the region of the service's ARN", { service: serviceArn }, (i) => i.service.region, "eu-west-1"],
    ["desired 0", { "desired-count": "0" }, (i) => i.service.desiredCount, 0],
    ["managed tags", { "enable-ecs-managed-tags": "False" }, (i) => i.service.enableEcsManagedTags, false],
    [
      "a volume",
      {
        "service-managed-ebs-volume-name": "v",
        "service-managed-ebs-volume": '{"sizeInGiB":8,"roleArn":"arn:x","new":1}',
      },
      (i) => i.service.volumeConfigurations,
      [{ name: "v", managedEBSVolume: { sizeInGiB: 8, roleArn: "arn:x", new: 1 } }],
    ],
    ["no task", { "run-task-subnets": "a,b" }, (i) => i.task, undefined],
    [
      "a task's subnets",
      { "run-task": "true", "run-task-subnets": "a, b" },
      (i) => i.task?.subnets,
      ["a", "b"],
    ],
    ["a task's time", { "run-task": "true" }, (i) => i.task?.timeoutMs, 900_000],
    [
      "tags by list",
      { "run-task": "true", "run-task-tags": '[{"key":"a","value":"b"}]' },
      (i) => i.task?.tags,
      [{ key: "a", value: "b" }],
    ],
    [
      "tags by map",
      { "run-task": "true", "run-task-tags": "a=b" },
      (i) => i.task?.tags,
      [{ key: "a", value: "b" }],
    ],
    [
      "an appspec",
      { "codedeploy-appspec": "appspec.yaml" },
      (i) => Object.keys(i.codeDeploy.appspec ?? {}),
      ["version", "Resources"],
    ],
    ["schedules", { schedules: "nightly, bus/rule\nnightly" }, (i) => i.schedules, ["nightly", "bus/rule"]],
  ])("%s", async (_name, inputs, pick, expected) => {
    await prepareYaml(Object.values(inputs));
    const all = { ...GOOD, ...inputs };
    expect(problems(all)).toEqual([]);
    expect(pick(read(all).parsed)).toEqual(expected);
  });
});

describe("values are masked", () => {
  test("of variables, of the file's, of the patch's and of the overrides'", () => {
    const { masked } = read({
      ...GOOD,
      "task-definition": "td.json",
      "environment-variables":
        "DB=postgres://u:p@h/d\nAPI_KEY=hunter2\nNODE_ENV=production\nPORT=8000\nDEBUG=true\napp:X=long-canary-value",
      "task-definition-patch":
        '{"containerDefinitions":{"app":{"environment":[{"name":"P","value":"patched-canary"}]}}}',
      "run-task-container-overrides":
        '[{"name":"app","environment":[{"name":"O","value":"override-canary"}]}]',
      "health-check-header": "Authorization: Bearer header-canary",
    });
    const secrets = ["postgres://u:p@h/d", "hunter2", "long-canary-value", "postgres://file-secret"];
    expect(masked).toEqual(
      expect.arrayContaining([...secrets, "patched-canary", "override-canary", "header-canary"]),
    );
    for (const plain of ["production", "8000", "true"]) expect(masked).not.toContain(plain);
  });

  test("but not the names that outputs are made of", () => {
    const { masked } = read({
      service: "shop-production-api",
      image: "registry.example/shop:v1.2.3-rc1",
      "environment-variables": `IMAGE=registry.example/shop:v1.2.3-rc1\nNAME=shop-production-api\nPASSWORD=shop-prod-1\nAWS_ACCOUNT_ID=123456789012\nGIT_SHA=${SHA}\nAUTH_URL=https://shop.example\nQ=query-canary`,
      "health-check-url": "https://shop.example/health?k=query-canary",
    });
    const plain = masked.filter((text) => text.includes("-"));
    expect(plain).toEqual(["shop-prod-1", "query-canary"]);
  });
});

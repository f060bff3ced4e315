import { describe, expect, test } from "@jest/globals";
import { ReportDraft } from "../../../lib/report.ts";
import { consoleUrl } from "../src/console.ts";
import { imagesOf } from "../src/definition/images.ts";
import { type Facts, OUTPUTS, publish } from "../src/outputs.ts";
import { SHOP } from "./definitions.ts";

const ARN = "arn:aws:ecs:eu-west-1:123456789012";
const DIGEST = `sha256:${"a".repeat(64)}`;
const NONE: Facts = {
  place: { region: "eu-west-1", cluster: "prod", service: "shop" },
  revision: "",
  digest: "",
  images: [],
  previous: "",
  differences: [],
  deploymentId: "",
  serviceDeploymentArn: "",
  codeDeployId: "",
  taskArns: [],
  taskExitCode: undefined,
  imageDigests: {},
  wayBack: undefined,
  healthUrl: "",
  healthStatus: 0,
};

describe("console-url", () => {
  const place = {
    cluster: "prod",
    service: "shop",
    serviceDeploymentArn: "",
    taskDefinitionArn: "",
    region: "eu-west-1",
  };
  test.each([
    [
      "the service",
      {},
      "https://eu-west-1.console.aws.amazon.com/ecs/v2/clusters/prod/services/shop/deployments?region=eu-west-1",
    ],
    [
      "the deployment, names from ARNs",
      {
        cluster: `${ARN}:cluster/prod`,
        service: `${ARN}:service/prod/shop`,
        serviceDeploymentArn: `${ARN}:service-deployment/prod/shop/AbC1`,
      },
      "https://eu-west-1.console.aws.amazon.com/ecs/v2/clusters/prod/services/shop/deployments/AbC1?region=eu-west-1",
    ],
    [
      "the task definition",
      { service: "", taskDefinitionArn: `${ARN}:task-definition/shop:12` },
      "https://eu-west-1.console.aws.amazon.com/ecs/v2/task-definitions/shop/12?region=eu-west-1",
    ],
    [
      "China",
      { region: "cn-north-1" },
      "https://cn-north-1.console.amazonaws.cn/ecs/v2/clusters/prod/services/shop/deployments?region=cn-north-1",
    ],
    [
      "GovCloud",
      { region: "us-gov-west-1" },
      "https://console.amazonaws-us-gov.com/ecs/v2/clusters/prod/services/shop/deployments?region=us-gov-west-1",
    ],
    ["a closed partition", { region: "us-iso-east-1" }, ""],
    ["no region", { region: "" }, ""],
    ["nothing to show", { service: "" }, ""],
  ])("%s", (_name, over, url) => {
    expect(consoleUrl({ ...place, ...over })).toBe(url);
  });
});

describe("what a run tells", () => {
  test("every output of a run that came to nothing is there, and none is invented", () => {
    const draft = new ReportDraft();
    publish(draft, NONE);
    for (const name of draft.outputs.keys()) expect(OUTPUTS).toContain(name);
    const told = [...draft.outputs].filter(([, value]) => value !== "").map(([name]) => name);
    expect(told).toEqual(["image-digests", "console-url"]);
    expect([draft.materials, draft.subjects]).toEqual([[], []]);
  });

  const full: Facts = {
    ...NONE,
    revision: `${ARN}:task-definition/shop:8`,
    previous: `${ARN}:task-definition/shop:7`,
    digest: DIGEST,
    images: imagesOf(SHOP),
    differences: [
      {
        text: "container app: environment A changed",
        path: "containerDefinitions.app.environment.A",
        kind: "changed",
      },
    ],
    deploymentId: "ecs-svc/<b>|1",
    taskArns: [`${ARN}:task/prod/t1`],
    taskExitCode: 0,
    imageDigests: { app: DIGEST, strange: DIGEST },
    wayBack: { revision: `${ARN}:task-definition/shop:7`, ms: 12_345 },
    healthUrl: "http://shop/health",
    healthStatus: 503,
  };

  test("outputs of a run that went back", () => {
    const draft = new ReportDraft();
    publish(draft, full);
    expect(Object.fromEntries(draft.outputs)).toMatchObject({
      "task-definition-arn": full.revision,
      "previous-task-definition-arn": full.previous,
      "rollback-task-definition-arn": full.previous,
      "rollback-seconds": "12.3",
      "run-task-arn": `["${ARN}:task/prod/t1"]`,
      "run-task-exit-code": "0",
      "image-digests": JSON.stringify({ app: DIGEST }),
      "health-status": "503",
      url: "http://shop/health",
    });
  });

  test("the report links images to the task definition", () => {
    const draft = new ReportDraft();
    publish(draft, full);
    expect(draft.subjects).toEqual([{ type: "task-definition", name: full.revision, digest: DIGEST }]);
    expect(draft.materials).toEqual([
      { type: "image", name: "shop:1", digest: DIGEST },
      { type: "image", name: "proxy:1", digest: "" },
    ]);
  });

  test("the summary escapes what it shows and holds no value of a variable", () => {
    const draft = new ReportDraft();
    for (const [name, ms] of [
      ["watch", 1500],
      ["plan", 1],
      ["watch", 500],
    ] as const) {
      draft.phases.push({ name, ms, outcome: "succeeded" });
    }
    publish(draft, full);
    for (const text of ["shop:7", "shop:8", "exit code 0", "status 503", "watch 2.0 s", "&lt;b&gt;"]) {
      expect(draft.summary).toContain(text);
    }
    expect(draft.summary).not.toContain("<b>");
    expect(draft.summary).not.toContain("plan");
    expect(draft.summary + JSON.stringify([...draft.outputs]) + JSON.stringify(draft.fields)).not.toContain(
      "canary",
    );
  });
});

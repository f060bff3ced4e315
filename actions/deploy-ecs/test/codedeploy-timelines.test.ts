import { describe, expect, test } from "@jest/globals";
import type { GroupSetup } from "../../../lib/testing/fake-ecs/codedeploy/set-up.ts";
import type { ServiceSetup } from "../../../lib/testing/fake-ecs/set-up.ts";
import type { FakeAws } from "../../../lib/testing/fake-ecs/world.ts";
import { type Story, type Told, tell } from "./story.ts";

/** A service `app` under CODE_DEPLOY with its group. */
function arranged(
  group: GroupSetup = {},
  service: ServiceSetup = {},
  more: (aws: FakeAws) => void = () => {},
) {
  return (aws: FakeAws) => {
    aws.addService({ controller: "CODE_DEPLOY", targetGroup: "app", ...service });
    aws.addDeploymentGroup("app", group);
    more(aws);
  };
}

/** The world's own truth: the image that serves, and how many task sets there are. */
function serves({ aws }: Told): string {
  const { deployments } = aws.service();
  const primary = deployments.find(({ status }) => status === "PRIMARY");
  const containers = primary?.revision.definition.body["containerDefinitions"] as { image: string }[];
  return String(containers[0]?.image);
}

const count = ({ calls }: Told, operation: string) => calls.filter((one) => one === operation).length;
const story = (more: Story): Promise<Told> =>
  tell({ inputs: { image: "app:2", service: "app" }, arrange: arranged(), ...more });

function expectHonest(told: Told): void {
  expect(told.aws.violations).toEqual([]);
  // The service is CodeDeploy's to change.
  expect(count(told, "UpdateService")).toBe(0);
}

describe("CODE_DEPLOY", () => {
  test("a good deployment: registered, created once, followed to its end", async () => {
    const told = await story({});
    expect([told.outcome, told.code, serves(told)]).toEqual(["succeeded", "", "app:2"]);
    expect(count(told, "CreateDeployment")).toBe(1);
    expect(told.outputs["codedeploy-deployment-id"]).toMatch(/^d-/);
    expect(told.log.join("\n")).toContain("CodeDeploy: AllowTraffic InProgress");
    expectHonest(told);
  });

  test("what runs already is left alone, with nothing written", async () => {
    const told = await story({ inputs: { image: "app:1", service: "app" } });
    expect(told.outcome).toBe("unchanged");
    expect(told.calls.filter((one) => /^(Create|Register|Update|Stop)/.test(one))).toEqual([]);
    expectHonest(told);
  });

  test("waits of the group are added to the timeout", async () => {
    const told = await story({
      inputs: { image: "app:2", service: "app", timeout: "5m" },
      arrange: arranged({ terminationWait: 30, readyWait: 10 }),
    });
    expect([told.outcome, serves(told)]).toEqual(["succeeded", "app:2"]);
    expect(told.took).toBeGreaterThan(40 * 60_000);
    expectHonest(told);
  }, 20_000);

  test("a canary's own pace is added too", async () => {
    const told = await story({
      inputs: { image: "app:2", service: "app", timeout: "4m" },
      arrange: arranged({ config: "CodeDeployDefault.ECSCanary10Percent15Minutes" }),
    });
    expect([told.outcome, serves(told)]).toEqual(["succeeded", "app:2"]);
    expect(told.log.join("\n")).toContain("10% of the traffic");
    expectHonest(told);
  });

  test("`on-pause: continue` continues a deployment that waits for somebody's word", async () => {
    const told = await story({
      inputs: { image: "app:2", service: "app", "on-pause": "continue" },
      arrange: arranged({ readyWait: 45 }),
    });
    expect(told.outcome).toBe("succeeded");
    expect(count(told, "ContinueDeployment")).toBe(1);
    expect(told.took).toBeLessThan(10 * 60_000);
    expectHonest(told);
  });

  test.each([
    ["image-not-found", "IMAGE_NOT_FOUND"],
    ["secret-denied", "SECRET_DENIED"],
  ] as const)("%s is given up within minutes, not after CodeDeploy's hour", async (kind, code) => {
    const told = await story({ arrange: arranged({}, {}, (aws) => aws.behave("app:2", { kind })) });
    expect([told.outcome, told.code, serves(told)]).toEqual(["rolled-back", code, "app:1"]);
    expect(told.took).toBeLessThan(8 * 60_000);
    expect(count(told, "StopDeployment")).toBe(1);
    expectHonest(told);
  });

  test("a crash on start, with its last lines", async () => {
    const told = await story({
      arrange: arranged({}, {}, (aws) =>
        aws.behave("app:2", { kind: "exits", code: 3, logs: ["no database, no life"] }),
      ),
    });
    expect([told.outcome, told.code, serves(told)]).toEqual(["rolled-back", "CONTAINER_EXITED", "app:1"]);
    expect(told.evidence.join("\n")).toContain("no database, no life");
    expectHonest(told);
  });

  test("a health check that fails goes back by a deployment of the old revision", async () => {
    const told = await story({
      inputs: {
        image: "app:2",
        service: "app",
        "health-check-url": "http://app.example/",
        "health-check-timeout": "20s",
      },
      answer: (aws) =>
        count(
          { calls: aws.calls.map(({ operation }) => operation) } as unknown as Told,
          "CreateDeployment",
        ) === 1
          ? 500
          : 200,
    });
    expect([told.outcome, told.code, serves(told)]).toEqual(["rolled-back", "HEALTH_CHECK_FAILED", "app:1"]);
    expect(count(told, "CreateDeployment")).toBe(2);
    expectHonest(told);
  });

  test("without rollback a failed deployment is left, and said so", async () => {
    const told = await story({
      inputs: { image: "app:2", service: "app", rollback: "false" },
      arrange: arranged({ autoRollback: [] }, {}, (aws) => aws.behave("app:2", { kind: "image-not-found" })),
    });
    expect([told.outcome, told.code]).toEqual(["failed", "IMAGE_NOT_FOUND"]);
    expect(count(told, "StopDeployment")).toBe(0);
    expectHonest(told);
  });

  test("a group that goes back by itself is watched, not sent back again", async () => {
    const told = await story({
      arrange: arranged({}, {}, (aws) =>
        aws.after({ operation: "GetDeployment", nth: 4 }, () => stopByHand(aws)),
      ),
    });
    expect([told.outcome, told.code, serves(told)]).toEqual(["rolled-back", "DEPLOYMENT_STOPPED", "app:1"]);
    expect(count(told, "StopDeployment")).toBe(0);
    expect(count(told, "CreateDeployment")).toBe(1);
    expectHonest(told);
  });

  test("a cancel stops the deployment and proves the old task set", async () => {
    const told = await story({ cancelAt: 40_000, arrange: arranged({ readyWait: 10 }) });
    expect([told.outcome, told.outputs["rolled-back"], serves(told)]).toEqual(["cancelled", "true", "app:1"]);
    expect(count(told, "StopDeployment")).toBe(1);
    expectHonest(told);
  });

  test("a deployment under way is waited for", async () => {
    const told = await story({ arrange: arranged({}, {}, someoneElse) });
    expect([told.outcome, serves(told)]).toEqual(["succeeded", "app:2"]);
    expect(told.log.join("\n")).toContain("waiting for CodeDeploy deployment d-");
    expectHonest(told);
  });

  test("`on-concurrent: fail` touches nothing", async () => {
    const told = await story({
      inputs: { image: "app:2", service: "app", "on-concurrent": "fail" },
      arrange: arranged({}, {}, someoneElse),
    });
    expect([told.outcome, told.code]).toEqual(["failed", "CONCURRENT"]);
    expect(count(told, "CreateDeployment") + count(told, "RegisterTaskDefinition")).toBe(0);
    expectHonest(told);
  });

  test("`on-concurrent: supersede` stops theirs first", async () => {
    const told = await story({
      inputs: { image: "app:2", service: "app", "on-concurrent": "supersede" },
      arrange: arranged({ readyWait: 20 }, {}, someoneElse),
    });
    expect([told.outcome, serves(told)]).toEqual(["succeeded", "app:2"]);
    expect(count(told, "StopDeployment")).toBe(1);
    expectHonest(told);
  }, 20_000);

  test("theirs, begun a moment before ours, is respected", async () => {
    const told = await story({
      arrange: arranged({}, {}, (aws) =>
        aws.before({ operation: "CreateDeployment", nth: 1 }, () => someoneElse(aws)),
      ),
    });
    expect(told.outcome).toBe("superseded");
    expect(count(told, "StopDeployment")).toBe(0);
    expectHonest(told);
  });

  test("a lost answer to CreateDeployment is found by its description, and created once", async () => {
    const told = await story({
      arrange: arranged({}, {}, (aws) => aws.fail("reset-after", { operation: "CreateDeployment", nth: 1 })),
    });
    expect([told.outcome, serves(told)]).toEqual(["succeeded", "app:2"]);
    expect(count(told, "CreateDeployment")).toBe(1);
    expectHonest(told);
  });

  test("a throttled CreateDeployment is sent again", async () => {
    const told = await story({
      arrange: arranged({}, {}, (aws) => aws.fail("throttle", { operation: "CreateDeployment", nth: 1 })),
    });
    expect([told.outcome, serves(told)]).toEqual(["succeeded", "app:2"]);
    expectHonest(told);
  });

  test("a denied CreateDeployment has touched nothing and names the action", async () => {
    const told = await story({ arrange: arranged({}, {}, (aws) => aws.deny("codedeploy:CreateDeployment")) });
    expect([told.outcome, told.code, serves(told)]).toEqual(["failed", "ACCESS_DENIED", "app:1"]);
    expect(told.message).toContain("codedeploy:CreateDeployment");
    expectHonest(told);
  });

  test("lifecycle events may be denied", async () => {
    const told = await story({
      arrange: arranged({}, {}, (aws) =>
        aws.deny("codedeploy:GetDeploymentTarget", "codedeploy:GetDeploymentConfig"),
      ),
    });
    expect(told.outcome).toBe("succeeded");
    expect(told.notices.filter((text) => text.includes("GetDeploymentTarget"))).toHaveLength(1);
    expectHonest(told);
  });

  test("a group that does not exist is one error before any write", async () => {
    const told = await story({
      arrange: (aws) => void aws.addService({ controller: "CODE_DEPLOY", targetGroup: "app" }),
    });
    expect([told.outcome, told.code]).toEqual(["failed", "BAD_INPUT"]);
    expect(told.message).toContain("DgpECS-default-app");
    expect(count(told, "RegisterTaskDefinition")).toBe(0);
  });

  test("what a deployment cannot change is refused", async () => {
    const told = await story({ inputs: { image: "app:2", service: "app", "desired-count": "4" } });
    expect([told.outcome, told.code]).toEqual(["failed", "BAD_INPUT"]);
    expect(told.message).toContain("`desired-count`");
    expectHonest(told);
  });

  test("capacity providers and platform version go into the appspec", async () => {
    const members = {
      capacityProviderStrategy: [{ capacityProvider: "FARGATE_SPOT", weight: 2, base: 1 }],
      platformVersion: "1.4.0",
    };
    const told = await story({ arrange: arranged({}, { members }) });
    expect(told.outcome).toBe("succeeded");
    const sent = told.aws.calls.find(({ operation }) => operation === "CreateDeployment")?.input as {
      revision: { appSpecContent: { content: string } };
    };
    expect(JSON.parse(sent.revision.appSpecContent.content)).toMatchObject({
      Resources: [
        {
          TargetService: {
            Properties: {
              PlatformVersion: "1.4.0",
              CapacityProviderStrategy: [{ CapacityProvider: "FARGATE_SPOT", Weight: 2, Base: 1 }],
              LoadBalancerInfo: { ContainerName: "app", ContainerPort: 3000 },
            },
          },
        },
      ],
    });
    expectHonest(told);
  });

  test("killed before every call, the post step proves the end", async () => {
    const whole = await story({});
    const total = whole.calls.length;
    for (let nth = 3; nth <= total; nth += 1) {
      const told = await story({ killBefore: nth });
      const note = `killed before call ${nth}, ${whole.calls[nth - 1]}: ${told.outcome} ${told.message}`;
      expect([note, told.aws.violations]).toEqual([note, []]);
      expect(`${note} -> ${count(told, "CreateDeployment") <= 2}`).toBe(`${note} -> true`);
      const proven = told.outcome === "post: proven" ? serves(told) : "red";
      expect(`${note} -> ${proven}`).toMatch(/-> (app:1|app:2|red)$/);
      const { deployments } = told.aws.service();
      if (told.outcome !== "post: failed")
        expect(`${note}: ${deployments.length} sets`).toContain(": 1 sets");
    }
  }, 60_000);
});

/** Somebody else's deployment of `app:9` through the same group. */
function someoneElse(aws: FakeAws): void {
  const registered = aws.ecs.operations["RegisterTaskDefinition"]?.({
    ...aws.service().definition.body,
    containerDefinitions: [
      { name: "app", image: "app:9", essential: true, portMappings: [{ containerPort: 3000 }] },
    ],
  }) as { taskDefinition: { taskDefinitionArn: string } };
  const content = JSON.stringify({
    version: 0,
    Resources: [
      {
        TargetService: {
          Type: "AWS::ECS::Service",
          Properties: {
            TaskDefinition: registered.taskDefinition.taskDefinitionArn,
            LoadBalancerInfo: { ContainerName: "app", ContainerPort: 3000 },
          },
        },
      },
    ],
  });
  void aws.call("codedeploy", "CreateDeployment", {
    applicationName: "AppECS-default-app",
    deploymentGroupName: "DgpECS-default-app",
    revision: { revisionType: "AppSpecContent", appSpecContent: { content } },
  });
  aws.calls.pop();
}

/** Somebody stops what runs, in the console. */
function stopByHand(aws: FakeAws): void {
  void aws
    .call("codedeploy", "ListDeployments", {
      applicationName: "AppECS-default-app",
      deploymentGroupName: "DgpECS-default-app",
    })
    .then(async ({ deployments }) => {
      aws.calls.pop();
      await aws.call("codedeploy", "StopDeployment", {
        deploymentId: (deployments as string[])[0],
        autoRollbackEnabled: true,
      });
      aws.calls.pop();
    });
}

import { describe, expect, test } from "@jest/globals";
import { arranged, count, expectHonest, serves, someoneElse, story } from "./codedeploy-story.ts";

describe("CODE_DEPLOY, with others about and things breaking", () => {
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

  test("a success of ours is none when another revision serves", async () => {
    const whole = await story({});
    const before = whole.calls.slice(0, whole.calls.indexOf("CreateDeployment"));
    const nth = before.filter((operation) => operation === "DescribeServices").length + 1;
    const told = await story({
      arrange: arranged({}, {}, (aws) =>
        aws.before({ operation: "DescribeServices", nth }, () => {
          const [primary] = aws.service().deployments.filter(({ status }) => status === "PRIMARY");
          const { definition } = aws.service().deployments[0]?.revision ?? {};
          if (!primary || !definition) throw new Error("nothing serves");
          const arn = definition.arn.replace(/:\d+$/, ":99");
          Object.assign(primary, { revision: { ...primary.revision, definition: { ...definition, arn } } });
        }),
      ),
    });
    expect([told.outcome, told.code]).toEqual(["superseded", "SUPERSEDED"]);
    expect(told.message).toContain("app:99");
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

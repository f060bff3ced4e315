import { describe, expect, test } from "@jest/globals";
import { arranged, count, expectHonest, serves, stopByHand, story } from "./codedeploy-story.ts";

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
        aws.calls.filter(({ operation }) => operation === "CreateDeployment").length === 1 ? 500 : 200,
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
});

import { expect, test } from "@jest/globals";
import { back, FILE, play, type Row, WITH } from "./timelines.ts";

/** Native blue/green, linear and canary deployments, and alarms. */
const ROWS: readonly Row[] = [
  {
    name: "blue/green: bakes are added to the budget",
    inputs: { ...FILE, timeout: "2m" },
    arrange: (aws) => aws.addService({ targetGroup: "web", deploymentConfiguration: WITH.blueGreen }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => {
      expect(told.log.join("\n")).toContain("waits 5 min: added to `timeout`");
      expect(told.took).toBeGreaterThan(300_000);
    },
  },
  {
    name: "blue/green: waits only until a stage",
    inputs: { ...FILE, "wait-until": "POST_TEST_TRAFFIC_SHIFT" },
    arrange: (aws) => aws.addService({ targetGroup: "web", deploymentConfiguration: WITH.blueGreen }),
    ends: ["succeeded", "", "app:2 IN_PROGRESS"],
    check: (told) => expect(told.took).toBeLessThan(120_000),
  },
  {
    name: "blue/green: a stage that is over before it was seen counts",
    inputs: { ...FILE, "wait-until": "PRE_SCALE_UP" },
    world: { timing: { stage: 10 } },
    arrange: (aws) => aws.addService({ targetGroup: "web", deploymentConfiguration: WITH.blueGreen }),
    ends: ["succeeded", "", "app:2 IN_PROGRESS"],
  },
  {
    name: "linear",
    arrange: (aws) => aws.addService({ targetGroup: "web", deploymentConfiguration: WITH.linear }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "canary",
    arrange: (aws) => aws.addService({ targetGroup: "web", deploymentConfiguration: WITH.canary }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => expect(told.log.join("\n")).toContain("10% of the traffic"),
  },
  {
    name: "alarms: the bake of a rolling deployment is waited for",
    arrange: (aws) => aws.addService({ deploymentConfiguration: WITH.alarms }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => expect(told.took).toBeGreaterThan(60_000),
  },
  {
    name: "an alarm fires: ECS goes back",
    arrange: (aws, time) => {
      aws.addService({ deploymentConfiguration: WITH.alarms });
      time.at(30_000, () => aws.ring("errors"));
    },
    ends: back("ROLLED_BACK_BY_ECS"),
    check: (told) => expect(told.message).toContain("alarm"),
  },
  {
    name: "blue/green: tasks that do not start: back without a shift of traffic",
    arrange: (aws) => {
      aws.addService({ targetGroup: "web", deploymentConfiguration: WITH.blueGreen });
      aws.behave("app:2", { kind: "exits", code: 1 });
    },
    ends: back("CONTAINER_EXITED"),
    check: (told) => expect(told.calls).toContain("StopServiceDeployment"),
  },
  {
    name: "blue/green: a pause hook ends a run that does not wait for it",
    arrange: (aws) =>
      aws.addService({ targetGroup: "web", deploymentConfiguration: paused("POST_TEST_TRAFFIC_SHIFT") }),
    ends: back("PAUSED"),
    check: (told) => expect(told.message).toMatch(/paused at POST_TEST_TRAFFIC_SHIFT by hook .*expires at/),
  },
  {
    name: "blue/green: a pause hook is waited for until someone continues",
    inputs: { ...FILE, "on-pause": "wait" },
    arrange: (aws, time) => {
      aws.addService({ targetGroup: "web", deploymentConfiguration: paused("POST_TEST_TRAFFIC_SHIFT") });
      time.at(120_000, () => {
        const [rollout] = aws.service().rollouts;
        const hookId = rollout?.hooks.find((hook) => hook["status"] === "AWAITING_ACTION")?.["hookId"];
        void aws.call("ecs", "ContinueServiceDeployment", {
          serviceDeploymentArn: rollout?.arn,
          hookId,
          action: "CONTINUE",
        });
      });
    },
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "canary: every pause is continued",
    inputs: { ...FILE, "on-pause": "continue" },
    arrange: (aws) =>
      aws.addService({
        targetGroup: "web",
        deploymentConfiguration: { ...paused("PRE_PRODUCTION_TRAFFIC_SHIFT"), ...WITH.canary },
      }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) =>
      expect(told.calls.filter((one) => one === "ContinueServiceDeployment").length).toBeGreaterThan(0),
  },
  {
    name: "blue/green: cancelled in the bake: traffic is back at once",
    cancelAt: 60_000,
    arrange: (aws) => aws.addService({ targetGroup: "web", deploymentConfiguration: WITH.blueGreen }),
    ends: ["cancelled", "CANCELLED", "app:1 COMPLETED"],
    check: (told) => expect(told.outputs["rolled-back"]).toBe("true"),
  },
];

function paused(stage: string): Record<string, unknown> {
  return {
    ...WITH.blueGreen,
    lifecycleHooks: [
      {
        targetType: "PAUSE",
        lifecycleStages: [stage],
        timeoutConfiguration: { timeoutInMinutes: 60, action: "ROLLBACK" },
      },
    ],
  };
}

test.each(ROWS)("$name", play);

import type { FakeAws } from "../../../../lib/testing/fake-ecs/world.ts";
import { type Story, truth } from "../story.ts";

/** One feature of the action: runs that need its policy, on top of those of `with`. */
export interface Feature {
  /** File in docs/iam/deploy-ecs. */
  readonly name: string;
  readonly with: readonly string[];
  readonly runs: readonly Run[];
}

/** A run and how it ends when the policies suffice. */
export interface Run extends Story {
  readonly ends: string;
}

const SCHEDULED = "arn:aws:ecs:eu-west-1:123456789012:task-definition/app:1";
const EVENTS_ROLE = "arn:aws:iam::123456789012:role/app";
const PAUSED = { targetType: "PAUSE", lifecycleStages: ["POST_TEST_TRAFFIC_SHIFT"] };

/** What the tagged service carries, so that its revisions are tagged as well. */
const tagged = (aws: FakeAws) => {
  aws.addService();
  const [definition] = aws.ecs.state.families.get("app") ?? [];
  if (definition) Object.assign(definition, { tags: [{ key: "team", value: "shop" }] });
};

const crashing = (setup: Parameters<FakeAws["addService"]>[0] = {}) => {
  return (aws: FakeAws) => {
    aws.addService(setup);
    aws.behave("app:2", { kind: "exits", code: 3, logs: ["no database"] });
  };
};

/** Every feature with a policy of its own. */
export const FEATURES: readonly Feature[] = [
  {
    name: "deploy",
    with: [],
    runs: [
      { ends: "succeeded" },
      { ends: "succeeded", arrange: tagged },
      { ends: "rolled-back", arrange: crashing() },
    ],
  },
  {
    name: "service-deployments",
    with: ["deploy"],
    runs: [
      { ends: "succeeded" },
      { ends: "rolled-back", arrange: crashing() },
      {
        ends: "succeeded",
        inputs: { service: "app", image: "app:2", "on-pause": "continue" },
        arrange: (aws) => {
          const lifecycleHooks = [PAUSED];
          aws.addService({
            deploymentConfiguration: { strategy: "BLUE_GREEN", bakeTimeInMinutes: 0, lifecycleHooks },
          });
        },
      },
    ],
  },
  {
    name: "logs",
    with: ["deploy"],
    runs: [{ ends: "rolled-back", arrange: crashing() }],
  },
  {
    name: "target-health",
    with: ["deploy"],
    runs: [
      {
        ends: "succeeded",
        inputs: { service: "app", image: "app:2", "health-check-url": "http://app.test/" },
        arrange: (aws) => void aws.addService({ targetGroup: "app" }),
      },
      {
        ends: "rolled-back",
        arrange: (aws) => {
          aws.addService({ targetGroup: "app" });
          aws.behave("app:2", { kind: "target-unhealthy" });
        },
      },
    ],
  },
  {
    name: "task",
    with: ["deploy", "logs"],
    runs: [
      { ends: "succeeded", inputs: { service: "app", image: "app:2", "run-task": "true" } },
      {
        ends: "failed",
        inputs: { service: "app", image: "app:2", "run-task": "true", "run-task-timeout": "1m" },
        arrange: (aws) => {
          aws.addService();
          aws.behave("app:2", { kind: "good" }, "task");
        },
      },
    ],
  },
  {
    name: "codedeploy",
    with: ["deploy"],
    runs: [
      {
        ends: "succeeded",
        arrange: (aws) => {
          aws.addService({ controller: "CODE_DEPLOY", targetGroup: "app" });
          aws.addDeploymentGroup("app", { config: "CodeDeployDefault.ECSCanary10Percent5Minutes" });
        },
      },
      {
        ends: "succeeded",
        inputs: { service: "app", image: "app:2", "on-pause": "continue" },
        arrange: (aws) => {
          aws.addService({ controller: "CODE_DEPLOY", targetGroup: "app" });
          aws.addDeploymentGroup("app", { readyWait: 10, readyAction: "STOP_DEPLOYMENT" });
        },
      },
      {
        ends: "rolled-back",
        arrange: (aws) => {
          aws.addService({ controller: "CODE_DEPLOY", targetGroup: "app" });
          aws.addDeploymentGroup("app");
          aws.behave("app:2", { kind: "exits", code: 3 });
        },
      },
    ],
  },
  {
    name: "schedules",
    with: ["deploy"],
    runs: [
      {
        ends: "succeeded",
        inputs: { service: "app", image: "app:2", schedules: "nightly\nweekly" },
        arrange: (aws) => {
          aws.addService();
          const EcsParameters = { TaskDefinitionArn: SCHEDULED, TaskCount: 1 };
          const cluster = "arn:aws:ecs:eu-west-1:123456789012:cluster/default";
          const target = { Arn: cluster, RoleArn: EVENTS_ROLE, EcsParameters };
          aws.schedules.addRule("nightly", [{ Id: "1", ...target }]);
          aws.schedules.addSchedule("weekly", { Target: target });
        },
      },
    ],
  },
  {
    name: "prune",
    with: ["deploy"],
    runs: [
      {
        ends: "succeeded",
        inputs: { service: "app", image: "app:9", "keep-revisions": "1" },
        arrange: (aws) => {
          aws.addService();
          for (const nth of [2, 3, 4]) aws.deploy("app", `app:${nth}`);
          aws.advance(600_000);
          if (truth(aws) !== "app:4 COMPLETED") throw new Error(`the world is not ready: ${truth(aws)}`);
        },
      },
    ],
  },
];

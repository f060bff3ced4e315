import { expect, test } from "@jest/globals";
import { FILE, play, type Row, WITH, writes } from "./timelines.ts";

/** Timelines of versions that are good. */
const ROWS: readonly Row[] = [
  {
    name: "a rolling deployment completes",
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => {
      expect(writes(told)).toEqual(["RegisterTaskDefinition", "UpdateService"]);
      expect(told.outputs["changed"]).toBe("true");
      expect(told.outputs["deployment-id"]).toMatch(/^ecs-svc\//);
      expect(told.outputs["service-deployment-arn"]).toContain(":service-deployment/");
      expect(told.outputs["image-digests"]).toMatch(/^\{"app":"sha256:/);
    },
  },
  {
    name: "nothing to change: two calls and no write",
    inputs: { service: "app", image: "app:1" },
    ends: ["unchanged", "", "app:1 COMPLETED"],
    check: (told) => {
      expect(told.calls).toEqual(["DescribeServices", "DescribeTaskDefinition"]);
      expect(told.outputs["changed"]).toBe("false");
    },
  },
  {
    name: "a dry run reads only",
    inputs: { ...FILE, "dry-run": "true" },
    ends: ["planned", "", "app:1 COMPLETED"],
    check: (told) => expect(writes(told)).toEqual([]),
  },
  {
    name: "a forced deployment of the same revision registers nothing",
    inputs: { service: "app", "force-new-deployment": "true" },
    ends: ["succeeded", "", "app:1 COMPLETED"],
    check: (told) => expect(writes(told)).toEqual(["UpdateService"]),
  },
  {
    name: "a new count alone starts no deployment",
    inputs: { service: "app", "desired-count": "4" },
    ends: ["succeeded", "", "app:1 COMPLETED"],
    check: (told) => {
      expect(writes(told)).toEqual(["UpdateService"]);
      expect(told.aws.service().desired).toBe(4);
    },
  },
  {
    name: "a new count together with a new version",
    inputs: { ...FILE, "desired-count": "3" },
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => expect(told.aws.service().desired).toBe(3),
  },
  {
    name: "tags alone start no deployment",
    inputs: { service: "app", "propagate-tags": "SERVICE" },
    ends: ["succeeded", "", "app:1 COMPLETED"],
  },
  {
    name: "not waited for",
    inputs: { ...FILE, "wait-for-service-stability": "false" },
    ends: ["succeeded", "", "app:2 IN_PROGRESS"],
    check: (told) => expect(told.calls.at(-1)).toBe("UpdateService"),
  },
  {
    name: "a slow deployment completes",
    arrange: (aws) => aws.behave("app:2", { kind: "good", healthyAfterMs: 600_000 }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "one failing task at the start is tolerated",
    arrange: (aws) =>
      aws.behave("app:2", { kind: "sequence", of: [{ kind: "exits", code: 1 }, { kind: "good" }] }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "spot interruptions are not counted",
    inputs: { ...FILE, "failure-budget": "1" },
    arrange: (aws) =>
      aws.behave("app:2", {
        kind: "sequence",
        of: [
          { kind: "interrupted", afterMs: 2000 },
          { kind: "interrupted", afterMs: 2000 },
          { kind: "good" },
        ],
      }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "a deployment that has no rolloutState is judged by its counts",
    arrange: (aws) => aws.addService({ showRolloutState: false }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "a service that was never deployed before",
    arrange: (aws) => {
      aws.addService({ image: "app:0", deployed: false });
      aws.behave("app:0", { kind: "exits", code: 1 });
    },
    inputs: { ...FILE, "on-concurrent": "supersede" },
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "a deployment of the wanted revision that failed is forced anew",
    inputs: { service: "app", image: "app:9" },
    arrange: (aws, time) => {
      aws.addService({ deploymentConfiguration: WITH.breakerStays });
      aws.behave("app:9", { kind: "exits", code: 1 });
      aws.deploy("app", "app:9");
      time.time += 600_000;
      aws.time.catchUp();
      aws.behave("app:9", { kind: "good" });
    },
    ends: ["succeeded", "", "app:9 COMPLETED"],
    check: (told) => expect(writes(told)).toEqual(["UpdateService"]),
  },
  {
    name: "a revision is deployed as it is",
    inputs: { service: "app", "task-definition": "app:1" },
    arrange: (aws) => {
      aws.addService();
      aws.deploy("app", "app:9");
    },
    ends: ["succeeded", "", "app:1 COMPLETED"],
    check: (told) => expect(writes(told)).toEqual(["UpdateService"]),
  },
  {
    name: "a desired count of 0 succeeds with a warning that nothing was started",
    arrange: (aws) => aws.addService({ desired: 0 }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) =>
      expect(told.log.join("\n")).toContain(
        "warning: service app on cluster default has a desired count of 0",
      ),
  },
  {
    name: "a desired count of 0 with a health check is refused before anything is written",
    inputs: { ...FILE, "health-check-url": "http://app.example" },
    arrange: (aws) => aws.addService({ desired: 0 }),
    ends: ["failed", "HEALTH_CHECK_FAILED", "app:1 COMPLETED"],
    check: (told) => expect(writes(told)).toEqual([]),
  },
  {
    name: "scaled out while it is deployed: the deployment's own count decides",
    arrange: (aws) => {
      aws.addService();
      aws.after(
        { operation: "DescribeServices", nth: 4 },
        () => void aws.call("ecs", "UpdateService", { service: "app", desiredCount: 5 }),
      );
    },
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) =>
      expect(told.aws.service().tasks.filter(({ lastStatus }) => lastStatus === "RUNNING")).toHaveLength(5),
  },
  {
    name: "behind a load balancer the targets of the new tasks are looked at",
    arrange: (aws) => aws.addService({ targetGroup: "web" }),
    inputs: { ...FILE, "health-check-url": "http://app.example" },
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => {
      expect(told.calls).toContain("DescribeTargetHealth");
      expect(told.outputs["health-status"]).toBe("200");
    },
  },
];

test.each(ROWS)("$name", play);

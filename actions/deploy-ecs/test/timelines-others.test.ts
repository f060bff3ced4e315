import { expect, test } from "@jest/globals";
import { FILE, play, type Row, writes } from "./timelines.ts";

/** Somebody else deploys, or somebody cancels. */
const ROWS: readonly Row[] = [
  {
    name: "another deployment in progress is waited for, until whoever follows it has seen its end",
    arrange: (aws) => {
      aws.addService();
      aws.deploy("app", "app:9");
    },
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => {
      expect(told.outputs["previous-task-definition-arn"]).toMatch(/app:2$/);
      expect(told.log.join("\n")).toContain("app:2, which has just ended");
    },
  },
  {
    name: "another deployment in progress is superseded when that is asked for",
    inputs: { ...FILE, "on-concurrent": "supersede" },
    arrange: (aws) => {
      aws.addService();
      aws.deploy("app", "app:9");
    },
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "another deployment in progress ends a run that does not wait",
    inputs: { ...FILE, "on-concurrent": "fail" },
    arrange: (aws) => {
      aws.addService();
      aws.deploy("app", "app:9");
    },
    ends: ["failed", "CONCURRENT", "app:9 IN_PROGRESS"],
    check: (told) => expect(writes(told)).toEqual([]),
  },
  {
    name: "another deployment that never ends is waited for no longer than `timeout`",
    inputs: { ...FILE, timeout: "5m" },
    arrange: (aws) => {
      aws.addService();
      aws.behave("app:9", { kind: "stuck" });
      aws.deploy("app", "app:9");
    },
    ends: ["failed", "CONCURRENT", "app:9 IN_PROGRESS"],
    check: (told) => expect(writes(told)).toEqual([]),
  },
  {
    name: "someone else's deployment of the same image is waited for: nothing left to do",
    inputs: { service: "app", image: "app:9" },
    arrange: (aws) => {
      aws.addService();
      aws.deploy("app", "app:9");
    },
    ends: ["unchanged", "", "app:9 COMPLETED"],
    check: (told) => expect(writes(told)).toEqual([]),
  },
  {
    name: "another deployment while ours is followed: superseded, not touched",
    arrange: (aws, time) => {
      aws.addService();
      time.at(6000, () => void aws.deploy("app", "app:9"));
    },
    ends: ["superseded", "SUPERSEDED", "app:9 IN_PROGRESS"],
    check: (told) => {
      expect(told.message).toContain("app:3");
      expect(writes(told)).toEqual(["RegisterTaskDefinition", "UpdateService"]);
    },
  },
  {
    name: "someone sets the old version back by hand: that is not ECS's own rollback",
    arrange: (aws, time) => {
      aws.addService();
      aws.behave("app:2", { kind: "stuck" });
      time.at(
        20_000,
        () => void aws.call("ecs", "UpdateService", { service: "app", taskDefinition: "app:1" }),
      );
    },
    ends: ["superseded", "SUPERSEDED", "app:1 IN_PROGRESS"],
  },
  {
    name: "another deployment right before our UpdateService is seen: nothing was touched",
    arrange: (aws) => {
      aws.addService();
      aws.after({ operation: "RegisterTaskDefinition" }, () => void aws.deploy("app", "app:9"));
    },
    ends: ["superseded", "SUPERSEDED", "app:9 IN_PROGRESS"],
    check: (told) => expect(writes(told)).toEqual(["RegisterTaskDefinition"]),
  },
  {
    name: "another deployment in the very moment of our UpdateService is put back",
    arrange: (aws) => {
      aws.addService();
      aws.before({ operation: "UpdateService" }, () => void aws.deploy("app", "app:9"));
    },
    ends: ["superseded", "SUPERSEDED", "app:9 IN_PROGRESS"],
  },
  {
    name: "another deployment before we go back is seen: nothing more is sent",
    arrange: (aws) => {
      aws.addService();
      aws.behave("app:2", { kind: "image-not-found" });
      aws.after({ operation: "DescribeTasks", nth: 2 }, () => void aws.deploy("app", "app:9"));
    },
    ends: ["superseded", "IMAGE_NOT_FOUND", "app:9 IN_PROGRESS"],
    check: (told) => expect(writes(told)).toEqual(["RegisterTaskDefinition", "UpdateService"]),
  },
  {
    name: "another deployment while we go back: not touched",
    arrange: (aws) => {
      aws.addService();
      aws.behave("app:2", { kind: "exits", code: 1 });
      aws.before({ operation: "DescribeServiceRevisions" }, () => void aws.deploy("app", "app:9"));
    },
    ends: ["superseded", "CONTAINER_EXITED", "app:9 IN_PROGRESS"],
  },
  {
    name: "someone deletes the service",
    arrange: (aws, time) => {
      aws.addService();
      aws.behave("app:2", { kind: "stuck" });
      time.at(20_000, () => {
        aws.service().status = "DRAINING";
      });
    },
    ends: ["superseded", "SUPERSEDED", "app:2 IN_PROGRESS"],
  },
  {
    name: "cancelled as UpdateService's answer is lost and reads are stale: what landed is taken back",
    cancelAfter: (aws) => aws.calls.at(-1)?.operation === "UpdateService",
    arrange: (aws) => {
      aws.addService();
      aws.staleReads({ forMs: 20_000, as: "before" });
      aws.fail("reset-after", { operation: "UpdateService", nth: 1 });
    },
    ends: ["cancelled", "CANCELLED", "app:1 COMPLETED"],
    check: (told) => expect(told.outputs["rolled-back"]).toBe("true"),
  },
  {
    name: "cancelled while it is deployed",
    cancelAt: 6000,
    ends: ["cancelled", "CANCELLED", "app:1 COMPLETED"],
    check: (told) => expect(told.outputs["rolled-back"]).toBe("true"),
  },
  {
    name: "cancelled while it is deployed, to be left as it is",
    cancelAt: 6000,
    inputs: { ...FILE, "on-cancel": "leave" },
    ends: ["cancelled", "CANCELLED", "app:2 IN_PROGRESS"],
  },
];

test.each(ROWS)("$name", play);

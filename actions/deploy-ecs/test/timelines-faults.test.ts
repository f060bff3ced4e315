import { expect, test } from "@jest/globals";
import { back, FILE, play, type Row, WITH, writes } from "./timelines.ts";

/** Reads that lie, clocks that differ, permissions that are missing, answers that are lost. */
const ROWS: readonly Row[] = [
  {
    name: "reads are stale for 30 s after UpdateService",
    arrange: (aws) => aws.staleReads({ forMs: 30_000, as: "before" }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "the service is MISSING for 30 s after UpdateService",
    arrange: (aws) => aws.staleReads({ forMs: 30_000, as: "missing" }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "the service is not in the answer for 30 s after UpdateService",
    arrange: (aws) => aws.staleReads({ forMs: 30_000, as: "empty" }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "the runner's clock is 10 min late",
    skew: -600_000,
    arrange: (aws) => aws.addService({ deploymentConfiguration: WITH.breaker }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "the runner's clock is 10 min early",
    skew: 600_000,
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "the load balancer may not be asked: one notice",
    arrange: (aws) => {
      aws.addService({ targetGroup: "web" });
      aws.deny("elasticloadbalancing:DescribeTargetHealth");
    },
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => expect(told.notices).toHaveLength(1),
  },
  {
    name: "the load balancer's API is out: ECS's word has to do, and nothing good is taken back",
    arrange: (aws) => aws.addService({ targetGroup: "web" }),
    retold: (operation, answer) => {
      if (operation !== "DescribeTargetHealth") return answer;
      throw Object.assign(new Error("out"), { $metadata: { httpStatusCode: 503 } });
    },
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "with the base policy alone each denied call costs one notice",
    arrange: (aws) => {
      aws.addService();
      aws.deny(
        "ecs:ListServiceDeployments",
        "ecs:DescribeServiceDeployments",
        "ecs:DescribeServiceRevisions",
        "ecs:StopServiceDeployment",
      );
    },
    ends: ["succeeded", "", "app:2 COMPLETED"],
    check: (told) => expect(told.notices).toHaveLength(1),
  },
  {
    name: "StopServiceDeployment denied: back by UpdateService, one notice",
    arrange: (aws) => {
      aws.behave("app:2", { kind: "exits", code: 1 });
      aws.deny("ecs:StopServiceDeployment");
    },
    ends: back("CONTAINER_EXITED"),
    check: (told) => {
      expect(told.notices).toHaveLength(1);
      expect(writes(told).at(-1)).toBe("UpdateService");
    },
  },
  {
    name: "credentials end while ours is followed: at once, not at the end of the budget",
    arrange: (aws) => {
      aws.addService();
      aws.fail("expired-token", { operation: "DescribeServices", from: 5 });
    },
    ends: ["rollback-failed", "CREDENTIALS_EXPIRED", "app:2 IN_PROGRESS"],
    check: (told) => expect(told.took).toBeLessThan(30_000),
  },
  {
    name: "UpdateService's answer is lost and the version fails",
    arrange: (aws) => {
      aws.behave("app:2", { kind: "exits", code: 1 });
      aws.fail("reset-after", { operation: "UpdateService", nth: 1 });
    },
    ends: back("CONTAINER_EXITED"),
  },
  {
    name: "UpdateService never arrives: untouched, after a while of looking",
    arrange: (aws) => aws.fail("reset-before", { operation: "UpdateService", nth: 1 }),
    ends: ["failed", "REMOTE_FAILED", "app:1 COMPLETED"],
    check: (told) => {
      expect(told.outputs["changed"]).toBe("false");
      expect(told.took).toBeGreaterThan(30_000);
    },
  },
  {
    name: "UpdateService denied: nothing was changed, and the missing action is named",
    arrange: (aws) => aws.deny("ecs:UpdateService"),
    ends: ["failed", "ACCESS_DENIED", "app:1 COMPLETED"],
    check: (told) => expect(told.message).toContain("ecs:UpdateService"),
  },
  {
    name: "looks denied while ours is followed: at once, and back",
    arrange: (aws) => aws.fail("denied", { operation: "DescribeServices", nth: 5 }),
    ends: back("ACCESS_DENIED"),
    check: (told) => expect(told.took).toBeLessThan(60_000),
  },
  {
    name: "a storm of throttles",
    world: { seed: 7 },
    arrange: (aws) => {
      aws.addService();
      aws.behave("app:2", { kind: "exits", code: 1 });
      aws.fail("throttle", { probability: 0.4 });
    },
    ends: back("CONTAINER_EXITED"),
  },
  {
    name: "stale reads while the version fails",
    arrange: (aws) => {
      aws.addService();
      aws.behave("app:2", { kind: "image-not-found" });
      aws.staleReads({ forMs: 30_000, as: "before" });
    },
    ends: back("IMAGE_NOT_FOUND"),
  },
  {
    name: "a field that AWS does not know is lost: nothing was deployed",
    inputs: { ...FILE, "task-definition-patch": '{"quantumLimits":{"qubits":3}}' },
    world: { allowUnknown: ["RegisterTaskDefinition"] },
    arrange: (aws) => {
      aws.addService();
      aws.ecs.state.lostFields.push("quantumLimits");
    },
    ends: ["failed", "FIELDS_LOST", "app:1 COMPLETED"],
    check: (told) => {
      expect(told.message).toContain("$.quantumLimits");
      expect(writes(told)).toEqual(["RegisterTaskDefinition"]);
      expect(told.outputs["changed"]).toBe("false");
    },
  },
  {
    name: "no such service, and no such container: one error",
    inputs: { service: "shop", image: "app:2" },
    ends: ["failed", "BAD_INPUT", "app:1 COMPLETED"],
    check: (told) => expect(told.message).toContain("no such service in the cluster `default`"),
  },
  {
    name: "an EXTERNAL controller is refused",
    arrange: (aws) => aws.addService({ controller: "EXTERNAL" }),
    ends: ["failed", "BAD_INPUT", "undefined without a state"],
    check: (told) => expect(told.message).toContain("EXTERNAL"),
  },
];

test.each(ROWS)("$name", play);

import { expect, test } from "@jest/globals";
import { sampleDefinition } from "../../../lib/testing/fake-ecs/set-up.ts";
import { back, FILE, play, type Row, URL_CHECKED, WITH, writes } from "./timelines.ts";

/** Versions that fail. */
const ROWS: readonly Row[] = [
  {
    name: "image not found: given up at the second task",
    arrange: (aws) => aws.behave("app:2", { kind: "image-not-found" }),
    ends: back("IMAGE_NOT_FOUND"),
    check: (told) => {
      expect(told.outputs["rolled-back"]).toBe("true");
      expect(told.outputs["rollback-task-definition-arn"]).toMatch(/app:1$/);
      expect(Number(told.outputs["rollback-seconds"])).toBeGreaterThan(0);
      expect(told.calls).toContain("StopServiceDeployment");
    },
  },
  {
    name: "image denied",
    arrange: (aws) => aws.behave("app:2", { kind: "image-denied" }),
    ends: back("IMAGE_DENIED"),
  },
  {
    name: "secret not found",
    arrange: (aws) => aws.behave("app:2", { kind: "secret-not-found" }),
    ends: back("SECRET_DENIED"),
  },
  {
    name: "secret denied",
    arrange: (aws) => aws.behave("app:2", { kind: "secret-denied" }),
    ends: back("SECRET_DENIED"),
  },
  {
    name: "exit code 1, with the last lines of the log",
    arrange: (aws) => aws.behave("app:2", { kind: "exits", code: 1, logs: ["no database"] }),
    ends: back("CONTAINER_EXITED"),
    check: (told) => expect(told.evidence.join("\n")).toContain("no database"),
  },
  {
    name: "flapping tasks, which ECS does not count, end in our own budget",
    arrange: (aws) => aws.behave("app:2", { kind: "exits", code: 3, afterMs: 2000 }),
    ends: back("CONTAINER_EXITED"),
  },
  {
    name: "out of memory",
    arrange: (aws) => aws.behave("app:2", { kind: "out-of-memory" }),
    ends: back("OUT_OF_MEMORY"),
  },
  {
    name: "a container that is not healthy",
    arrange: (aws) => {
      aws.addService({ taskDefinition: withHealthCheck() });
      aws.behave("app:2", { kind: "container-unhealthy" });
    },
    ends: back("CONTAINER_UNHEALTHY"),
  },
  {
    name: "a target that is not healthy",
    arrange: (aws) => {
      aws.addService({ targetGroup: "web" });
      aws.behave("app:2", { kind: "target-unhealthy" });
    },
    ends: back("TARGET_UNHEALTHY"),
  },
  {
    name: "no capacity is the last word when time is up",
    inputs: { ...FILE, timeout: "3m" },
    arrange: (aws) => aws.behave("app:2", { kind: "no-capacity" }),
    ends: back("NO_CAPACITY"),
  },
  {
    name: "no capacity for a while",
    arrange: (aws) => aws.behave("app:2", { kind: "no-capacity", forMs: 120_000 }),
    ends: ["succeeded", "", "app:2 COMPLETED"],
  },
  {
    name: "stuck until time is up",
    inputs: { ...FILE, timeout: "2m" },
    arrange: (aws) => aws.behave("app:2", { kind: "stuck" }),
    ends: back("TIMED_OUT"),
  },
  {
    name: "time is up with the rollback off",
    inputs: { ...FILE, timeout: "2m", rollback: "false" },
    arrange: (aws) => aws.behave("app:2", { kind: "stuck" }),
    ends: ["timed-out", "TIMED_OUT", "app:2 IN_PROGRESS"],
  },
  {
    name: "the circuit breaker goes back: the task's own cause wins",
    inputs: { ...FILE, "failure-budget": "100" },
    arrange: (aws) => {
      aws.addService({ deploymentConfiguration: WITH.breaker });
      aws.behave("app:2", { kind: "exits", code: 1 });
    },
    ends: back("CONTAINER_EXITED"),
    check: (told) => {
      expect(told.message).toContain("went back by itself");
      expect(writes(told)).toEqual(["RegisterTaskDefinition", "UpdateService"]);
    },
  },
  {
    name: "the circuit breaker goes back and tasks may not be read",
    arrange: (aws) => {
      aws.addService({ deploymentConfiguration: WITH.breaker });
      aws.behave("app:2", { kind: "exits", code: 1 });
      aws.deny("ecs:ListTasks");
    },
    inputs: { ...FILE, "failure-budget": "100" },
    ends: back("ROLLED_BACK_BY_ECS"),
  },
  {
    name: "the circuit breaker stays: we go back",
    inputs: { ...FILE, "failure-budget": "100" },
    arrange: (aws) => {
      aws.addService({ deploymentConfiguration: WITH.breakerStays });
      aws.behave("app:2", { kind: "exits", code: 1 });
    },
    ends: back("CONTAINER_EXITED"),
    check: (told) => expect(writes(told).at(-1)).toBe("UpdateService"),
  },
  {
    name: "no circuit breaker, tasks may not be read: ECS's own count has to do",
    arrange: (aws) => {
      aws.behave("app:2", { kind: "exits", code: 1 });
      aws.deny("ecs:ListTasks");
    },
    ends: back("TASKS_FAILED"),
  },
  {
    name: "the service's URL is not healthy",
    inputs: URL_CHECKED,
    answer: (aws) => (aws.service().definition.revision === 2 ? 500 : 200),
    ends: back("HEALTH_CHECK_FAILED"),
    check: (told) => expect(told.calls).not.toContain("StopServiceDeployment"),
  },
  {
    name: "neither version answers",
    inputs: URL_CHECKED,
    answer: () => 0,
    ends: ["rollback-failed", "HEALTH_CHECK_FAILED", "app:1 COMPLETED"],
  },
  {
    name: "the rollback is off",
    inputs: { ...FILE, rollback: "false" },
    arrange: (aws) => aws.behave("app:2", { kind: "exits", code: 1 }),
    ends: ["failed", "CONTAINER_EXITED", "app:2 IN_PROGRESS"],
  },
  {
    name: "the old version does not start again",
    arrange: (aws, time) => {
      aws.behave("app:2", { kind: "exits", code: 1 });
      time.at(20_000, () => aws.behave("app:1", { kind: "exits", code: 1 }));
      aws.addService({ deploymentConfiguration: { minimumHealthyPercent: 0, maximumPercent: 100 } });
    },
    inputs: { ...FILE, "rollback-timeout": "3m" },
    ends: ["rollback-failed", "CONTAINER_EXITED", "app:1 IN_PROGRESS"],
  },
  {
    name: "a first deployment that fails has nothing to go back to",
    inputs: { ...FILE, "on-concurrent": "supersede" },
    arrange: (aws) => {
      aws.addService({ image: "app:0", deployed: false });
      aws.behave("app:0", { kind: "exits", code: 1 });
      aws.behave("app:2", { kind: "exits", code: 1 });
    },
    ends: ["failed", "CONTAINER_EXITED", "app:0 IN_PROGRESS"],
    check: (told) => expect(told.message).toContain("nothing on service app"),
  },
  {
    name: "a changed count is put back too",
    inputs: { ...FILE, "desired-count": "5" },
    arrange: (aws) => aws.behave("app:2", { kind: "exits", code: 1 }),
    ends: back("CONTAINER_EXITED"),
    check: (told) => expect(told.aws.service().desired).toBe(2),
  },
  {
    name: "a new count alone that cannot be reached is put back",
    inputs: { service: "app", "desired-count": "5", timeout: "2m" },
    arrange: (aws, time) => {
      aws.addService();
      time.at(1, () => aws.behave("app:1", { kind: "stuck" }));
    },
    ends: back("TIMED_OUT"),
    check: (told) => expect(told.aws.service().desired).toBe(2),
  },
  {
    name: "scaled to zero under a health check",
    inputs: URL_CHECKED,
    arrange: (aws, time) => {
      aws.addService();
      time.at(8000, () => void aws.call("ecs", "UpdateService", { service: "app", desiredCount: 0 }));
    },
    ends: back("HEALTH_CHECK_FAILED"),
  },
];

function withHealthCheck(): Record<string, unknown> {
  const definition = sampleDefinition("app", "app:1");
  const containers = definition["containerDefinitions"] as Record<string, unknown>[];
  const healthCheck = { command: ["CMD-SHELL", "true"] };
  return { ...definition, containerDefinitions: containers.map((one) => ({ ...one, healthCheck })) };
}

test.each(ROWS)("$name", play);

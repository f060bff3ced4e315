import { describe, expect, test } from "@jest/globals";
import type { EcsTask } from "../src/api/ecs-types.ts";
import { eventCause } from "../src/diagnose/service-events.ts";
import { stopCause } from "../src/diagnose/stop-reasons.ts";

const ECR = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop";
const PULL = "CannotPullContainerError: pull image manifest has been retried 5 time(s): ";

const stopped = (task: Partial<EcsTask>): EcsTask => ({ lastStatus: "STOPPED", ...task });

describe("why a task ended", () => {
  test.each([
    [
      {
        stopCode: "ServiceSchedulerInitiated",
        stoppedReason: "Scaling activity initiated by (deployment ecs-svc/1)",
      },
    ],
    [
      {
        stopCode: "ServiceSchedulerInitiated",
        stoppedReason: "Amazon ECS service availability zone rebalancing",
      },
    ],
    [{ stopCode: "SpotInterruption", stoppedReason: "Your Spot Task was interrupted." }],
    [{ stopCode: "TerminationNotice", stoppedReason: "Host EC2 (instance i-1) terminated." }],
    [{ stopCode: "InfrastructureHealth", stoppedReason: "Instance failed its health checks" }],
    [{ stopCode: "UserInitiated", stoppedReason: "Task stopped by user" }],
    [{ lastStatus: "RUNNING", stopCode: "", containers: [{ exitCode: 1 }] }],
  ])("%j is nobody's fault", (task) => {
    expect(stopCause(stopped(task))).toBeUndefined();
  });

  const exits = "Essential container in task exited";
  test.each([
    ["one container", [{ name: "app", exitCode: 1 }], "container app exited with code 1"],
    [
      "a sidecar is killed after it",
      [
        { name: "proxy", exitCode: 137 },
        { name: "app", exitCode: 3 },
      ],
      "container app exited with code 3",
    ],
    [
      "a sidecar ends in order after it",
      [
        { name: "proxy", exitCode: 0 },
        { name: "app", exitCode: 2 },
      ],
      "container app exited with code 2",
    ],
    [
      "an init container that ended well",
      [
        { name: "init", exitCode: 0 },
        { name: "app", exitCode: 139 },
      ],
      "container app exited with code 139 (SIGSEGV)",
    ],
    ["killed", [{ name: "app", exitCode: 137 }], "container app exited with code 137 (SIGKILL)"],
    [
      "ended well, which a service must not",
      [{ name: "app", exitCode: 0 }],
      "container app exited with code 0",
    ],
  ])("%s", (_, containers, message) => {
    const cause = stopCause(
      stopped({ stopCode: "EssentialContainerExited", stoppedReason: exits, containers }),
    );
    expect(cause).toMatchObject({ code: "CONTAINER_EXITED", message, fatal: false });
  });

  test("an essential container is blamed before a helper with a worse code", () => {
    const task = stopped({
      stopCode: "EssentialContainerExited",
      containers: [
        { name: "helper", exitCode: 1 },
        { name: "app", exitCode: 143 },
      ],
    });
    expect(stopCause(task)?.container).toBe("helper");
    expect(stopCause(task, new Set(["app"]))?.container).toBe("app");
  });

  test.each([
    [
      {
        containers: [
          { name: "app", exitCode: 137, reason: "OutOfMemoryError: Container killed due to memory usage" },
        ],
      },
    ],
    [
      {
        stoppedReason: "OutOfMemoryError: Container killed due to memory usage",
        containers: [{ name: "app", exitCode: 137 }],
      },
    ],
  ])("out of memory: %j", (task) => {
    expect(stopCause(stopped({ stopCode: "EssentialContainerExited", ...task }))).toMatchObject({
      code: "OUT_OF_MEMORY",
      container: "app",
      message: "container app was killed: out of memory",
    });
  });

  test("an unhealthy container, known before its task has ended", () => {
    const cause = stopCause({
      lastStatus: "DEACTIVATING",
      desiredStatus: "STOPPED",
      stopCode: "ServiceSchedulerInitiated",
      stoppedReason: "Task failed container health checks",
      containers: [
        { name: "proxy", healthStatus: "HEALTHY" },
        { name: "app", healthStatus: "UNHEALTHY" },
      ],
    });
    expect(cause).toMatchObject({
      code: "CONTAINER_UNHEALTHY",
      message: "container app fails its health check",
    });
  });

  test.each([
    [
      "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web/ab12)",
      " in target group web",
    ],
    ["Task failed ELB health checks in (elb classic)", ""],
  ])("%s", (stoppedReason, where) => {
    const cause = stopCause(stopped({ stopCode: "ServiceSchedulerInitiated", stoppedReason }));
    expect([cause?.code, cause?.message]).toEqual([
      "TARGET_UNHEALTHY",
      `the load balancer's health check fails${where}`,
    ]);
  });

  test("a start failure is read from the container too, and is not an exit", () => {
    const cause = stopCause(
      stopped({
        stopCode: "TaskFailedToStart",
        stoppedReason: "Task failed to start",
        containers: [{ name: "app", reason: `${PULL}failed to resolve ref ${ECR}:x: ${ECR}:x: not found` }],
      }),
    );
    expect(cause).toMatchObject({ code: "IMAGE_NOT_FOUND", fatal: true, container: "app" });
  });

  test("words that nobody knows are passed on", () => {
    const cause = stopCause(stopped({ stopCode: "TaskFailedToStart", stoppedReason: "The moon\nis full." }));
    expect(cause).toMatchObject({ code: "TASK_START_FAILED", message: "a task ended: The moon is full." });
  });
});

describe("service events", () => {
  test.each([
    [
      "(service shop) was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
      "NO_CAPACITY",
      "Capacity is unavailable",
    ],
    [
      "(service shop) was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster. For more information, see",
      "NO_CAPACITY",
      "No Container Instances",
    ],
    [
      "(service shop) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance 1) has insufficient memory available.",
      "NO_CAPACITY",
      "no place is found",
    ],
    [
      "(service shop) (port 8000) is unhealthy in (target-group arn:aws:elasticloadbalancing:us-west-2:1:targetgroup/web/55) due to (reason Health checks failed with these codes: [404]).",
      "TARGET_UNHEALTHY",
      "web: Health checks failed with these codes: [404]",
    ],
    [
      "service shop (instance i-016) (port 1047) is unhealthy in target-group web due to (reason Request timed out)",
      "TARGET_UNHEALTHY",
      "web: Request timed out",
    ],
    [
      "(service shop) failed to launch a task with (error ECS was unable to assume the role 'arn:aws:iam::1:role/exec' that was provided for this task.)",
      "ROLE_DENIED",
      "arn:aws:iam::1:role/exec",
    ],
  ])("%s", (message, code, words) => {
    const found = eventCause({ message });
    expect(found?.code).toBe(code);
    expect(found?.message).toContain(words);
  });

  test.each([
    "(service shop) has reached a steady state.",
    "(service shop) has started 2 tasks: (task 1) (task 2).",
    "(service shop) registered 1 targets in (target-group arn)",
    "(service shop) (deployment ecs-svc/1) deployment failed: tasks failed to start.",
    "(service shop) is unable to consistently start tasks successfully. For more information, see the Troubleshooting section.",
    "(service shop) rolling back to deployment ecs-svc/0.",
  ])("%s explains nothing", (message) => {
    expect(eventCause({ message })).toBeUndefined();
  });
});

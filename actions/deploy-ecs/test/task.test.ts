import { describe, expect, test } from "@jest/globals";
import { RecordingLog } from "../../../lib/log.ts";
import { FakeClock } from "../../../lib/testing/fake-clock.ts";
import { FakeAws } from "../../../lib/testing/fake-ecs/world.ts";
import { apisOver } from "../src/api/apis.ts";
import {
  findTask,
  hasStopped,
  startTask,
  stopTask,
  TaskWatcher,
  type WatchedTask,
} from "../src/task/one-off.ts";
import { requestOf, spec } from "./task-spec.ts";

describe("a task in the world", () => {
  function world(more: (aws: FakeAws) => void = () => {}) {
    const aws = new FakeAws();
    aws.addService({ image: "app:1" });
    more(aws);
    const clock = new FakeClock(aws.time.now(), true);
    const log = new RecordingLog();
    const { ecs, logs } = apisOver(aws.call);
    return { aws, clock, log, ports: { ecs, logs, clock, log } };
  }
  const revisionOf = (aws: FakeAws) => aws.service().deployments[0]?.revision.definition.arn ?? "";

  async function started(setup: ReturnType<typeof world>, more: Partial<WatchedTask> = {}) {
    const { aws, ports } = setup;
    const { services } = await ports.ecs.describeServices("default", ["app"]);
    const revision = revisionOf(aws);
    const definition = (await ports.ecs.describeTaskDefinition(revision)).taskDefinition;
    const input = requestOf({ ...spec({}, services[0], definition), cluster: "default", revision });
    const answer = await startTask(ports, input);
    if (answer.kind === "refused") return { answer, input, watcher: undefined, task: "" };
    const watcher = new TaskWatcher(ports, {
      cluster: "default",
      task: answer.task,
      container: "app",
      definition,
      timeoutMs: 600_000,
      logLines: 3,
      ...more,
    });
    return { answer, input, watcher, task: answer.task };
  }

  async function watched(setup: ReturnType<typeof world>, more: Partial<WatchedTask> = {}) {
    const { watcher } = await started(setup, more);
    for (let looks = 0; looks < 400; looks++) {
      const verdict = await watcher?.look(new AbortController().signal);
      if (verdict === undefined || verdict.kind !== "running") return verdict;
      setup.aws.advance(3000);
      await setup.clock.sleep(3000);
    }
    throw new Error("never ended");
  }

  test("ends well, its lines are shown once and as they came", async () => {
    const setup = world((aws) =>
      aws.behave(
        "app:1",
        { kind: "exits", code: 0, afterMs: 9000, logs: ["one", "two", "\u001b[31mthree\u001b[0m"] },
        "task",
      ),
    );
    expect(await watched(setup)).toMatchObject({ kind: "succeeded", exitCode: 0 });
    expect(setup.log.lines.filter((line) => line.startsWith("|"))).toEqual(["| one", "| two", "| three"]);
    expect(setup.aws.violations).toEqual([]);
  });

  test("fails with its last lines as evidence", async () => {
    const setup = world((aws) =>
      aws.behave("app:1", { kind: "exits", code: 4, afterMs: 3000, logs: ["a", "b", "c", "d"] }, "task"),
    );
    const verdict = await watched(setup);
    expect(verdict).toMatchObject({ kind: "failed", exitCode: 4 });
    expect(verdict?.kind === "failed" && verdict.cause.evidence?.slice(-4)).toEqual([
      "last 3 lines of container app:",
      "b",
      "c",
      "d",
    ]);
  });

  test("an image that is not found", async () => {
    const setup = world((aws) => aws.behave("app:1", { kind: "image-not-found" }, "task"));
    const verdict = await watched(setup);
    expect(verdict).toMatchObject({ kind: "failed", exitCode: null, cause: { code: "TASK_FAILED" } });
    expect(verdict?.kind === "failed" && verdict.cause.message).toContain("app:1 is not found");
  });

  test("one that does not end in time is a failure that says so", async () => {
    const setup = world((aws) => aws.behave("app:1", { kind: "good" }, "task"));
    const verdict = await watched(setup, { timeoutMs: 60_000 });
    expect(verdict?.kind === "failed" && verdict.cause.message).toContain(
      "did not end within `run-task-timeout` 1 min",
    );
  });

  test("logs that may not be read cost one line, not the task", async () => {
    const setup = world((aws) => {
      aws.behave("app:1", { kind: "exits", code: 0, afterMs: 9000, logs: ["x"] }, "task");
      aws.deny("logs:GetLogEvents");
    });
    expect(await watched(setup)).toMatchObject({ kind: "succeeded" });
    expect(setup.log.lines.filter((line) => line.includes("logs:GetLogEvents"))).toHaveLength(1);
  });

  test("no capacity is answered with 200 and failures: nothing was started", async () => {
    const setup = world((aws) => aws.behave("app:1", { kind: "no-capacity" }, "task"));
    const { answer } = await started(setup);
    expect(answer).toMatchObject({ kind: "refused", cause: { code: "TASK_FAILED" } });
    expect(answer.kind === "refused" && answer.cause.message).toContain("RunTask started nothing");
  });

  test("sent twice it is started once, and found again by its name", async () => {
    const setup = world((aws) => aws.behave("app:1", { kind: "good" }, "task"));
    const { ecs } = setup.ports;
    const { task, input } = await started(setup);
    const again = await startTask(setup.ports, input);
    expect(again).toEqual({ kind: "started", task });
    const mark = { cluster: "default", startedBy: "run-1-1-abc", revision: revisionOf(setup.aws), since: 0 };
    expect(await findTask(ecs, mark)).toBe(task);
    expect(await findTask(ecs, { ...mark, startedBy: "someone" })).toBe("");
    expect(await findTask(ecs, { ...mark, revision: "arn:other" })).toBe("");
  });

  test("is stopped, which is told once it has ended; to stop it again is no error", async () => {
    const setup = world((aws) => aws.behave("app:1", { kind: "good" }, "task"));
    const { ecs } = setup.ports;
    const { task } = await started(setup);
    setup.aws.advance(20_000);
    expect(await hasStopped(ecs, "default", task)).toBe(false);
    await stopTask(ecs, "default", task, "cancelled");
    setup.aws.advance(120_000);
    expect(await hasStopped(ecs, "default", task)).toBe(true);
    await stopTask(ecs, "default", task, "cancelled");
    await stopTask(
      ecs,
      "default",
      "arn:aws:ecs:eu-west-1:123456789012:task/default/0123456789abcdef0123456789abcdef",
      "cancelled",
    );
    expect(setup.aws.violations).toEqual([]);
  });
});

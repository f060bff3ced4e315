import type { AwsCallOptions, JsonObject } from "../../../../lib/aws/call.ts";
import { AwsError } from "../../../../lib/aws/errors.ts";
import { type Clock, formatDuration } from "../../../../lib/clock.ts";
import type { Log } from "../../../../lib/log.ts";
import type { Cause } from "../../../../lib/rollout/target.ts";
import type { EcsApi } from "../api/ecs.ts";
import type { EcsTask } from "../api/ecs-types.ts";
import type { LogsApi } from "../api/logs.ts";
import { logSourceOf } from "../diagnose/log-source.ts";
import { LogFollower } from "./log-follower.ts";
import { judgeTask, notStarted, type TaskVerdict } from "./verdict.ts";

/** What a one-off task is run with. */
export interface TaskPorts {
  readonly ecs: EcsApi;
  readonly logs: LogsApi;
  readonly clock: Clock;
  readonly log: Log;
}

/** What RunTask did. To throw is to say "perhaps started": `findTask` tells. */
export type Started =
  | { readonly kind: "started"; readonly task: string }
  | { readonly kind: "refused"; readonly cause: Cause };

/** Starts the task. The request's `clientToken` makes a second try of the same one harmless. */
export async function startTask(
  ports: TaskPorts,
  input: JsonObject,
  options: AwsCallOptions = {},
): Promise<Started> {
  const { tasks, failures } = await ports.ecs.runTask(input, options);
  const task = tasks[0]?.taskArn ?? "";
  if (task === "") return { kind: "refused", cause: notStarted(failures) };
  ports.log.info(`one-off task ${idOf(task)} started`);
  return { kind: "started", task };
}

/** By what a task is known whose RunTask was not answered. */
export interface TaskMark {
  readonly cluster: string;
  readonly startedBy: string;
  readonly revision: string;
  /** Tasks made before are not meant, the server's time in seconds since the epoch; 0: unknown. */
  readonly since: number;
}

/** The ARN of the task that such a RunTask started, "" when there is none (yet). Reads only: at most 4 requests. */
export async function findTask(ecs: EcsApi, mark: TaskMark, options: AwsCallOptions = {}): Promise<string> {
  for (const desiredStatus of ["RUNNING", "STOPPED"] as const) {
    const filter = { startedBy: mark.startedBy, desiredStatus };
    const { tasks } = await ecs.describeTasks(
      mark.cluster,
      await ecs.listTasks(mark.cluster, filter, options),
      options,
    );
    const found = tasks.filter(
      (task) => task.taskDefinitionArn === mark.revision && (task.createdAt ?? 0) >= mark.since,
    );
    const [newest] = found.sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
    if (newest?.taskArn !== undefined) return newest.taskArn;
  }
  return "";
}

/** Stops the task; one that has ended or is forgotten is stopped. */
export async function stopTask(
  ecs: EcsApi,
  cluster: string,
  task: string,
  reason: string,
  options: AwsCallOptions = {},
): Promise<void> {
  try {
    await ecs.stopTask(cluster, task, reason, options);
  } catch (error) {
    const gone = error instanceof AwsError && /not found/i.test(error.message) && error.fault !== "transient";
    if (!gone) throw error;
  }
}

/** Whether the task has ended, or is no longer known, as it is an hour later. */
export async function hasStopped(
  ecs: EcsApi,
  cluster: string,
  task: string,
  options: AwsCallOptions = {},
): Promise<boolean> {
  const { tasks, failures } = await ecs.describeTasks(cluster, [task], options);
  return tasks[0]?.lastStatus === "STOPPED" || (tasks.length === 0 && failures.length > 0);
}

/** Which task is watched, and how. */
export interface WatchedTask {
  readonly cluster: string;
  readonly task: string;
  /** Whose exit code decides and whose lines are shown. */
  readonly container: string;
  readonly definition: JsonObject;
  /** From the first look on, milliseconds. */
  readonly timeoutMs: number;
  /** Lines that are evidence of a failure. */
  readonly logLines: number;
}

/** DescribeTasks may not know a new task at once, milliseconds. */
const STALE_MS = 60_000;
/** The log driver sends its last lines after the container has ended, milliseconds. */
const LAST_LINES_MS = 1500;

/** Watches one task and prints what its chosen container writes; two requests a look. */
export class TaskWatcher {
  private readonly ports: TaskPorts;
  private readonly watched: WatchedTask;
  private readonly follower: LogFollower;
  private since = 0;
  private told = false;

  constructor(ports: TaskPorts, watched: WatchedTask) {
    this.ports = ports;
    this.watched = watched;
    const source = logSourceOf(watched.definition, watched.container, watched.task);
    this.follower = new LogFollower(ports.logs, ports.log, source, watched.logLines);
  }

  /** Looks once. Rejects with what DescribeTasks rejects with; a log that cannot be read is no fault. */
  async look(signal: AbortSignal): Promise<TaskVerdict> {
    const { ecs, clock } = this.ports;
    const { cluster, task } = this.watched;
    this.since ||= clock.now();
    this.sayWhyNot();
    const { tasks } = await ecs.describeTasks(cluster, [task], { signal });
    const found = tasks[0];
    const verdict = found === undefined ? this.unknown() : this.judge(found);
    if (verdict.kind === "running") {
      if (found?.startedAt !== undefined || found?.lastStatus === "RUNNING") await this.follower.next(signal);
      return verdict;
    }
    await this.lastLines(signal);
    return verdict.kind === "failed" ? this.withLines(verdict) : verdict;
  }

  private judge(task: EcsTask): TaskVerdict {
    const { container, definition, timeoutMs } = this.watched;
    const verdict = judgeTask(task, container, definition);
    if (verdict.kind !== "running" || this.ports.clock.now() - this.since < timeoutMs) return verdict;
    return {
      kind: "failed",
      exitCode: null,
      cause: {
        code: "TASK_FAILED",
        message: `the one-off task did not end within \`run-task-timeout\` ${formatDuration(timeoutMs)} (${verdict.detail})`,
        fix: "raise `run-task-timeout`, or see in its last log lines what it waits for",
      },
    };
  }

  /** Not there yet, or no longer: then nobody can say how it ended. */
  private unknown(): TaskVerdict {
    const waited = this.ports.clock.now() - this.since;
    if (waited < Math.min(STALE_MS, this.watched.timeoutMs))
      return { kind: "running", detail: "task not visible yet" };
    return {
      kind: "failed",
      exitCode: null,
      cause: { code: "TASK_FAILED", message: "ECS no longer knows the one-off task: its end was not seen" },
    };
  }

  private async lastLines(signal: AbortSignal): Promise<void> {
    await this.follower.drain(signal);
    if (this.follower.note !== "") return;
    await this.ports.clock.sleep(LAST_LINES_MS, signal);
    await this.follower.drain(signal);
  }

  private withLines(verdict: TaskVerdict & { readonly kind: "failed" }): TaskVerdict {
    const { tail, note } = this.follower;
    const { container } = this.watched;
    const lines =
      tail.length === 0 ? [note] : [`last ${tail.length} lines of container ${container}:`, ...tail];
    const evidence = [...(verdict.cause.evidence ?? []), ...lines.filter((line) => line !== "")];
    return { ...verdict, cause: { ...verdict.cause, evidence } };
  }

  private sayWhyNot(): void {
    if (this.told || this.follower.note === "") return;
    this.told = true;
    this.ports.log.info(`the task's log is not shown: ${this.follower.note}`);
  }
}

function idOf(arn: string): string {
  return arn.split("/").at(-1) ?? arn;
}

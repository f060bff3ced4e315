import type { JsonObject } from "../../../../lib/aws/call.ts";
import type { Cause } from "../../../../lib/rollout/target.ts";
import type { EcsContainer, EcsFailure, EcsTask } from "../api/ecs-types.ts";
import { essentialOf } from "../diagnose/diagnose.ts";
import { taskLine } from "../diagnose/rank.ts";
import { stopCause } from "../diagnose/stop-reasons.ts";

/** How a one-off task stands. */
export type TaskVerdict =
  | { readonly kind: "running"; readonly detail: string }
  | { readonly kind: "succeeded"; readonly detail: string; readonly exitCode: number }
  | { readonly kind: "failed"; readonly cause: Cause; readonly exitCode: number | null };

/**
 * The verdict on a one-off task by the exit code of its chosen container; pure. A
 * container that never ran, or ended without an exit code, has failed, whatever the others did.
 */
export function judgeTask(task: EcsTask, container: string, definition: JsonObject): TaskVerdict {
  const chosen = (task.containers ?? []).find(({ name }) => name === container);
  const stopped = task.lastStatus === "STOPPED";
  // Once it has ended and the task is on its way down, the rest takes only time.
  const decided = chosen?.exitCode !== undefined && isOver(chosen) && task.desiredStatus === "STOPPED";
  if (!stopped && !decided) return { kind: "running", detail: statusOf(task, chosen) };
  const exitCode = chosen?.exitCode ?? null;
  if (exitCode === 0)
    return { kind: "succeeded", detail: `container ${container} exited with code 0`, exitCode };
  const cause = stopCause(task, essentialOf(definition));
  // Another container may have ended the task, but this one's code is what was asked for.
  const own = cause === undefined || (exitCode !== null && cause.container !== container);
  const why = own ? ending(task, container, exitCode) : cause.message;
  return {
    kind: "failed",
    exitCode,
    cause: {
      code: "TASK_FAILED",
      message: `the one-off task failed: ${why}`,
      fix: cause?.fix ?? "see its last log lines",
      evidence: [taskLine(task)],
    },
  };
}

function isOver({ lastStatus }: EcsContainer): boolean {
  return lastStatus === "STOPPED";
}

function ending(task: EcsTask, container: string, exitCode: number | null): string {
  const reason = (task.stoppedReason ?? "").replace(/\s+/g, " ").replace(/\.$/, "");
  const why = reason === "" ? "" : ` (${reason})`;
  return exitCode === null
    ? `container ${container} ended without an exit code${why}`
    : `container ${container} exited with code ${exitCode}${why}`;
}

function statusOf(task: EcsTask, chosen: EcsContainer | undefined): string {
  const status = task.lastStatus ?? "PROVISIONING";
  const own = chosen?.lastStatus;
  return own === undefined || own === status ? `task ${status}` : `task ${status}, container ${own}`;
}

/** Why RunTask, which answers 200 even so, has started nothing. */
export function notStarted(failures: readonly EcsFailure[]): Cause {
  const [first] = failures;
  const words = [first?.reason, first?.detail].filter((text) => (text ?? "") !== "").join(": ");
  return {
    code: "TASK_FAILED",
    message: `RunTask started nothing: ${words === "" ? "ECS gives no reason" : words.replace(/\.$/, "")}`,
    fix: /RESOURCE|AGENT|capacity/i.test(words)
      ? "add capacity to the cluster, or ask for less CPU and memory"
      : "see the reason; launch type, capacity providers and subnets are the service's unless `run-task-*` inputs say otherwise",
    evidence: failures.map(({ arn = "", reason = "", detail = "" }) =>
      `failure ${arn} ${reason} ${detail}`.trim(),
    ),
  };
}

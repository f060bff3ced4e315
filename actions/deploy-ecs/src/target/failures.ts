import type { EcsTask } from "../api/ecs-types.ts";
import { type StopCause, stopCause } from "../diagnose/stop-reasons.ts";

/** A task of a deployment that failed by its version's fault. */
export interface FailedTask {
  /** The task's id. */
  readonly id: string;
  readonly cause: StopCause;
}

/** What a stopped task says about the deployment that started it; undefined when nothing. */
export function failureOfTask(task: EcsTask, deployment: string): FailedTask | undefined {
  if (deployment === "" || task.startedBy !== deployment) return undefined;
  const cause = stopCause(task);
  return cause && { id: task.taskArn?.split("/").at(-1) ?? "", cause };
}

/** `task 1a2b: container app exited with code 1`, the last few. */
export function tellFailed(failed: readonly FailedTask[], most = 5): readonly string[] {
  return failed.slice(-most).map(({ id, cause }) => `task ${id}: ${cause.message}`);
}

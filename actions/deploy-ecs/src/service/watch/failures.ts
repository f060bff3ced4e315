import type { EcsTask } from "../../api/ecs-types.ts";
import { isGivenId } from "../../api/legible.ts";
import { stopCause } from "../../diagnose/stop-reasons.ts";
import type { FailedTask, Memory } from "./memory.ts";

/**
 * Whether our deployment started a task: ECS writes its id there. Where no id is written, a revision that only this
 * run uses says the same.
 */
export function isOurs(task: EcsTask, { deployment, revision, before }: Memory): boolean {
  const { startedBy = "" } = task;
  if (startedBy !== "" && isGivenId(deployment)) return deployment !== "" && startedBy === deployment;
  return task.taskDefinitionArn === revision && revision !== before.revision;
}

/** What a stopped task says about the deployment that started it; undefined when nothing. */
export function failureOfTask(task: EcsTask, memory: Memory): FailedTask | undefined {
  if (!isOurs(task, memory)) return undefined;
  const cause = stopCause(task);
  return cause && { id: task.taskArn?.split("/").at(-1) ?? "", cause };
}

/** `task 1a2b: container app exited with code 1`, the last few. */
export function tellFailed(failed: readonly FailedTask[], most = 5): readonly string[] {
  return failed.slice(-most).map(({ id, cause }) => `task ${id}: ${cause.message}`);
}

import { object } from "../../../../lib/aws/answers.ts";
import type { JsonObject } from "../../../../lib/aws/call.ts";

/** The task definition that a target of a rule or a schedule runs; "" when it runs no ECS task. */
export function taskDefinitionOf(target: JsonObject): string {
  const { TaskDefinitionArn } = object<{ TaskDefinitionArn?: unknown }>(target["EcsParameters"]);
  return typeof TaskDefinitionArn === "string" ? TaskDefinitionArn : "";
}

/** The same target with another task definition; everything else, and its order, stays as it is. */
export function withTaskDefinition(target: JsonObject, arn: string): JsonObject {
  const parameters = object<JsonObject>(target["EcsParameters"]);
  return { ...target, EcsParameters: { ...parameters, TaskDefinitionArn: arn } };
}

/** The family of a task definition, named with or without a revision, as ARN or not. */
export function familyOf(taskDefinition: string): string {
  return (taskDefinition.split("task-definition/").at(-1) ?? "").replace(/:\d+$/, "");
}

/** Members that GetSchedule answers and UpdateSchedule does not take. */
const READ_ONLY: ReadonlySet<string> = new Set(["Arn", "CreationDate", "LastModificationDate"]);

/** A whole schedule as it is to be written back: UpdateSchedule resets what is not sent. */
export function writable(schedule: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(schedule).filter(([name]) => !READ_ONLY.has(name)));
}

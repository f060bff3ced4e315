import type { JsonObject } from "../../../lib/aws/call.ts";
import { sampleDefinition } from "../../../lib/testing/fake-ecs/set-up.ts";
import type { EcsService } from "../src/api/ecs-types.ts";
import type { TaskInputs } from "../src/inputs/model.ts";
import { type TaskSpec, taskRequest } from "../src/task/request.ts";

/** Nothing was said about the task. */
const NONE: TaskInputs = {
  container: "",
  command: undefined,
  overrides: [],
  subnets: undefined,
  securityGroups: undefined,
  assignPublicIp: undefined,
  launchType: undefined,
  capacityProviderStrategy: undefined,
  startedBy: "",
  tags: undefined,
  timeoutMs: 900_000,
};
/** The network of a service. */
export const NETWORK = {
  awsvpcConfiguration: { subnets: ["subnet-1"], securityGroups: ["sg-1"], assignPublicIp: "DISABLED" },
};
/** What the task is made from. */
export const DEFINITION = sampleDefinition("app", "app:2");

/** A task of `inputs` for a service. */
export function spec(
  inputs: Partial<TaskInputs> = {},
  service?: EcsService,
  definition: JsonObject = DEFINITION,
): TaskSpec {
  return {
    cluster: "prod",
    revision: "arn:aws:ecs:eu-west-1:1:task-definition/app:2",
    definition,
    inputs: { ...NONE, ...inputs },
    service,
    container: "app",
    token: "run-1-1-abc",
  };
}

/** The request that must come of it. */
export function requestOf(made: TaskSpec): JsonObject {
  const request = taskRequest(made);
  if (request.kind === "refused") throw new Error(request.problems.join("; "));
  return request.input;
}

import { list, object } from "../../../../lib/aws/answers.ts";
import type { JsonObject } from "../../../../lib/aws/call.ts";
import type { EcsService } from "../api/ecs-types.ts";
import type { TaskInputs } from "../inputs/model.ts";
import { placeOf, tagsOf } from "./place.ts";

/** What a one-off task is made from. */
export interface TaskSpec {
  readonly cluster: string;
  /** Full ARN: RunTask without a revision is authorised against the newest one. */
  readonly revision: string;
  /** The task definition of that revision. */
  readonly definition: JsonObject;
  readonly inputs: TaskInputs;
  /** As DescribeServices answered it, with its tags where they are to be inherited; undefined: no service. */
  readonly service: EcsService | undefined;
  /** Whose exit code decides. */
  readonly container: string;
  /** Unique to this attempt of this run, at most 64 characters of `[A-Za-z0-9_/-]`. */
  readonly token: string;
}

/** A request to RunTask, or what is wrong with the inputs. */
export type TaskRequest =
  | { readonly kind: "request"; readonly input: JsonObject }
  | { readonly kind: "refused"; readonly problems: readonly string[] };

/** Limit of the ECS API. */
const LONGEST_OVERRIDES = 8192;

/** The whole request to RunTask; pure. */
export function taskRequest(spec: TaskSpec): TaskRequest {
  const { inputs, service } = spec;
  const overrides = overridesOf(spec);
  const place = placeOf(inputs, service, spec.definition);
  const tags = tagsOf(inputs, service);
  const problems = problemsOf(spec, overrides, place.networkConfiguration);
  if (problems.length > 0) return { kind: "refused", problems };
  const propagate = inputs.tags === undefined && service?.propagateTags === "TASK_DEFINITION";
  return {
    kind: "request",
    input: {
      cluster: spec.cluster,
      taskDefinition: spec.revision,
      count: 1,
      clientToken: spec.token,
      startedBy: startedBy(spec),
      ...place,
      ...(overrides.length === 0 ? {} : { overrides: { containerOverrides: overrides } }),
      ...(tags.length === 0 ? {} : { tags }),
      ...(propagate ? { propagateTags: "TASK_DEFINITION" } : {}),
      ...(service?.enableECSManagedTags === true ? { enableECSManagedTags: true } : {}),
    },
  };
}

/** By whom the task says to be started: by this it is found again when RunTask's answer was lost. */
export function startedBy({ inputs, token }: Pick<TaskSpec, "inputs" | "token">): string {
  return inputs.startedBy === "" ? token : inputs.startedBy;
}

/** The overrides of the inputs; the command goes into that of its container. */
function overridesOf({ inputs, container }: TaskSpec): readonly JsonObject[] {
  const { command, overrides } = inputs;
  if (command === undefined) return overrides;
  const found = overrides.some((one) => one["name"] === container);
  const merged = overrides.map((one) => (one["name"] === container ? { ...one, command } : one));
  return found ? merged : [...merged, { name: container, command }];
}

function problemsOf(
  spec: TaskSpec,
  overrides: readonly JsonObject[],
  network: JsonObject | undefined,
): readonly string[] {
  const names = list<JsonObject>(spec.definition["containerDefinitions"]).map((one) => String(one["name"]));
  const valid = names.map((name) => `\`${name}\``).join(", ");
  const problems: string[] = [];
  if (!names.includes(spec.container)) {
    problems.push(`\`run-task-container\` is \`${spec.container}\`, which is not there: valid are ${valid}`);
  }
  for (const { name } of overrides) {
    if (name === spec.container || names.includes(String(name))) continue;
    problems.push(
      `\`run-task-container-overrides\` names \`${String(name)}\`, which is not there: valid are ${valid}`,
    );
  }
  const length = JSON.stringify({ containerOverrides: overrides }).length;
  if (length > LONGEST_OVERRIDES) {
    problems.push(
      `\`run-task-command\` and \`run-task-container-overrides\` make ${length} characters: ECS takes at most ${LONGEST_OVERRIDES}`,
    );
  }
  const { subnets } = object<{ subnets?: unknown }>(network?.["awsvpcConfiguration"]);
  if (spec.definition["networkMode"] === "awsvpc" && list(subnets).length === 0) {
    problems.push(
      "`run-task-subnets` is needed: the task definition has the network mode awsvpc, and there is no service to take the subnets from",
    );
  }
  return problems;
}

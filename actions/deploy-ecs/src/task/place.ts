import { list, object } from "../../../../lib/aws/answers.ts";
import type { JsonObject } from "../../../../lib/aws/call.ts";
import type { EcsService, EcsTag, EcsTaskSet } from "../api/ecs-types.ts";
import type { TaskInputs } from "../inputs/model.ts";

/** Where and how a task is to run, as RunTask takes it. */
export interface Place {
  readonly launchType?: string;
  readonly capacityProviderStrategy?: readonly JsonObject[];
  readonly platformVersion?: string;
  readonly networkConfiguration?: JsonObject;
}

/** What tells where the service's own tasks run: the task set in use, where a controller other than ECS keeps them. */
type Host = Pick<
  EcsTaskSet,
  "launchType" | "capacityProviderStrategy" | "platformVersion" | "networkConfiguration"
>;

/** The service, or its PRIMARY task set where that is what runs. */
export function hostOf(service: EcsService | undefined): Host {
  const sets = service?.taskSets ?? [];
  const primary = sets.find(({ status }) => status === "PRIMARY") ?? sets[0];
  return { ...filled(service ?? {}), ...filled(primary ?? {}) };
}

/** Only what says something: an absent member of a task set must not hide the service's. */
function filled({ launchType, capacityProviderStrategy, platformVersion, networkConfiguration }: Host): Host {
  return {
    ...(launchType ? { launchType } : {}),
    ...(capacityProviderStrategy && capacityProviderStrategy.length > 0 ? { capacityProviderStrategy } : {}),
    ...(platformVersion ? { platformVersion } : {}),
    ...(networkConfiguration ? { networkConfiguration } : {}),
  };
}

/** Where a one-off task runs: what the inputs say, else as the service's tasks do. */
export function placeOf(inputs: TaskInputs, service: EcsService | undefined, definition: JsonObject): Place {
  const host = hostOf(service);
  const capacity = capacityOf(inputs, host, definition);
  const network = networkOf(inputs, host, definition);
  // A platform version belongs to Fargate; one that was chosen for it fits no instance.
  const changed = inputs.launchType !== undefined && inputs.launchType !== host.launchType;
  const fargate =
    capacity.launchType === "FARGATE" || (capacity.capacityProviderStrategy !== undefined && !changed);
  const keeps =
    host.platformVersion !== undefined && fargate && inputs.capacityProviderStrategy === undefined;
  return {
    ...capacity,
    ...(keeps ? { platformVersion: host.platformVersion } : {}),
    ...(network === undefined ? {} : { networkConfiguration: network }),
  };
}

/** `launchType` and `capacityProviderStrategy` exclude each other. */
function capacityOf(inputs: TaskInputs, host: Host, definition: JsonObject): Place {
  if (inputs.launchType !== undefined) return { launchType: inputs.launchType };
  const strategy = inputs.capacityProviderStrategy ?? host.capacityProviderStrategy;
  if (strategy !== undefined) return { capacityProviderStrategy: strategy };
  if (host.launchType !== undefined) return { launchType: host.launchType };
  const fits = list<string>(definition["requiresCompatibilities"]);
  // Without a word ECS takes the cluster's default strategy, else EC2, which may not fit.
  return fits.length === 1 && fits[0] === "FARGATE" ? { launchType: "FARGATE" } : {};
}

function networkOf(inputs: TaskInputs, host: Host, definition: JsonObject): JsonObject | undefined {
  const mode = definition["networkMode"];
  if (mode !== undefined && mode !== "awsvpc") return undefined;
  const inherited = object<JsonObject>(host.networkConfiguration?.["awsvpcConfiguration"]);
  const awsvpc: JsonObject = {
    ...inherited,
    ...(inputs.subnets === undefined ? {} : { subnets: inputs.subnets }),
    ...(inputs.securityGroups === undefined ? {} : { securityGroups: inputs.securityGroups }),
    ...(inputs.assignPublicIp === undefined ? {} : { assignPublicIp: inputs.assignPublicIp }),
  };
  return Object.keys(awsvpc).length === 0 ? undefined : { awsvpcConfiguration: awsvpc };
}

/** Tags as the service's tasks get them; those of AWS's own (`aws:`) nobody else may set. */
export function tagsOf(inputs: TaskInputs, service: EcsService | undefined): readonly EcsTag[] {
  if (inputs.tags !== undefined) return inputs.tags;
  if (service?.propagateTags !== "SERVICE") return [];
  return (service.tags ?? []).filter(({ key = "" }) => key !== "" && !key.toLowerCase().startsWith("aws:"));
}

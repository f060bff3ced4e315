import { copy, defined, FakeAwsError, type Json, type Operation, seconds } from "../types.ts";
import type { EcsState, TaskDefinition } from "./state.ts";

/** The operations on task definitions. */
export function definitionOperations(ecs: EcsState): Readonly<Record<string, Operation>> {
  return {
    RegisterTaskDefinition: (input) => {
      const found = register(ecs, input);
      return defined({ taskDefinition: show(found), tags: found.tags.length > 0 ? found.tags : undefined });
    },
    DescribeTaskDefinition: (input) => {
      const found = findDefinition(ecs, String(input["taskDefinition"]));
      if (!found) throw new FakeAwsError("ClientException", "Unable to describe task definition.");
      const withTags = ((input["include"] ?? []) as readonly string[]).includes("TAGS");
      return defined({ taskDefinition: show(found), tags: withTags ? found.tags : undefined });
    },
    ListTaskDefinitions: (input) => {
      const status = String(input["status"] ?? "ACTIVE");
      const prefix = input["familyPrefix"] as string | undefined;
      const all = [...ecs.families.values()].flat();
      const found = all.filter(
        (one) => one.status === status && (prefix === undefined || one.family === prefix),
      );
      if (input["sort"] === "DESC") found.reverse();
      const page = paginate(found, input, 100);
      return defined({ taskDefinitionArns: page.items.map((one) => one.arn), nextToken: page.nextToken });
    },
    DeregisterTaskDefinition: (input) => {
      const name = String(input["taskDefinition"]);
      const found = name.includes(":") ? findDefinition(ecs, name) : undefined;
      if (!found) throw new FakeAwsError("ClientException", "The specified task definition does not exist.");
      found.status = "INACTIVE";
      found.deregisteredAt = ecs.time.now();
      return { taskDefinition: show(found) };
    },
  };
}

/** A page of a list: `maxResults` items from `nextToken` on. */
export function paginate<T>(
  all: readonly T[],
  input: Json,
  most: number,
): { readonly items: readonly T[]; readonly nextToken: string | undefined } {
  const from = Number(input["nextToken"] ?? 0);
  const size = Math.min(most, Number(input["maxResults"] ?? most));
  const next = from + size;
  return { items: all.slice(from, next), nextToken: next < all.length ? String(next) : undefined };
}

/** A revision by ARN, `family:revision`, or the newest ACTIVE one of a family. */
export function findDefinition(ecs: EcsState, name: string): TaskDefinition | undefined {
  const short = name.split("task-definition/").at(-1) ?? "";
  const [family = "", revision] = short.split(":");
  const all = ecs.families.get(family) ?? [];
  if (revision !== undefined) return all.find((one) => one.revision === Number(revision));
  return all.filter((one) => one.status === "ACTIVE").at(-1);
}

/** As `findDefinition`, for a change: it has to exist and be ACTIVE. */
export function usableDefinition(ecs: EcsState, name: string): TaskDefinition {
  const found = findDefinition(ecs, name);
  if (!found) throw new FakeAwsError("ClientException", "TaskDefinition not found.");
  if (found.status !== "ACTIVE") throw new FakeAwsError("ClientException", "TaskDefinition is inactive");
  return found;
}

/** Registers the next revision of a family, as AWS would keep it. */
export function register(ecs: EcsState, input: Json): TaskDefinition {
  const { tags, ...given } = copy(input);
  const family = String(given["family"]);
  for (const path of ecs.lostFields) lose(given, path.split("."));
  const all = ecs.families.get(family) ?? [];
  const revision = (all.at(-1)?.revision ?? 0) + 1;
  const { place } = ecs;
  const definition: TaskDefinition = {
    arn: `arn:${place.partition}:ecs:${place.region}:${place.account}:task-definition/${family}:${revision}`,
    family,
    revision,
    tags: (tags ?? []) as readonly Json[],
    status: "ACTIVE",
    body: {
      ...given,
      containerDefinitions: ((given["containerDefinitions"] ?? []) as readonly Json[]).map((container) =>
        withDefaults(container, String(given["networkMode"])),
      ),
      volumes: given["volumes"] ?? [],
      placementConstraints: given["placementConstraints"] ?? [],
      compatibilities: [
        "EC2",
        ...((given["requiresCompatibilities"] as readonly string[] | undefined) ?? []),
      ].filter((name, index, list) => list.indexOf(name) === index),
      requiresAttributes: [{ name: "com.amazonaws.ecs.capability.docker-remote-api.1.18" }],
      registeredAt: seconds(ecs.time.now()),
      registeredBy: `arn:${place.partition}:sts::${place.account}:assumed-role/goci/ci`,
    },
  };
  ecs.families.set(family, [...all, definition]);
  return definition;
}

/** A container as AWS gives it back: with the defaults that nobody wrote. */
function withDefaults(container: Json, networkMode: string): Json {
  const ports = (container["portMappings"] ?? []) as readonly Json[];
  const check = container["healthCheck"] as Json | undefined;
  return {
    cpu: 0,
    essential: true,
    environment: [],
    mountPoints: [],
    volumesFrom: [],
    systemControls: [],
    ...container,
    portMappings: ports.map((port) => ({
      hostPort: networkMode === "awsvpc" ? port["containerPort"] : 0,
      protocol: "tcp",
      ...port,
    })),
    ...(check ? { healthCheck: { interval: 30, timeout: 5, retries: 3, ...check } } : {}),
  };
}

function lose(value: unknown, path: readonly string[]): void {
  const [head, ...rest] = path;
  if (head === undefined || typeof value !== "object" || value === null) return;
  const holder = value as Json;
  for (const name of head === "*" ? Object.keys(holder) : [head]) {
    if (rest.length === 0) delete holder[name];
    else lose(holder[name], rest);
  }
}

function show(found: TaskDefinition): Json {
  return {
    ...copy(found.body),
    taskDefinitionArn: found.arn,
    family: found.family,
    revision: found.revision,
    status: found.status,
    ...(found.deregisteredAt === undefined ? {} : { deregisteredAt: seconds(found.deregisteredAt) }),
  };
}

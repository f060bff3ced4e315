import { copy, defined, FakeAwsError, type Json, type Operation } from "../types.ts";
import { paginate, usableDefinition } from "./definitions.ts";
import { clusterName, findService } from "./services.ts";
import { showTask } from "./show.ts";
import type { EcsState, FakeTask } from "./state.ts";
import { end, launch, type TaskEvents } from "./tasks.ts";

/** Stopped tasks are described for one hour. */
const remembered = 3_600_000;

/** The operations on tasks. */
export function taskOperations(ecs: EcsState, events: TaskEvents): Readonly<Record<string, Operation>> {
  return {
    ListTasks: (input) => list(ecs, input),
    DescribeTasks: (input) => describe(ecs, input),
    RunTask: (input) => run(ecs, events, input),
    StopTask: (input) => {
      const cluster = knownCluster(ecs, input);
      const task = visible(ecs, cluster).find((one) => names(one, String(input["task"])));
      if (!task) throw new FakeAwsError("InvalidParameterException", "The referenced task was not found.");
      const reason = String(input["reason"] ?? "Task stopped by user");
      end(ecs, events, task, { stopCode: "UserInitiated", reason });
      return { task: showTask(task, false) };
    },
  };
}

function knownCluster(ecs: EcsState, input: Json): string {
  const cluster = clusterName(input["cluster"]);
  if (!ecs.clusters.has(cluster)) throw new FakeAwsError("ClusterNotFoundException", "Cluster not found.");
  return cluster;
}

function visible(ecs: EcsState, cluster: string): readonly FakeTask[] {
  const now = ecs.time.now();
  return ecs.tasks.filter(
    (task) => task.cluster === cluster && (task.stoppedAt === undefined || task.stoppedAt + remembered > now),
  );
}

function names(task: FakeTask, wanted: string): boolean {
  return wanted.startsWith("arn:") ? task.arn === wanted : task.id === wanted;
}

function list(ecs: EcsState, input: Json): Json {
  const cluster = knownCluster(ecs, input);
  const { startedBy, family } = input as { readonly startedBy?: string; readonly family?: string };
  if (startedBy !== undefined && (input["serviceName"] !== undefined || family !== undefined)) {
    throw new FakeAwsError("InvalidParameterException", "startedBy must be the only filter that is used.");
  }
  const service =
    input["serviceName"] === undefined
      ? undefined
      : findService(ecs, { ...input, service: input["serviceName"] });
  const desired = String(input["desiredStatus"] ?? "RUNNING");
  const found = visible(ecs, cluster).filter(
    (task) =>
      task.desiredStatus === desired &&
      (service === undefined || task.service === service) &&
      (startedBy === undefined || task.startedBy === startedBy) &&
      (family === undefined || task.definition.family === family),
  );
  const page = paginate(found, input, 100);
  return defined({ taskArns: page.items.map((task) => task.arn), nextToken: page.nextToken });
}

function describe(ecs: EcsState, input: Json): Json {
  const all = visible(ecs, knownCluster(ecs, input));
  const wanted = input["tasks"] as readonly string[];
  if (wanted.length > 100)
    throw new FakeAwsError("InvalidParameterException", "Tasks cannot have more than 100 items.");
  const withTags = ((input["include"] ?? []) as readonly string[]).includes("TAGS");
  const found = wanted.map((name) => ({ name, task: all.find((one) => names(one, name)) }));
  return {
    tasks: found.flatMap(({ task }) => (task ? [showTask(task, withTags)] : [])),
    failures: found.flatMap(({ name, task }) => (task ? [] : [{ arn: name, reason: "MISSING" }])),
  };
}

function run(ecs: EcsState, events: TaskEvents, input: Json): Json {
  const cluster = knownCluster(ecs, input);
  const token = input["clientToken"] as string | undefined;
  const answered = token === undefined ? undefined : ecs.tokens.get(token);
  if (answered) return repeat(ecs, answered, input);
  const definition = usableDefinition(ecs, String(input["taskDefinition"]));
  refuse(definition.body, input);
  const images = ((definition.body["containerDefinitions"] ?? []) as readonly Json[]).map((one) =>
    String(one["image"]),
  );
  const tasks: FakeTask[] = [];
  const count = Number(input["count"] ?? 1);
  for (let nth = 0; nth < count; nth += 1) {
    const behaviour = ecs.behaviours.find(
      definition.arn,
      images,
      "task",
      ecs.tasks.filter((one) => one.definition === definition).length,
    );
    if (behaviour.kind === "no-capacity") {
      return {
        tasks: tasks.map((task) => showTask(task, true)),
        failures: [
          {
            reason:
              behaviour.reason ??
              "Capacity is unavailable at this time. Please try again later or in a different availability zone",
          },
        ],
      };
    }
    tasks.push(
      launch(ecs, events, {
        cluster,
        definition,
        behaviour,
        startedBy: String(input["startedBy"] ?? ""),
        group: String(input["group"] ?? `family:${definition.family}`),
        shown: copy(
          defined({
            launchType: input["capacityProviderStrategy"] ? undefined : (input["launchType"] ?? "EC2"),
            overrides: input["overrides"] ?? { containerOverrides: [] },
            platformVersion: input["platformVersion"],
            tags: input["tags"],
          }),
        ),
      }),
    );
  }
  if (token !== undefined) {
    ecs.tokens.set(token, { input: copy(input), tasks: tasks.map((task) => task.arn) });
  }
  return { tasks: tasks.map((task) => showTask(task, true)), failures: [] };
}

/** A second RunTask with the same token starts nothing; with other parameters it is refused. */
function repeat(ecs: EcsState, answered: Json, input: Json): Json {
  if (JSON.stringify(answered["input"]) !== JSON.stringify(input)) {
    throw new FakeAwsError("ConflictException", "The client token was used with other parameters.");
  }
  const arns = answered["tasks"] as readonly string[];
  return {
    tasks: ecs.tasks.filter((task) => arns.includes(task.arn)).map((task) => showTask(task, true)),
    failures: [],
  };
}

function refuse(definition: Json, input: Json): void {
  const wrong = (text: string) => new FakeAwsError("InvalidParameterException", text);
  if (input["launchType"] !== undefined && input["capacityProviderStrategy"] !== undefined) {
    throw wrong("Cannot specify both launchType and capacityProviderStrategy.");
  }
  if (definition["networkMode"] === "awsvpc" && input["networkConfiguration"] === undefined) {
    throw wrong("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  }
  if (definition["networkMode"] !== "awsvpc" && input["networkConfiguration"] !== undefined) {
    throw wrong("Network Configuration is not valid for the given networkMode of this task definition.");
  }
  if (Number(input["count"] ?? 1) > 10) throw wrong("count must be at most 10.");
  if (JSON.stringify(input["overrides"] ?? {}).length > 8192)
    throw wrong("Overrides are longer than 8192 characters.");
  const named = ((input["overrides"] as Json | undefined)?.["containerOverrides"] ?? []) as readonly Json[];
  const known = ((definition["containerDefinitions"] ?? []) as readonly Json[]).map((one) => one["name"]);
  const stranger = named.find((one) => !known.includes(one["name"]));
  if (stranger) {
    throw wrong(
      `Override for container named ${String(stranger["name"])} is not a container in the TaskDefinition.`,
    );
  }
}

import { list, object, pages } from "../../../../lib/aws/answers.ts";
import type { AwsCall, AwsCallOptions, JsonObject } from "../../../../lib/aws/call.ts";
import type {
  EcsFailure,
  EcsService,
  EcsServiceDeployment,
  EcsServiceDeploymentBrief,
  EcsServiceRevision,
  EcsTag,
  EcsTask,
  RawTaskDefinition,
} from "./ecs-types.ts";
import { inSeconds, serviceOf } from "./legible.ts";

/** What is found, and what is not (`MISSING`), in one 200. */
export interface DescribedServices {
  readonly services: readonly EcsService[];
  readonly failures: readonly EcsFailure[];
}

/** A task definition and its tags, which ECS keeps beside it. */
export interface DescribedTaskDefinition {
  readonly taskDefinition: RawTaskDefinition;
  readonly tags: readonly EcsTag[];
}

/** The tasks found, and those no longer known. */
export interface DescribedTasks {
  readonly tasks: readonly EcsTask[];
  readonly failures: readonly EcsFailure[];
}

/** Which tasks ListTasks is to find; `desiredStatus` is RUNNING unless told otherwise. */
export interface TaskFilter {
  readonly serviceName?: string;
  readonly startedBy?: string;
  readonly family?: string;
  readonly desiredStatus?: "RUNNING" | "PENDING" | "STOPPED";
}

/**
 * Amazon ECS, as far as this action calls it. Each method is one request (the two
 * that say so: one a page) and rejects with the service's own error.
 */
export interface EcsApi {
  describeServices(
    cluster: string,
    services: readonly string[],
    options?: AwsCallOptions,
  ): Promise<DescribedServices>;
  /** The tags of one service, which it tells only when asked for them. */
  serviceTags(cluster: string, service: string, options?: AwsCallOptions): Promise<readonly EcsTag[]>;
  describeTaskDefinition(taskDefinition: string, options?: AwsCallOptions): Promise<DescribedTaskDefinition>;
  /** `definition` is sent byte for byte as JSON.stringify gives it; the answer is what ECS kept of it. */
  registerTaskDefinition(definition: JsonObject, options?: AwsCallOptions): Promise<DescribedTaskDefinition>;
  /** `input` is the whole request, sent as it is. */
  updateService(input: JsonObject, options?: AwsCallOptions): Promise<EcsService>;
  /** Newest first, one page of at most 100; `after` is in seconds since the epoch. */
  listServiceDeployments(
    input: {
      readonly cluster: string;
      readonly service: string;
      readonly status?: readonly string[];
      readonly after?: number;
    },
    options?: AwsCallOptions,
  ): Promise<readonly EcsServiceDeploymentBrief[]>;
  describeServiceDeployments(
    arns: readonly string[],
    options?: AwsCallOptions,
  ): Promise<readonly EcsServiceDeployment[]>;
  /** Asks ECS itself to take the deployment back. */
  stopServiceDeployment(arn: string, stopType: "ROLLBACK", options?: AwsCallOptions): Promise<void>;
  /** Answers a pause hook. */
  continueServiceDeployment(
    input: {
      readonly serviceDeploymentArn: string;
      readonly hookId: string;
      readonly action: "CONTINUE" | "ROLLBACK";
    },
    options?: AwsCallOptions,
  ): Promise<void>;
  describeServiceRevisions(
    arns: readonly string[],
    options?: AwsCallOptions,
  ): Promise<readonly EcsServiceRevision[]>;
  /** The ARNs of at most 100 tasks, on as many pages as ECS spreads them over. */
  listTasks(cluster: string, filter: TaskFilter, options?: AwsCallOptions): Promise<readonly string[]>;
  /** At most 100 tasks; none asked for is no request. */
  describeTasks(cluster: string, tasks: readonly string[], options?: AwsCallOptions): Promise<DescribedTasks>;
  /** `input` is the whole request, sent as it is, `clientToken` included. */
  runTask(input: JsonObject, options?: AwsCallOptions): Promise<DescribedTasks>;
  stopTask(cluster: string, task: string, reason: string, options?: AwsCallOptions): Promise<void>;
  /** All active revisions of a family, newest first; one request a page of 100. */
  listTaskDefinitions(family: string, options?: AwsCallOptions): Promise<readonly string[]>;
  deregisterTaskDefinition(taskDefinition: string, options?: AwsCallOptions): Promise<void>;
}

/** DescribeTasks takes so many. */
const MOST_TASKS = 100;
const MOST_PAGES = 10;

/** The real thing over `call`. */
export function ecsApi(call: AwsCall): EcsApi {
  const ecs = (operation: string, input: JsonObject, options?: AwsCallOptions) =>
    call("ecs", operation, input, options);
  return {
    describeServices: async (cluster, services, options) => {
      const answer = await ecs("DescribeServices", { cluster, services }, options);
      return { services: list<JsonObject>(answer["services"]).map(serviceOf), failures: failuresOf(answer) };
    },
    serviceTags: async (cluster, service, options) => {
      const answer = await ecs(
        "DescribeServices",
        { cluster, services: [service], include: ["TAGS"] },
        options,
      );
      return list<EcsService>(answer["services"])[0]?.tags ?? [];
    },
    describeTaskDefinition: async (taskDefinition, options) =>
      definitionOf(await ecs("DescribeTaskDefinition", { taskDefinition, include: ["TAGS"] }, options)),
    registerTaskDefinition: async (definition, options) =>
      definitionOf(await ecs("RegisterTaskDefinition", definition, options)),
    updateService: async (input, options) =>
      serviceOf(object<JsonObject>((await ecs("UpdateService", input, options))["service"])),
    ...serviceDeployments(ecs),
    ...tasks(ecs),
    listTaskDefinitions: (familyPrefix, options) =>
      pages("taskDefinitionArns", (nextToken) =>
        ecs("ListTaskDefinitions", { familyPrefix, status: "ACTIVE", sort: "DESC", ...nextToken }, options),
      ),
    deregisterTaskDefinition: async (taskDefinition, options) => {
      await ecs("DeregisterTaskDefinition", { taskDefinition }, options);
    },
  };
}

type Ask = (operation: string, input: JsonObject, options?: AwsCallOptions) => Promise<JsonObject>;

type ServiceDeploymentCalls = Pick<
  EcsApi,
  | "continueServiceDeployment"
  | "describeServiceDeployments"
  | "describeServiceRevisions"
  | "listServiceDeployments"
  | "stopServiceDeployment"
>;

function serviceDeployments(ecs: Ask): ServiceDeploymentCalls {
  return {
    listServiceDeployments: async ({ cluster, service, status, after }, options) => {
      const input = {
        cluster,
        service,
        ...(status === undefined ? {} : { status }),
        ...(after === undefined ? {} : { createdAt: { after } }),
        maxResults: 100,
      };
      const answer = await ecs("ListServiceDeployments", input, options);
      return inSeconds(list<EcsServiceDeploymentBrief>(answer["serviceDeployments"]));
    },
    describeServiceDeployments: async (serviceDeploymentArns, options) => {
      const answer = await ecs("DescribeServiceDeployments", { serviceDeploymentArns }, options);
      return inSeconds(list<EcsServiceDeployment>(answer["serviceDeployments"]));
    },
    stopServiceDeployment: async (serviceDeploymentArn, stopType, options) => {
      await ecs("StopServiceDeployment", { serviceDeploymentArn, stopType }, options);
    },
    continueServiceDeployment: async (input, options) => {
      await ecs("ContinueServiceDeployment", input, options);
    },
    describeServiceRevisions: async (serviceRevisionArns, options) => {
      const answer = await ecs("DescribeServiceRevisions", { serviceRevisionArns }, options);
      return list<EcsServiceRevision>(answer["serviceRevisions"]);
    },
  };
}

type TaskCalls = Pick<EcsApi, "describeTasks" | "listTasks" | "runTask" | "stopTask">;

function tasks(ecs: Ask): TaskCalls {
  const tasksOf = (answer: JsonObject) => ({
    tasks: inSeconds(list<EcsTask>(answer["tasks"])),
    failures: failuresOf(answer),
  });
  return {
    listTasks: async (cluster, filter, options) => {
      const found: string[] = [];
      let next: JsonObject = {};
      // A page may hold fewer than were asked for and still not be the last.
      for (let page = 0; page < MOST_PAGES && found.length < MOST_TASKS; page++) {
        const answer = await ecs(
          "ListTasks",
          { cluster, ...filter, maxResults: MOST_TASKS, ...next },
          options,
        );
        found.push(...list<string>(answer["taskArns"]));
        const { nextToken } = answer;
        if (typeof nextToken !== "string" || nextToken === "") break;
        next = { nextToken };
      }
      return found.slice(0, MOST_TASKS);
    },
    describeTasks: async (cluster, arns, options) => {
      if (arns.length === 0) return { tasks: [], failures: [] };
      return tasksOf(await ecs("DescribeTasks", { cluster, tasks: arns.slice(0, MOST_TASKS) }, options));
    },
    runTask: async (input, options) => tasksOf(await ecs("RunTask", input, options)),
    stopTask: async (cluster, task, reason, options) => {
      await ecs("StopTask", { cluster, task, reason: reason.slice(0, 255) }, options);
    },
  };
}

function definitionOf(answer: JsonObject): DescribedTaskDefinition {
  return { taskDefinition: object(answer["taskDefinition"]), tags: list(answer["tags"]) };
}

function failuresOf(answer: JsonObject): readonly EcsFailure[] {
  return list<EcsFailure>(answer["failures"]);
}

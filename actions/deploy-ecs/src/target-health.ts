import type { AwsCallOptions } from "../../../lib/aws/call.ts";
import type { Cause } from "../../../lib/rollout/target.ts";
import type { EcsApi } from "./api/ecs.ts";
import type { EcsLoadBalancer, EcsTask } from "./api/ecs-types.ts";
import type { ElbApi, TargetHealth } from "./api/elb.ts";

/** Through which port of which container a service is reached, and in which target groups that may be. */
export interface Entrance {
  /** More than one for native blue/green: the new tasks are in one of the two. */
  readonly targetGroups: readonly string[];
  readonly container: string;
  readonly port: number;
}

/** What one look at the load balancer shows of the new tasks. */
export type TargetsSeen =
  | { readonly kind: "healthy"; readonly detail: string }
  /** `suspect` is what to report when it never gets better. */
  | { readonly kind: "waiting"; readonly detail: string; readonly suspect: Cause };

/** Whose targets are looked at. */
export interface TargetScene {
  readonly cluster: string;
  /** Name or ARN. */
  readonly service: string;
  /** Full ARN of the revision whose tasks are to be healthy. */
  readonly revision: string;
  readonly entrances: readonly Entrance[];
}

/** The entrances of a service behind target groups; classic load balancers have no targets to ask for. */
export function entrancesOf(loadBalancers: readonly EcsLoadBalancer[]): readonly Entrance[] {
  return loadBalancers.flatMap(
    ({ targetGroupArn = "", advancedConfiguration, containerName = "", containerPort = 0 }) => {
      const targetGroups = [targetGroupArn, advancedConfiguration?.alternateTargetGroupArn ?? ""].filter(
        Boolean,
      );
      return targetGroups.length === 0
        ? []
        : [{ targetGroups, container: containerName, port: containerPort }];
    },
  );
}

/**
 * Looks once whether the load balancers find every running task of `revision` healthy: a load
 * balancer without a healthy target lets requests through to all, so an HTTP answer alone proves
 * little. Two requests and one a target group.
 */
export async function lookAtTargets(
  apis: { readonly ecs: EcsApi; readonly elb: ElbApi },
  scene: TargetScene,
  options: AwsCallOptions = {},
): Promise<TargetsSeen> {
  const serviceName = scene.service.split("/").at(-1) ?? scene.service;
  const arns = await apis.ecs.listTasks(scene.cluster, { serviceName, desiredStatus: "RUNNING" }, options);
  const { tasks } = await apis.ecs.describeTasks(scene.cluster, arns, options);
  const groups = [...new Set(scene.entrances.flatMap(({ targetGroups }) => targetGroups))];
  const found = await Promise.all(groups.map((arn) => apis.elb.describeTargetHealth(arn, options)));
  const health = new Map(groups.map((arn, place) => [arn, found[place] ?? []]));
  const fresh = tasks.filter(
    ({ taskDefinitionArn, lastStatus }) => taskDefinitionArn === scene.revision && lastStatus === "RUNNING",
  );
  return judgeTargets(fresh, scene.entrances, health);
}

/** The verdict on what was read; pure. `tasks` are the new ones that run. */
export function judgeTargets(
  tasks: readonly EcsTask[],
  entrances: readonly Entrance[],
  health: ReadonlyMap<string, readonly TargetHealth[]>,
): TargetsSeen {
  if (tasks.length === 0) return waiting("no task of the new revision runs");
  let good = 0;
  for (const entrance of entrances) {
    const targets = entrance.targetGroups.flatMap((arn) => health.get(arn) ?? []);
    for (const task of tasks) {
      const own = targets.filter((target) => isOf(target, task, entrance));
      const state = stateOf(own);
      if (state !== "") return waiting(`target ${placeOf(task, entrance)} ${state}`);
      good++;
    }
  }
  return { kind: "healthy", detail: `${good} target${good === 1 ? "" : "s"} healthy` };
}

/** "" when one of a task's targets is healthy, else why none is. */
function stateOf(own: readonly TargetHealth[]): string {
  if (own.length === 0) return "is not registered";
  const states = own.map(({ TargetHealth: { State = "", Reason = "", Description = "" } = {} }) => ({
    // A group that no listener uses is never checked, and nobody comes through it.
    fine: State === "healthy" || State === "unavailable" || Reason === "Target.NotInUse",
    text: `is ${State}${Reason === "" ? "" : ` (${[Reason, Description].filter(Boolean).join(": ")})`}`,
  }));
  return states.some(({ fine }) => fine) ? "" : (states[0]?.text ?? "");
}

/**
 * Tasks with a network interface of their own are registered by its address and the container's port, others by
 * their instance and the host's port. Which instance it is would need a permission more: the port has to do.
 */
function isOf({ Target }: TargetHealth, task: EcsTask, entrance: Entrance): boolean {
  const addresses = addressesOf(task);
  if (addresses.length > 0) return addresses.includes(Target?.Id ?? "") && Target?.Port === entrance.port;
  return hostPorts(task, entrance).includes(Target?.Port ?? -1);
}

function addressesOf(task: EcsTask): readonly string[] {
  const ofContainers = (task.containers ?? []).flatMap(({ networkInterfaces = [] }) =>
    networkInterfaces.flatMap(({ privateIpv4Address, ipv6Address }) => [privateIpv4Address, ipv6Address]),
  );
  const ofTask = (task.attachments ?? [])
    .flatMap(({ details = [] }) => details)
    .filter(({ name }) => name === "privateIPv4Address" || name === "ipv6Address")
    .map(({ value }) => value);
  return [...new Set([...ofContainers, ...ofTask])].filter((text): text is string => (text ?? "") !== "");
}

function hostPorts(task: EcsTask, { container, port }: Entrance): readonly number[] {
  const bindings = (task.containers ?? []).find(({ name }) => name === container)?.networkBindings ?? [];
  return bindings.filter(({ containerPort }) => containerPort === port).map(({ hostPort = 0 }) => hostPort);
}

function placeOf(task: EcsTask, entrance: Entrance): string {
  const [address] = addressesOf(task);
  if (address !== undefined) return `${address}:${entrance.port}`;
  return `port ${hostPorts(task, entrance)[0] ?? entrance.port} of task ${task.taskArn?.split("/").at(-1) ?? "?"}`;
}

function waiting(detail: string): TargetsSeen {
  return {
    kind: "waiting",
    detail,
    suspect: {
      code: "TARGET_UNHEALTHY",
      message: `the load balancer does not find the new tasks healthy: ${detail}`,
      fix: "see that the container answers the target group's health check on its path and port",
    },
  };
}

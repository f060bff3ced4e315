import { copy, defined, FakeAwsError, type Json, type Operation } from "../types.ts";
import { usableDefinition } from "./definitions.ts";
import { activeRollout, beginRollout, primaryOf } from "./rollouts.ts";
import { showService } from "./show.ts";
import type { EcsState, FakeService } from "./state.ts";

/** The operations on services. */
export function serviceOperations(ecs: EcsState): Readonly<Record<string, Operation>> {
  return {
    DescribeServices: (input) => describe(ecs, input),
    UpdateService: (input) => update(ecs, input),
    ListServices: (input) => ({
      serviceArns: ecs.services
        .filter((one) => one.cluster === clusterName(input["cluster"]))
        .map((one) => one.arn),
    }),
  };
}

/** A cluster's name, from a name or an ARN. */
export function clusterName(value: unknown): string {
  return (
    String(value ?? "default")
      .split("cluster/")
      .at(-1) ?? "default"
  );
}

/** A service by name or ARN in a cluster; a missing cluster or service is AWS's error. */
export function findService(ecs: EcsState, input: Json): FakeService {
  const found = lookUp(ecs, clusterName(input["cluster"]), String(input["service"]));
  if (!found) throw new FakeAwsError("ServiceNotFoundException", "Service not found.");
  return found;
}

function lookUp(ecs: EcsState, cluster: string, name: string): FakeService | undefined {
  if (!ecs.clusters.has(cluster)) throw new FakeAwsError("ClusterNotFoundException", "Cluster not found.");
  const short = name.split("/").at(-1);
  return ecs.services.find((one) => one.cluster === cluster && (one.name === short || one.arn === name));
}

function describe(ecs: EcsState, input: Json): Json {
  const cluster = clusterName(input["cluster"]);
  const withTags = ((input["include"] ?? []) as readonly string[]).includes("TAGS");
  const services: Json[] = [];
  const failures: Json[] = [];
  for (const name of input["services"] as readonly string[]) {
    const found = lookUp(ecs, cluster, name);
    const stale = found?.stale && found.stale.until > ecs.time.now() ? found.stale : undefined;
    const missing = { arn: found?.arn ?? arnOf(ecs, cluster, name), reason: "MISSING" };
    if (!found) failures.push(missing);
    else if (!stale) services.push(showService(found, withTags));
    else if (stale.answer) services.push(copy(stale.answer));
    else if (ecs.staleReads?.as === "missing") failures.push(missing);
  }
  return { services, failures };
}

function arnOf(ecs: EcsState, cluster: string, name: string): string {
  const { partition, region, account } = ecs.place;
  return name.startsWith("arn:")
    ? name
    : `arn:${partition}:ecs:${region}:${account}:service/${cluster}/${name}`;
}

/** Members that are kept as they are sent and start no deployment. */
const quiet = [
  "deploymentConfiguration",
  "placementConstraints",
  "placementStrategy",
  "healthCheckGracePeriodSeconds",
  "enableExecuteCommand",
  "enableECSManagedTags",
  "propagateTags",
  "availabilityZoneRebalancing",
];
/** Members whose change starts a deployment. */
const loud = [
  "networkConfiguration",
  "platformVersion",
  "loadBalancers",
  "serviceRegistries",
  "capacityProviderStrategy",
  "serviceConnectConfiguration",
  "volumeConfigurations",
  "vpcLatticeConfigurations",
];
/** Members that DescribeServices shows on deployments only. */
const hidden = ["serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"];

function update(ecs: EcsState, input: Json): Json {
  const service = findService(ecs, input);
  if (service.status !== "ACTIVE")
    throw new FakeAwsError("ServiceNotActiveException", "Service was not ACTIVE.");
  refuseForeignController(service, input);
  const named = input["taskDefinition"];
  const definition = named === undefined ? service.definition : usableDefinition(ecs, String(named));
  const before = ecs.staleReads?.as === "before" ? showService(service, true) : undefined;
  let starts = definition !== service.definition || input["forceNewDeployment"] === true;
  for (const name of [...quiet, ...loud]) {
    if (input[name] === undefined || input[name] === null) continue;
    const changed = JSON.stringify(input[name]) !== JSON.stringify(service.members[name]);
    if (changed && loud.includes(name)) starts = true;
    if (!hidden.includes(name)) service.members[name] = copy(input[name]);
  }
  if (input["desiredCount"] !== undefined) scale(service, Number(input["desiredCount"]));
  service.definition = definition;
  if (starts && service.controller === "ECS") beginRollout(ecs, service, definition);
  const shown = showService(service, true);
  if (ecs.staleReads) service.stale = { until: ecs.time.now() + ecs.staleReads.forMs, answer: before };
  ecs.look(service);
  return { service: defined(shown) };
}

/** The service is to have so many tasks from now on. */
export function scale(service: FakeService, desired: number): void {
  service.desired = desired;
  const primary = primaryOf(service);
  if (primary) primary.desired = desired;
  const rollout = activeRollout(service);
  if (rollout?.back) rollout.back.deployment.desired = desired;
}

function refuseForeignController(service: FakeService, input: Json): void {
  if (service.controller === "ECS") return;
  const tabu = [
    "taskDefinition",
    "networkConfiguration",
    "loadBalancers",
    "platformVersion",
    "forceNewDeployment",
  ];
  if (!tabu.some((name) => input[name] !== undefined && input[name] !== false)) return;
  const how =
    service.controller === "CODE_DEPLOY"
      ? "Use AWS CodeDeploy to trigger a new deployment."
      : "Use CreateTaskSet instead.";
  throw new FakeAwsError(
    "InvalidParameterException",
    `Unable to update task definition on services with a ${service.controller} deployment controller. ${how}`,
  );
}

import { createHash } from "node:crypto";
import { list, object } from "../../../../lib/aws/answers.ts";
import type { JsonObject } from "../../../../lib/aws/call.ts";
import type { EcsService } from "../api/ecs-types.ts";
import { hostOf } from "../task/place.ts";

/** Names of an appspec are read in any case, as CodeDeploy does. */
function keyOf(record: JsonObject, name: string): string {
  return Object.keys(record).find((key) => key.toLowerCase() === name.toLowerCase()) ?? name;
}

/** The user's appspec with this revision in every resource; everything else stays as it is. */
export function withRevision(appspec: JsonObject, revision: string): JsonObject {
  const resourcesKey = keyOf(appspec, "Resources");
  const resources = list<JsonObject>(appspec[resourcesKey]).map((resource) =>
    Object.fromEntries(
      Object.entries(resource).map(([name, value]) => [name, inResource(object(value), revision)]),
    ),
  );
  return { ...appspec, [resourcesKey]: resources };
}

function inResource(resource: JsonObject, revision: string): JsonObject {
  const propertiesKey = keyOf(resource, "Properties");
  const properties = object<JsonObject>(resource[propertiesKey]);
  return { ...resource, [propertiesKey]: { ...properties, [keyOf(properties, "TaskDefinition")]: revision } };
}

/**
 * Whether a user's appspec would take the capacity providers from a service that has some: what an
 * appspec does not say, CodeDeploy removes. https://github.com/aws/containers-roadmap/issues/1752
 */
export function dropsCapacity(appspec: JsonObject, service: EcsService): boolean {
  if (hostOf(service).capacityProviderStrategy === undefined) return false;
  return list<JsonObject>(appspec[keyOf(appspec, "Resources")]).some((resource) =>
    Object.values(resource).some((value) => {
      const properties = object<JsonObject>(object<JsonObject>(value)[keyOf(object(value), "Properties")]);
      return properties[keyOf(properties, "CapacityProviderStrategy")] === undefined;
    }),
  );
}

/**
 * An appspec that deploys this revision as the service runs now; undefined when the service is
 * behind no target group, without which CodeDeploy deploys nothing.
 */
export function appspecOf(service: EcsService, revision: string): JsonObject | undefined {
  const sets = service.taskSets ?? [];
  const balancers = [service.loadBalancers, ...sets.map(({ loadBalancers }) => loadBalancers)];
  const balancer = balancers
    .flatMap((some) => some ?? [])
    .find(({ targetGroupArn }) => targetGroupArn !== undefined);
  if (balancer === undefined) return undefined;
  const { platformVersion, capacityProviderStrategy } = hostOf(service);
  const properties: JsonObject = {
    TaskDefinition: revision,
    LoadBalancerInfo: { ContainerName: balancer.containerName, ContainerPort: balancer.containerPort },
    ...(platformVersion === undefined ? {} : { PlatformVersion: platformVersion }),
    ...(capacityProviderStrategy === undefined
      ? {}
      : { CapacityProviderStrategy: capacityProviderStrategy.map(capitalised) }),
  };
  return {
    version: 0.0,
    Resources: [{ TargetService: { Type: "AWS::ECS::Service", Properties: properties } }],
  };
}

/** The appspec writes ECS's own names with a capital letter. */
function capitalised(members: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => [
      `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
      value,
    ]),
  );
}

/** `revision` of CreateDeployment. */
export function revisionContent(appspec: JsonObject): JsonObject {
  const content = JSON.stringify(appspec);
  const sha256 = createHash("sha256").update(content).digest("hex");
  return { revisionType: "AppSpecContent", appSpecContent: { content, sha256 } };
}

import { findDefinition, register } from "./ecs/definitions.ts";
import { beginRollout, finishRollout } from "./ecs/rollouts.ts";
import type { EcsState, FakeService, FakeTask, TaskDefinition } from "./ecs/state.ts";
import { becomeHealthy, becomeRunning, launch, type TaskEvents } from "./ecs/tasks.ts";
import { copy, type Json } from "./types.ts";

/** A service that exists when the story begins. */
export interface ServiceSetup {
  /** Default `app`. */
  readonly name?: string;
  /** Default `default`. */
  readonly cluster?: string;
  /** Image of the only container `app`; or a whole task definition (input of RegisterTaskDefinition). Default `app:1`. */
  readonly image?: string;
  readonly taskDefinition?: Json;
  /** Default 2. */
  readonly desired?: number;
  /** Behind the target group of this name; default: none. */
  readonly targetGroup?: string;
  readonly deploymentConfiguration?: Json;
  readonly controller?: "ECS" | "CODE_DEPLOY" | "EXTERNAL";
  /** Further members of the service, as DescribeServices shows them. */
  readonly members?: Json;
  readonly tags?: readonly Json[];
  readonly status?: FakeService["status"];
  /** `false`: nothing was ever deployed, so there is nothing to go back to; default: runs and COMPLETED. */
  readonly deployed?: boolean;
  /** `false`: as behind a classic load balancer, no rolloutState is shown. */
  readonly showRolloutState?: boolean;
}

/** A small Fargate task definition with one container. */
export function sampleDefinition(family: string, image: string, more: Json = {}): Json {
  return {
    family,
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    cpu: "256",
    memory: "512",
    executionRoleArn: "arn:aws:iam::123456789012:role/execution",
    taskRoleArn: "arn:aws:iam::123456789012:role/app",
    containerDefinitions: [
      {
        name: "app",
        image,
        essential: true,
        portMappings: [{ containerPort: 3000 }],
        environment: [{ name: "MODE", value: "production" }],
        logConfiguration: {
          logDriver: "awslogs",
          options: {
            "awslogs-group": `/ecs/${family}`,
            "awslogs-region": "eu-west-1",
            "awslogs-stream-prefix": "ecs",
          },
        },
      },
    ],
    ...more,
  };
}

/** Puts a running service into the world. */
export function addService(ecs: EcsState, events: TaskEvents, setup: ServiceSetup): FakeService {
  const { name = "app", cluster = "default", desired = 2, controller = "ECS", targetGroup } = setup;
  ecs.clusters.add(cluster);
  const definition = register(ecs, setup.taskDefinition ?? sampleDefinition(name, setup.image ?? "app:1"));
  const { partition, region, account } = ecs.place;
  const service: FakeService = {
    name,
    cluster,
    arn: `arn:${partition}:ecs:${region}:${account}:service/${cluster}/${name}`,
    createdAt: ecs.time.now(),
    members: copy({
      launchType: "FARGATE",
      platformVersion: "1.4.0",
      platformFamily: "Linux",
      schedulingStrategy: "REPLICA",
      loadBalancers: targetGroup === undefined ? [] : [loadBalancer(ecs, definition, targetGroup)],
      serviceRegistries: [],
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: ["subnet-1", "subnet-2"],
          securityGroups: ["sg-1"],
          assignPublicIp: "DISABLED",
        },
      },
      placementConstraints: [],
      placementStrategy: [],
      propagateTags: "NONE",
      enableECSManagedTags: true,
      enableExecuteCommand: false,
      ...setup.members,
      deploymentConfiguration: {
        maximumPercent: 200,
        minimumHealthyPercent: 100,
        strategy: "ROLLING",
        ...setup.deploymentConfiguration,
      },
    }),
    tags: setup.tags ?? [],
    status: setup.status ?? "ACTIVE",
    desired,
    definition,
    controller,
    deployments: [],
    rollouts: [],
    revisions: [],
    events: [],
    taskSets: () => [],
    tasks: [],
    scheduled: false,
    showRolloutState: setup.showRolloutState ?? true,
  };
  ecs.services.push(service);
  if (controller !== "EXTERNAL" && setup.deployed !== false) settle(ecs, events, service);
  if (controller === "ECS" && setup.deployed === false) beginRollout(ecs, service, definition);
  ecs.look(service);
  return service;
}

function loadBalancer(ecs: EcsState, definition: TaskDefinition, name: string): Json {
  const { partition, region, account } = ecs.place;
  const [container] = (definition.body["containerDefinitions"] ?? []) as readonly Json[];
  const [port] = (container?.["portMappings"] ?? []) as readonly Json[];
  return {
    targetGroupArn: `arn:${partition}:elasticloadbalancing:${region}:${account}:targetgroup/${name}/6d0ecf831eec9f09`,
    containerName: container?.["name"],
    containerPort: port?.["containerPort"] ?? 3000,
  };
}

/** As after a deployment long ago: COMPLETED, every task healthy. */
function settle(ecs: EcsState, events: TaskEvents, service: FakeService): void {
  const rollout = beginRollout(ecs, service, service.definition);
  const { deployment } = rollout;
  finishRollout(ecs, rollout, "SUCCESSFUL");
  if (service.controller !== "ECS") service.rollouts = [];
  deployment.rolloutState = "COMPLETED";
  deployment.rolloutStateReason = `ECS deployment ${deployment.id} completed.`;
  service.completed = deployment;
  for (let nth = 0; nth < service.desired; nth += 1) {
    const task = launch(ecs, events, {
      cluster: service.cluster,
      definition: service.definition,
      behaviour: { kind: "good" },
      startedBy: deployment.id,
      group: `service:${service.name}`,
      shown: { launchType: service.members["launchType"] },
      service,
      deployment,
    });
    deployment.launched += 1;
    if (!ecs.host) skipStart(ecs, events, task);
  }
}

function skipStart(ecs: EcsState, events: TaskEvents, task: FakeTask): void {
  for (const cancel of task.cancel.splice(0)) cancel();
  becomeRunning(ecs, events, task);
  becomeHealthy(events, task);
}

/** Someone else deploys: a new revision with this image, and the service updated to it. */
export function deployImage(ecs: EcsState, service: FakeService, image: string): TaskDefinition {
  const current = findDefinition(ecs, service.definition.arn) ?? service.definition;
  const body = writable(copy(current.body));
  const containers = body["containerDefinitions"] as Json[];
  if (containers[0]) containers[0]["image"] = image;
  const definition = register(ecs, { ...body, family: current.family });
  service.definition = definition;
  beginRollout(ecs, service, definition);
  ecs.look(service);
  return definition;
}

/** A described task definition without what only AWS writes into it. */
function writable(body: Json): Json {
  const { compatibilities, requiresAttributes, registeredAt, registeredBy, ...rest } = body;
  void [compatibilities, requiresAttributes, registeredAt, registeredBy];
  return rest;
}

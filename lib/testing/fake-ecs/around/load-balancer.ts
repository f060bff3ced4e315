import type { EcsState, FakeTask } from "../ecs/state.ts";
import { targetGroupOf } from "../ecs/tasks.ts";
import { copy, defined, FakeAwsError, type Json, type Operation } from "../types.ts";

/** ELBv2 as far as target groups go: what they say of the tasks of the services behind them. */
export function loadBalancerOperations(
  ecs: EcsState,
  settings: ReadonlyMap<string, Json>,
): Readonly<Record<string, Operation>> {
  return {
    DescribeTargetHealth: (input) => {
      const arn = String(input["TargetGroupArn"]);
      const group = groups(ecs, settings).find((one) => one["TargetGroupArn"] === arn);
      if (!group) throw missing(arn);
      const tasks = ecs.tasks.filter((task) => groupsOf(task).includes(arn) && task.target.state !== "none");
      const asked = input["Targets"] as readonly Json[] | undefined;
      const all = tasks.map((task) => showTarget(task));
      if (!asked) return { TargetHealthDescriptions: all };
      return {
        TargetHealthDescriptions: asked.map(
          (target) => all.find((one) => fits(one, target)) ?? unused(target),
        ),
      };
    },
    DescribeTargetGroups: (input) => {
      const known = groups(ecs, settings);
      const arns = input["TargetGroupArns"] as readonly string[] | undefined;
      const names = input["Names"] as readonly string[] | undefined;
      const stranger = arns?.find((arn) => !known.some((one) => one["TargetGroupArn"] === arn));
      if (stranger) throw missing(stranger);
      const found = known.filter(
        (one) =>
          (arns === undefined || arns.includes(String(one["TargetGroupArn"]))) &&
          (names === undefined || names.includes(String(one["TargetGroupName"]))),
      );
      return { TargetGroups: found };
    },
  };
}

function missing(arn: string): FakeAwsError {
  return new FakeAwsError("TargetGroupNotFound", `Target groups '${arn}' not found`);
}

/** Every target group that a service names, with the settings of a new one. */
function groups(ecs: EcsState, settings: ReadonlyMap<string, Json>): readonly Json[] {
  const arns = new Set(ecs.services.flatMap((service) => balancers(service.members).flatMap(arnsOf)));
  return [...arns].map((arn) => {
    const name = arn.split("/")[1] ?? "";
    return copy({
      TargetGroupArn: arn,
      TargetGroupName: name,
      Protocol: "HTTP",
      Port: 80,
      VpcId: "vpc-1",
      HealthCheckProtocol: "HTTP",
      HealthCheckPort: "traffic-port",
      HealthCheckEnabled: true,
      HealthCheckIntervalSeconds: 30,
      HealthCheckTimeoutSeconds: 5,
      HealthyThresholdCount: 5,
      UnhealthyThresholdCount: 2,
      HealthCheckPath: "/",
      Matcher: { HttpCode: "200" },
      LoadBalancerArns: [],
      TargetType: "ip",
      ProtocolVersion: "HTTP1",
      IpAddressType: "ipv4",
      ...settings.get(name),
    });
  });
}

function balancers(members: Json): readonly Json[] {
  return (members["loadBalancers"] ?? []) as readonly Json[];
}

function arnsOf(balancer: Json): readonly string[] {
  const advanced = (balancer["advancedConfiguration"] ?? {}) as Json;
  return [balancer["targetGroupArn"], advanced["alternateTargetGroupArn"]].filter(
    (arn): arn is string => typeof arn === "string",
  );
}

/** A task is in the group that its deployment uses: with two groups (blue/green) the deployments take turns. */
function groupsOf(task: FakeTask): readonly string[] {
  const first = targetGroupOf(task);
  const balancer = balancers(task.service?.members ?? {})[0];
  const both = balancer ? arnsOf(balancer) : [];
  if (both.length < 2 || !task.service || !task.deployment) return first === undefined ? [] : [first];
  const turn = task.service.revisions.indexOf(task.deployment.revision) % 2;
  return [both[turn] ?? ""];
}

function showTarget(task: FakeTask): Json {
  const { state, reason, description } = task.target;
  const port = portOf(task);
  return {
    Target: { Id: task.ip, Port: port, AvailabilityZone: `${task.arn.split(":")[3]}a` },
    HealthCheckPort: String(port),
    TargetHealth: defined({ State: state, Reason: reason, Description: description }),
  };
}

/** The port under which a task is registered. */
export function portOf(task: FakeTask): number {
  return Number(balancers(task.service?.members ?? {})[0]?.["containerPort"] ?? 80);
}

function fits(shown: Json, target: Json): boolean {
  const own = shown["Target"] as Json;
  return own["Id"] === target["Id"] && (target["Port"] === undefined || own["Port"] === target["Port"]);
}

function unused(target: Json): Json {
  return {
    Target: target,
    TargetHealth: {
      State: "unused",
      Reason: "Target.NotRegistered",
      Description: "Target is not registered to the target group",
    },
  };
}

import { findDefinition } from "./ecs/definitions.ts";
import { clusterName } from "./ecs/services.ts";
import type { EcsState } from "./ecs/state.ts";
import type { AwsService, Json } from "./types.ts";

/**
 * The resources that IAM judges a call by, as in AWS's service authorization
 * reference; `*` for actions that know no resource.
 */
export function resourcesOf(
  ecs: EcsState,
  service: AwsService,
  operation: string,
  input: Json,
  groupOf: (deploymentId: string) => { readonly application: string; readonly name: string } | undefined,
): readonly string[] {
  switch (service) {
    case "ecs":
      return ecsResources(ecs, operation, input);
    case "logs": {
      const group = input["logGroupName"] ?? String(input["logGroupIdentifier"]).split(":").at(-1);
      return [arn(ecs, "logs", `log-group:${String(group)}:log-stream:${String(input["logStreamName"])}`)];
    }
    case "events":
      return [arn(ecs, "events", `rule/${String(input["Rule"] ?? input["Name"])}`)];
    case "scheduler":
      return [
        arn(ecs, "scheduler", `schedule/${String(input["GroupName"] ?? "default")}/${String(input["Name"])}`),
      ];
    case "codedeploy":
      return [codeDeployResource(ecs, operation, input, groupOf(String(input["deploymentId"])))];
    default:
      return ["*"];
  }
}

function arn(ecs: EcsState, service: string, rest: string): string {
  const { partition, region, account } = ecs.place;
  return `arn:${partition}:${service}:${region}:${account}:${rest}`;
}

function ecsResources(ecs: EcsState, operation: string, input: Json): readonly string[] {
  const cluster = clusterName(input["cluster"]);
  const service = (name: unknown) => arn(ecs, "ecs", `service/${cluster}/${String(name).split("/").at(-1)}`);
  switch (operation) {
    case "DescribeServices":
      return ((input["services"] ?? []) as readonly string[]).map(service);
    case "UpdateService":
    case "ListServiceDeployments":
      return [service(input["service"])];
    case "RunTask": {
      const name = String(input["taskDefinition"]);
      return [findDefinition(ecs, name)?.arn ?? arn(ecs, "ecs", `task-definition/${name}`)];
    }
    case "StopTask":
      return [taskArn(ecs, cluster, input["task"])];
    case "DescribeTasks":
      return ((input["tasks"] ?? []) as readonly unknown[]).map((task) => taskArn(ecs, cluster, task));
    case "DescribeServiceDeployments":
      return (input["serviceDeploymentArns"] ?? []) as readonly string[];
    case "StopServiceDeployment":
    case "ContinueServiceDeployment":
      return [String(input["serviceDeploymentArn"])];
    case "DescribeServiceRevisions":
      return (input["serviceRevisionArns"] ?? []) as readonly string[];
    default:
      // Register, Describe, List and DeregisterTaskDefinition know no resource; ListTasks only a condition.
      return ["*"];
  }
}

function taskArn(ecs: EcsState, cluster: string, task: unknown): string {
  return String(task).startsWith("arn:") ? String(task) : arn(ecs, "ecs", `task/${cluster}/${String(task)}`);
}

function codeDeployResource(
  ecs: EcsState,
  operation: string,
  input: Json,
  group: { readonly application: string; readonly name: string } | undefined,
): string {
  const { deploymentConfigName } = input;
  const applicationName = input["applicationName"] ?? group?.application;
  const deploymentGroupName = input["deploymentGroupName"] ?? group?.name;
  if (operation === "GetDeploymentConfig")
    return arn(ecs, "codedeploy", `deploymentconfig:${String(deploymentConfigName)}`);
  if (operation === "RegisterApplicationRevision")
    return arn(ecs, "codedeploy", `application:${String(applicationName)}`);
  if (applicationName === undefined) return "*";
  return arn(ecs, "codedeploy", `deploymentgroup:${String(applicationName)}/${String(deploymentGroupName)}`);
}

import { sampleDefinition } from "../set-up.ts";
import type { Json } from "../types.ts";
import type { FakeAws } from "../world.ts";

/** What a caller sees of a service's deployments: `PRIMARY app:2 IN_PROGRESS 1/2 failed 0`. */
export async function deploymentsOf(aws: FakeAws, service = "app"): Promise<readonly string[]> {
  const answer = await aws.call("ecs", "DescribeServices", { services: [service] });
  const shown = (answer["services"] as Json[])[0]?.["deployments"] as Json[];
  return shown.map((one) => {
    const revision = String(one["taskDefinition"]).split("/").at(-1);
    const counts = `${String(one["runningCount"])}/${String(one["desiredCount"])} failed ${String(one["failedTasks"])}`;
    return `${String(one["status"])} ${revision} ${String(one["rolloutState"])} ${counts}`;
  });
}

/** The newest service deployment, described. */
export async function rolloutOf(aws: FakeAws, service = "app"): Promise<Json> {
  const listed = await aws.call("ecs", "ListServiceDeployments", { service });
  const arn = (listed["serviceDeployments"] as Json[])[0]?.["serviceDeploymentArn"];
  const answer = await aws.call("ecs", "DescribeServiceDeployments", { serviceDeploymentArns: [arn] });
  return (answer["serviceDeployments"] as Json[])[0] ?? {};
}

/** Registers the image and updates the service to it, as a caller does; returns the revision's ARN. */
export async function deploy(aws: FakeAws, image: string, service = "app"): Promise<string> {
  const registered = await aws.call("ecs", "RegisterTaskDefinition", sampleDefinition(service, image));
  const arn = String((registered["taskDefinition"] as Json)["taskDefinitionArn"]);
  await aws.call("ecs", "UpdateService", { service, taskDefinition: arn });
  return arn;
}

/** The tasks of the service that were told to stop, described. */
export async function stoppedOf(aws: FakeAws, serviceName = "app"): Promise<readonly Json[]> {
  const listed = await aws.call("ecs", "ListTasks", { serviceName, desiredStatus: "STOPPED" });
  const tasks = listed["taskArns"] as string[];
  if (tasks.length === 0) return [];
  return (await aws.call("ecs", "DescribeTasks", { tasks }))["tasks"] as Json[];
}

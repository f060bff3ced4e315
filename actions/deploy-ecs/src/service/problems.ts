import type { EcsService } from "../api/ecs-types.ts";
import type { Inputs } from "../inputs/model.ts";
import { strategyOf } from "./stages.ts";

/** Why this service cannot be deployed to, one sentence for each reason; empty when it can. */
export function serviceProblems(service: EcsService | undefined, inputs: Inputs): readonly string[] {
  const { cluster, name } = inputs.service;
  if (!service) return [`\`service\` is \`${name}\`: there is no such service in the cluster \`${cluster}\``];
  const problems: string[] = [];
  if (service.status === "DRAINING" || service.status === "INACTIVE") {
    problems.push(`\`service\` is \`${name}\`: it is ${service.status}, since somebody has deleted it`);
  }
  const controller = service.deploymentController?.type ?? "ECS";
  if (controller === "EXTERNAL") {
    problems.push(
      `\`service\` is \`${name}\`: it is under the EXTERNAL deployment controller, whose task sets only its own deployer may change`,
    );
  }
  if (service.resourceManagementType === "ECS") {
    problems.push(
      `\`service\` is \`${name}\`: ECS Express Mode manages it; deploy it with UpdateExpressGatewayService`,
    );
  }
  if (controller === "ECS" && inputs.codeDeploy.given.length > 0) {
    const given = inputs.codeDeploy.given.map((one) => `\`${one}\``).join(", ");
    problems.push(`${given}: \`${name}\` is under the ECS deployment controller, not under CODE_DEPLOY`);
  }
  const { until } = inputs.watch;
  if (until !== "completed" && strategyOf(service.deploymentConfiguration) === "ROLLING") {
    problems.push(
      `\`wait-until\` is \`${until}\`: \`${name}\` deploys rolling, which has no lifecycle stages; use \`completed\``,
    );
  }
  if (inputs.service.desiredCount !== undefined && service.schedulingStrategy === "DAEMON") {
    problems.push("`desired-count` is given, but a DAEMON service runs one task on each instance");
  }
  return problems;
}

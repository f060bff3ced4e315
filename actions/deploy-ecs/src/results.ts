import type { RunContext } from "../../../lib/action.ts";
import { isGivenId } from "./api/legible.ts";
import type { Inputs } from "./inputs/model.ts";
import { publish as publishFacts } from "./outputs.ts";
import type { Tally } from "./service/tally.ts";

/** Sets the outputs that the run learned by itself, its part of the report and of the summary. */
export function publish(
  context: Pick<RunContext, "draft" | "clock">,
  inputs: Inputs,
  tally: Tally,
  region: string,
): void {
  const { draft, clock } = context;
  const isBack = draft.outputs.get("rolled-back") === "true";
  publishFacts(draft, {
    place: { region, cluster: inputs.service.cluster, service: inputs.service.name },
    revision: tally.revision,
    digest: inputs.rollout.dryRun ? "" : tally.digest,
    images: tally.images,
    previous: tally.previous,
    differences: tally.differences,
    deploymentId: isGivenId(tally.deployment) ? tally.deployment : "",
    serviceDeploymentArn: tally.serviceDeployment,
    codeDeployId: tally.codeDeployDeployment,
    taskArns: tally.tasks,
    taskExitCode: tally.taskExitCode,
    imageDigests: tally.digests,
    wayBack:
      tally.backSince > 0
        ? { revision: isBack ? tally.backTo : "", ms: clock.now() - tally.backSince }
        : undefined,
    healthUrl: inputs.health.url,
    healthStatus: tally.healthStatus,
  });
}

import { AwsError } from "../../../lib/aws/errors.ts";
import { asked } from "../../../lib/aws/retry.ts";
import { UserError } from "../../../lib/errors.ts";
import type { Target } from "../../../lib/rollout/target.ts";
import type { EcsService } from "./api/ecs-types.ts";
import { CodeDeployTarget } from "./codedeploy/target.ts";
import type { EcsPorts } from "./service/ports.ts";
import { bakeOf } from "./service/stages.ts";
import type { Tally } from "./service/tally.ts";
import { EcsTarget } from "./service/target.ts";
import { readService } from "./service/update.ts";

/** Who deploys to a service. */
export interface Chosen {
  readonly controller: "ECS" | "CODE_DEPLOY";
  readonly target: Target & { readonly tally: Tally };
  /** Waits that the service's own strategy adds, milliseconds. */
  readonly bakeMs: number;
}

/** Looks at the service and chooses by its deployment controller, which may change between two runs. */
export async function chooseTarget(ports: EcsPorts, signal: AbortSignal): Promise<Chosen> {
  const { inputs, clock } = ports;
  const target = new EcsTarget(ports);
  if (inputs.service.name === "") return { controller: "ECS", target, bakeMs: 0 };
  const service = await asked(() => lookAt(ports, signal), { clock, signal });
  if (service?.deploymentController?.type === "CODE_DEPLOY") {
    const other = new CodeDeployTarget(ports);
    const bakeMs = await asked(() => other.waits(signal), { clock, signal });
    other.prime(service);
    return { controller: "CODE_DEPLOY", target: other, bakeMs };
  }
  target.inspection.prime(service);
  return { controller: "ECS", target, bakeMs: bakeOf(service?.deploymentConfiguration) };
}

async function lookAt(ports: EcsPorts, signal: AbortSignal): Promise<EcsService | undefined> {
  try {
    return await readService(ports, signal);
  } catch (error) {
    if (error instanceof AwsError && error.name === "ClusterNotFoundException") {
      throw new UserError([`\`cluster\` is \`${ports.inputs.service.cluster}\`: there is no such cluster`]);
    }
    throw error;
  }
}

/** The target of a main step that was killed. */
export function resumedTarget(ports: EcsPorts, controller: unknown): Target {
  return controller === "CODE_DEPLOY" ? new CodeDeployTarget(ports) : new EcsTarget(ports);
}

import type { Green, RunContext } from "../../../lib/action.ts";
import { type Aws, connectAws } from "../../../lib/aws/client.ts";
import { loaders } from "./api/sdk.ts";
import { deploy } from "./deploy.ts";
import type { Inputs } from "./inputs.ts";

/** The main step, against the AWS that the environment names. */
export async function run(inputs: Inputs, context: RunContext): Promise<Green> {
  return deploy(inputs, context, connect(inputs, context));
}

/** AWS as the inputs and the environment name it; nothing is asked before the first call. */
export function connect(inputs: Inputs, context: Pick<RunContext, "env" | "log" | "mask">): Aws {
  const { env, log, mask } = context;
  return connectAws({ loaders, region: inputs.service.region, env, log, mask });
}

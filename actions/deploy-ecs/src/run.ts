import type { Green, RunContext } from "../../../lib/action.ts";
import type { Aws } from "../../../lib/aws/client.ts";
import type { Inputs } from "./inputs/model.ts";

/** The main step, against the AWS that the environment names. */
export async function run(inputs: Inputs, context: RunContext): Promise<Green> {
  // Loaded here: inputs that are refused need none of it.
  const { deploy } = await import("./deploy.ts");
  return deploy(inputs, context, await connect(inputs, context));
}

/** AWS as the inputs and the environment name it; nothing is asked before the first call. */
export async function connect(
  inputs: Inputs,
  context: Pick<RunContext, "env" | "log" | "mask">,
): Promise<Aws> {
  const { connectAws } = await import("../../../lib/aws/client.ts");
  const { loaders } = await import("./api/sdk.ts");
  const { env, log, mask } = context;
  return connectAws({ loaders, region: inputs.service.region, env, log, mask });
}

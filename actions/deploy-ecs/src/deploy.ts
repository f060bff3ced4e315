import { randomUUID } from "node:crypto";
import type { Green, RunContext } from "../../../lib/action.ts";
import type { Aws } from "../../../lib/aws/client.ts";
import { formatDuration } from "../../../lib/clock.ts";
import { apiUrlOf, recorded } from "../../../lib/github/deployments.ts";
import { probe } from "../../../lib/http.ts";
import { type RolloutPorts, rollOut } from "../../../lib/rollout/driver.ts";
import type { Options } from "../../../lib/rollout/model.ts";
import { evidenceBlock } from "../../../lib/summary.ts";
import { apisOver } from "./api/apis.ts";
import { chooseTarget } from "./choose-target.ts";
import type { Inputs } from "./inputs/model.ts";
import { nothingAsked } from "./inputs/nothing-asked.ts";
import { publish } from "./results.ts";
import { Meter } from "./service/meter.ts";
import { remembering } from "./service/notes.ts";
import type { EcsPorts } from "./service/ports.ts";
import { STALE_MS } from "./service/watch/memory.ts";

/** What a run reaches beyond this machine. */
export type Remotes = Aws & Partial<Pick<EcsPorts, "probe">>;

/** The story: look at the service, choose who deploys to it, roll out, tell how it ended. */
export async function deploy(inputs: Inputs, context: RunContext, aws: Remotes): Promise<Green> {
  const { draft, github } = context;
  if (github.sha !== "") draft.used({ type: "commit", name: github.sha, digest: "" });
  if (nothingAsked(inputs)) {
    context.log.annotate({
      level: "warning",
      title: "deploy-ecs",
      message:
        "no input asks for a change, so the service keeps what it runs: is `image` empty because an earlier job pushed none?",
    });
  }
  const token = randomUUID();
  context.state.save("token", token);
  const ports = portsOf(inputs, context, aws, token);
  const chosen = await context.phase("look", () => chooseTarget(ports, context.signal));
  context.state.save("controller", chosen.controller);
  const { target } = chosen;
  try {
    const options = optionsOf(inputs, chosen.bakeMs, ports);
    const record = inputs.rollout.dryRun ? undefined : inputs.record;
    const recordPorts = { ...context, apiUrl: apiUrlOf(context.env), url: () => inputs.health.url };
    const rollout: RolloutPorts = context;
    const green = await recorded(record, recordPorts, () => rollOut(target, options, rollout));
    // A revision alone serves nobody, so the rollout does not call it a change; for the user it is one.
    if (inputs.service.name === "" && green === "succeeded") draft.output("changed", true);
    return green;
  } catch (error) {
    draft.summary += evidenceBlock(error);
    throw error;
  } finally {
    const region = await aws.region().then(
      ({ name }) => name,
      () => "",
    );
    publish(context, inputs, target.tally, region);
  }
}

/** What every part of the action needs, from the inputs and the run. */
export function portsOf(
  inputs: Inputs,
  context: Pick<RunContext, "clock" | "log" | "mask" | "state">,
  aws: Remotes,
  token: string,
): EcsPorts {
  const { clock, log, mask, state } = context;
  const meter = new Meter(clock);
  const apis = apisOver(meter.counted(aws.call));
  return {
    apis,
    inputs,
    clock,
    log,
    mask,
    state: remembering(state),
    meter,
    token,
    probe: aws.probe ?? probe,
  };
}

/** The service's own bakes are waits that the user has asked for: they are not taken from `timeout`. */
function optionsOf(inputs: Inputs, bakeMs: number, { log }: EcsPorts): Options {
  const { rollout, watch } = inputs;
  if (bakeMs > 0) {
    log.info(`the service's own strategy waits ${formatDuration(bakeMs)}: added to \`timeout\``);
  }
  return {
    ...rollout,
    timeoutMs: rollout.timeoutMs + bakeMs,
    rollbackTimeoutMs: rollout.rollbackTimeoutMs + bakeMs,
    pollMs: watch.pollIntervalMs,
    settleMs: STALE_MS,
  };
}

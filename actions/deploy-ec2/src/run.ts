import type { Green, RunContext } from "../../../lib/action.ts";
import { apiUrlOf, recorded } from "../../../lib/github/deployments.ts";
import { rollOut } from "../../../lib/rollout/driver.ts";
import { evidenceBlock } from "../../../lib/summary.ts";
import { makeRelease } from "./artifact.ts";
import { Fleet } from "./fleet.ts";
import { fleetPorts } from "./fleet-ports.ts";
import type { Inputs } from "./inputs.ts";
import { prune, status, unlock } from "./maintain.ts";
import { publish, serviceUrl } from "./outputs.ts";
import { hostResults } from "./results.ts";
import { newToken, openSessions } from "./sessions.ts";

/** Ceiling between two looks, and how long a lost launch may still land; milliseconds. */
const POLL_MS = 2000;
const SETTLE_MS = 3000;

/** The story: make the release, reach the hosts, do what was asked, tell how every host ended. */
export async function run(inputs: Inputs, context: RunContext): Promise<Green> {
  const { draft, github } = context;
  if (github.sha !== "") draft.used({ type: "commit", name: github.sha, digest: "" });
  const release =
    inputs.action === "deploy"
      ? await context.phase("source", () => makeRelease(inputs, context))
      : undefined;
  const token = newToken();
  context.state.save("token", token);
  const sessions = await openSessions(inputs, token, context);
  const fleet = new Fleet(fleetPorts(inputs, context, sessions.all, token, release));
  const startedAt = context.clock.now();
  try {
    if (inputs.action === "status") return await status(inputs, context, fleet);
    if (inputs.action === "prune") return await prune(inputs, context, fleet);
    if (inputs.action === "unlock") return await unlock(inputs, context, fleet);
    const options = { ...inputs.rollout, pollMs: POLL_MS, settleMs: SETTLE_MS };
    const record = inputs.rollout.dryRun ? undefined : inputs.record;
    const ports = { ...context, apiUrl: apiUrlOf(context.env), url: () => serviceUrl(inputs) };
    const green = await recorded(record, ports, () => rollOut(fleet, options, context));
    const digest = fleet.tally.digest;
    if (green !== "planned") draft.made({ type: "release", name: fleet.tally.release, digest });
    return green;
  } catch (error) {
    draft.summary += evidenceBlock(error);
    throw error;
  } finally {
    const results = await hostResults(fleet, startedAt);
    publish(context, inputs, fleet, results);
    sessions.close();
  }
}

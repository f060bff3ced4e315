import { apiUrlOf, closeRecord } from "../../../lib/github/deployments.ts";
import type { PostContext } from "../../../lib/post.ts";
import { ReportDraft } from "../../../lib/report.ts";
import { resume, unfinished } from "../../../lib/rollout/resume.ts";
import type { Remotes } from "./deploy.ts";
import type { Inputs } from "./inputs/model.ts";
import { parseInputs } from "./inputs.ts";
import { connect } from "./run.ts";

/**
 * After the main step: nothing to do when it ended by itself. When it was killed, the
 * rollout is taken up from its saved state: gone back or proven.
 */
export async function afterwards(context: PostContext): Promise<void> {
  return takeUp(context, (inputs) => connect(inputs, context));
}

/** The same against any AWS. */
export async function takeUp(
  context: PostContext,
  connectTo: (inputs: Inputs) => Remotes | Promise<Remotes>,
): Promise<void> {
  const saved = unfinished(context.state);
  const token = context.state.load("token");
  // Not finished: the main step has judged them, and a file that is gone by now must not stand in the way back.
  const inputs = parseInputs(context.read, context.github);
  try {
    if (!saved || typeof token !== "string") return;
    // Loaded here: most post steps have nothing to do.
    const { portsOf } = await import("./deploy.ts");
    const { resumedTarget } = await import("./choose-target.ts");
    const ports = portsOf(inputs, context, await connectTo(inputs), token);
    const target = resumedTarget(ports, context.state.load("controller"));
    await resume(saved, target, {
      ...context,
      draft: new ReportDraft(),
      phase: (name, body) => context.log.group(name, body),
    });
  } finally {
    await closeRecord(inputs.record, { ...context, apiUrl: apiUrlOf(context.env) });
  }
}

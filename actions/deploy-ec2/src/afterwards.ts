import { apiUrlOf, closeRecord } from "../../../lib/github/deployments.ts";
import type { PostContext } from "../../../lib/post.ts";
import { ReportDraft } from "../../../lib/report.ts";
import { resume, unfinished } from "../../../lib/rollout/resume.ts";
import { Fleet } from "./fleet.ts";
import { fleetPorts } from "./fleet-ports.ts";
import { parseInputs } from "./inputs.ts";
import { openSessions } from "./sessions.ts";

/**
 * After the main step: nothing to do when it ended by itself. When it was
 * killed, the rollout is taken up from its saved state: gone back or proven,
 * and the lock given back. The key comes from the inputs again, never from state.
 */
export async function afterwards(context: PostContext): Promise<void> {
  const saved = unfinished(context.state);
  const token = context.state.load("token");
  if (!saved || typeof token !== "string" || !/^[0-9a-f]{16}$/.test(token)) return;
  const inputs = parseInputs(context.read, context.github);
  context.read.finish();
  const sessions = await openSessions(inputs, token, context);
  const fleet = new Fleet(fleetPorts(inputs, context, sessions.all, token, undefined));
  try {
    // Killed before it asked for the lock: the hosts do not know of this run.
    const known = saved.lock !== "none" || saved.touched !== "no";
    if (known) await Promise.all(sessions.all.map((session) => fleet.takeUp(session)));
    await resume(saved, fleet, {
      ...context,
      draft: new ReportDraft(),
      phase: (name, body) => context.log.group(name, body),
    });
  } finally {
    await closeRecord(inputs.record, { ...context, apiUrl: apiUrlOf(context.env) });
    sessions.close();
  }
}

import { asked } from "../../../../lib/aws/retry.ts";
import { messageOf } from "../../../../lib/errors.ts";
import { causeOf } from "../../../../lib/rollout/faults.ts";
import type { Call, CommitResult } from "../../../../lib/rollout/target.ts";
import { prune } from "../prune.ts";
import { moveSchedules, restoreSchedules } from "../schedules/schedules.ts";
import type { Change, ServiceBefore } from "./model.ts";
import type { EcsPorts } from "./ports.ts";

/** Lets the schedules run the proven revision. A schedule that cannot be moved is a failed deployment. */
export async function moveAll(
  ports: EcsPorts,
  change: Change,
  revision: string,
  call: Call,
): Promise<CommitResult> {
  if (change.schedules.length === 0) return { kind: "committed" };
  const { clock, log } = ports;
  const options = { signal: call.signal };
  try {
    const moved = await asked(
      () => moveSchedules(schedulePorts(ports), change.schedules, revision, options),
      { clock, signal: call.signal },
    );
    log.info(`${moved} schedule targets now run ${revision.split("/").at(-1) ?? revision}`);
    return { kind: "committed" };
  } catch (error) {
    call.signal.throwIfAborted();
    return { kind: "failed", cause: { ...causeOf(error, "permanent"), message: messageOf(error) } };
  }
}

/** Puts the schedules back, where they run this run's revision. Idempotent. */
export async function restoreAll(
  ports: EcsPorts,
  change: Change | null,
  revision: string,
  call: Call,
): Promise<void> {
  if (!change || change.schedules.length === 0 || revision === "") return;
  const { clock, log } = ports;
  const options = { signal: call.signal };
  const restored = await asked(
    () => restoreSchedules(schedulePorts(ports), change.schedules, revision, options),
    { clock, signal: call.signal },
  );
  if (restored > 0) log.info(`${restored} schedule targets run what they ran before`);
}

/** Deregisters old revisions; what goes wrong with it is only a warning. */
export async function pruneFamily(
  ports: EcsPorts,
  change: Change,
  before: ServiceBefore | null,
  revision: string,
  call: Call,
): Promise<void> {
  const { apis, inputs, log } = ports;
  if (inputs.keepRevisions === 0) return;
  const scheduled = change.schedules.flatMap(({ targets }) => targets.map(({ from }) => from));
  const used = new Set([revision, before?.revision ?? "", before?.proven ?? "", ...scheduled]);
  try {
    const pruned = await prune(
      apis.ecs,
      change.family,
      { keep: inputs.keepRevisions, used },
      { signal: call.signal },
    );
    if (pruned.length > 0) log.info(`deregistered ${pruned.length} old revisions of ${change.family}`);
  } catch (error) {
    call.signal.throwIfAborted();
    log.warn(`old revisions were not all deregistered: ${messageOf(error)}`);
  }
}

function schedulePorts({ apis }: EcsPorts): Parameters<typeof moveSchedules>[0] {
  return { events: apis.events, scheduler: apis.scheduler };
}

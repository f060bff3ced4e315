import type { Call, CommitResult, RollBackResult } from "../../../lib/rollout/target.ts";
import { each } from "./each.ts";
import { isFinal } from "./facts.ts";
import type { Fleet, FleetAttempt, Handle } from "./fleet.ts";
import { launchOn } from "./launch.ts";
import { quote } from "./shell.ts";
import { lookAll, type Seen } from "./watch.ts";

const PAUSE_MS = 100;
/** Host scripts act on a verdict within a tenth of a second; pruning large releases takes longer. */
const COMMIT_MS = 60_000;

/** Tells every host script that its release is proven, and waits until each has written that down. */
export async function commitAll(fleet: Fleet, attempt: FleetAttempt, call: Call): Promise<CommitResult> {
  const { clock } = fleet.ports;
  const results = await each(fleet.touched(attempt), async (step) => {
    const session = fleet.session(step.name);
    if ((await session.look()).state !== "committed") await session.tell("commit");
    const end = clock.now() + COMMIT_MS;
    for (;;) {
      const standing = await session.look();
      if (standing.state === "committed") return "";
      if (isFinal(standing.state) || clock.now() > end)
        return `${step.name}: ${standing.text || standing.state}`;
      await clock.sleep(PAUSE_MS, call.signal);
    }
  });
  const bad = results.find((result) => result !== "");
  if (bad === undefined) return { kind: "committed" };
  const message = `the new release was proven, but a host did not keep it: ${bad}`;
  return { kind: "failed", cause: { code: "COMMIT_FAILED", message, fix: "look at that host" } };
}

/** Sends every host that this run has touched back to what it was. */
export async function goBackAll(
  fleet: Fleet,
  attempt: FleetAttempt,
  call: Call,
): Promise<RollBackResult<Handle>> {
  const seen = await lookAll(fleet, attempt);
  const moved = seen.find(({ standing }) => standing.state === "superseded");
  if (moved) return { kind: "moved", by: `${moved.step.name}: ${moved.standing.text || "another run"}` };
  const launched = seen.filter(({ standing }) => standing.state !== "none");
  await each(launched, (item) => sendBack(fleet, item, call));
  await discardUnused(fleet, attempt, launched);
  if (launched.length === 0) return { kind: "untouched" };
  if (launched.every(({ step }) => step.previous === "")) {
    await waitForRemoval(fleet, launched, call);
    return { kind: "nothing-to-go-back-to", detail: "the new process was stopped, and `current` is gone" };
  }
  return { kind: "started", handle: { launched: launched.map(({ step }) => step.name) } };
}

async function sendBack(fleet: Fleet, { step, standing }: Seen, call: Call): Promise<void> {
  const session = fleet.session(step.name);
  const { state, running } = standing;
  const ended = state === "committed" || state === "left" || state === "failed";
  if (running && !isFinal(state)) await session.tell("rollback");
  // Its script has ended, by its word or by force: another one goes back.
  else if (ended || !isFinal(state)) await launchOn(session, step, fleet.launchSettings(call), "recover");
}

/** Releases that were brought to hosts of later batches and never started. */
async function discardUnused(fleet: Fleet, attempt: FleetAttempt, launched: readonly Seen[]): Promise<void> {
  const all = attempt.change?.batches.flat() ?? [];
  const unused = all.filter((step) => step.fresh && !launched.some((item) => item.step.name === step.name));
  await Promise.allSettled(
    unused.map((step) => fleet.session(step.name).call(`discard ${quote(step.release)}`, "cleaning up")),
  );
}

async function waitForRemoval(fleet: Fleet, launched: readonly Seen[], call: Call): Promise<void> {
  await each(launched, async ({ step }) => {
    while (!isFinal((await fleet.session(step.name).look()).state))
      await fleet.ports.clock.sleep(PAUSE_MS, call.signal);
  });
}

import { formatDuration } from "../../../lib/clock.ts";
import type { Call, Cause, Observation } from "../../../lib/rollout/target.ts";
import { each } from "./each.ts";
import type { Fleet, FleetAttempt } from "./fleet.ts";
import type { HostStep } from "./plan.ts";
import type { Standing } from "./session.ts";

/** A look waits so long for something new, so that a start is seen within a tenth of a second, milliseconds. */
const LONG_LOOK_MS = 2000;
const PAUSE_MS = 100;

/** A host and how its script stands. */
export interface Seen {
  readonly step: HostStep;
  readonly standing: Standing;
}

/** Reads all hosts that this run may have touched. */
export async function lookAll(fleet: Fleet, attempt: FleetAttempt): Promise<Seen[]> {
  return each(fleet.touched(attempt), async (step) => ({
    step,
    standing: await fleet.session(step.name).look(),
  }));
}

/** Looks at the new release on every host touched so far. */
export async function watch(fleet: Fleet, attempt: FleetAttempt, call: Call): Promise<Observation> {
  const { clock, inputs } = fleet.ports;
  const end = clock.now() + LONG_LOOK_MS;
  for (;;) {
    const seen = await lookAll(fleet, attempt);
    const bad = seen.map((item) => judgeNew(item)).find((result) => result !== undefined);
    if (bad) return bad;
    const waiting = seen.filter(
      ({ standing }) => !["listening", "committed", "left"].includes(standing.state),
    );
    if (waiting.length === 0) return { kind: "ready", detail: readyText(seen, inputs.service.appPort) };
    for (const { step, standing } of waiting) {
      // What runs before may take all of its `stop-timeout`: the new release's time begins after that.
      if (standing.state === "stopping") fleet.tally.launchedAt.set(step.name, clock.now());
    }
    const slow = waiting.find(({ step }) => sinceStart(fleet, step) > inputs.health.timeoutMs);
    if (slow) return { kind: "failed", cause: notListening(fleet, slow) };
    if (clock.now() >= end) {
      return {
        kind: "progressing",
        detail: waiting.map(({ step, standing }) => `${step.name}: ${standing.state}`).join(", "),
        suspect: notListening(fleet, waiting[0] as Seen),
      };
    }
    await clock.sleep(PAUSE_MS, call.signal);
  }
}

function readyText(seen: readonly Seen[], port: number): string {
  const names = seen.map(({ step }) => step.name).join(", ");
  return `${names}: the new release listens on port ${port}`;
}

/** What makes a host's state final for the new release; undefined while there is hope. */
export function judgeNew({ step, standing }: Seen): Observation | undefined {
  const { state, code, text } = standing;
  if (state === "superseded") return { kind: "superseded", by: `${step.name}: ${text || "another run"}` };
  const failing = [
    "failed",
    "rolling-back",
    "restarting",
    "restored",
    "rolled-back",
    "removed",
    "rollback-failed",
  ];
  if (failing.includes(state)) {
    return {
      kind: "failed",
      cause: { code: code || "START_FAILED", message: `${step.name}: ${text}`, ...fixOf(code) },
    };
  }
  const dead = !standing.running && ["launching", "stopping", "starting", "listening"].includes(state);
  // A script that was only just started has not written down who it is yet.
  if (state === "none" || (dead && state !== "launching")) {
    const message = `${step.name}: the host script ended in the state ${state}`;
    return {
      kind: "failed",
      cause: { code: "HOST_SCRIPT_LOST", message, fix: "look at the host: was it restarted?" },
    };
  }
  return undefined;
}

function fixOf(code: string): { fix?: string } {
  const fixes: Readonly<Record<string, string>> = {
    START_FAILED: "read the last log lines; try `command` by hand in the release folder",
    PORT_IN_USE: "stop the process that holds the port, or choose another `app-port`",
    SUPERSEDED: "look at the other run; it deploys once this one has gone back",
    HEALTH_CHECK_FAILED: "read the last log lines, and check `health-check-path` and `app-port`",
  };
  const fix = fixes[code];
  return fix === undefined ? {} : { fix };
}

/** Milliseconds since the new release was started on a host; 0 when this process did not start it. */
function sinceStart(fleet: Fleet, step: HostStep): number {
  const { clock } = fleet.ports;
  return clock.now() - (fleet.tally.launchedAt.get(step.name) ?? clock.now());
}

function notListening(fleet: Fleet, { step, standing }: Seen): Cause {
  const { appPort } = fleet.ports.inputs.service;
  if (standing.state === "stopping") {
    return {
      code: "TIMED_OUT",
      message: `${step.name}: what ran before has not stopped yet`,
      fix: "raise `timeout`, or lower `stop-timeout`",
    };
  }
  return {
    code: "HEALTH_CHECK_FAILED",
    message: `${step.name}: the new release runs, but did not listen on port ${appPort} within ${formatDuration(sinceStart(fleet, step))}`,
    fix: "let it listen on the port in PORT, or correct `app-port`",
  };
}

/** Looks at the old release, on the way back. */
export async function watchBack(fleet: Fleet, attempt: FleetAttempt, call: Call): Promise<Observation> {
  const { clock } = fleet.ports;
  const end = clock.now() + LONG_LOOK_MS;
  for (;;) {
    const seen = await lookAll(fleet, attempt);
    for (const { step, standing } of seen) {
      const { state, text } = standing;
      if (state === "superseded") return { kind: "superseded", by: `${step.name}: ${text || "another run"}` };
      if (state === "rollback-failed") return { kind: "failed", cause: stillBad(step, text) };
    }
    const done = ["restored", "rolled-back", "removed", "none"];
    const waiting = seen.filter(({ standing }) => !done.includes(standing.state));
    if (waiting.length === 0) return { kind: "ready", detail: "the release before serves again" };
    const detail = waiting.map(({ step, standing }) => `${step.name}: ${standing.state}`).join(", ");
    if (clock.now() >= end) return { kind: "progressing", detail };
    await clock.sleep(PAUSE_MS, call.signal);
  }
}

function stillBad(step: HostStep, text: string): Cause {
  return {
    code: "ROLLBACK_FAILED",
    message: `${step.name}: ${text}`,
    fix: `look at ${step.name}: ${step.previous} was started again and is not well`,
  };
}

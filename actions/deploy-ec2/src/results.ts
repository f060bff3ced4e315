import type { Fleet } from "./fleet.ts";
import type { HostResult } from "./outputs.ts";

/** The outcome of a host by the last state of its script; a host that this run did not switch is `unchanged`. */
const OUTCOMES: Readonly<Record<string, string>> = {
  committed: "succeeded",
  none: "unchanged",
  "rolled-back": "rolled-back",
  // Started again, but nobody has proven it.
  restored: "rollback-failed",
  "rollback-failed": "rollback-failed",
  superseded: "superseded",
};

/** Time for a last look at each host, milliseconds: a run that is over does not wait for one that is gone. */
const LAST_LOOK_MS = 3000;

/** How every host ended; a host that cannot be asked any more is `unknown`, one that was never reached `unreachable`. */
export async function hostResults(fleet: Fleet, startedAt: number): Promise<HostResult[]> {
  const { sessions, clock } = fleet.ports;
  return Promise.all(
    sessions.map(async (session) => {
      const sent = fleet.tally.sent.get(session.host.name);
      let outcome = session.reached ? "unknown" : "unreachable";
      if (session.reached) {
        const timer = new Promise<undefined>((resolve) =>
          setTimeout(() => resolve(undefined), LAST_LOOK_MS).unref(),
        );
        const standing = await Promise.race([session.look().catch(() => undefined), timer]);
        if (standing) outcome = OUTCOMES[standing.state] ?? "failed";
      }
      return {
        host: session.host.name,
        outcome,
        seconds: (clock.now() - startedAt) / 1000,
        bytesSent: sent?.bytesSent ?? 0,
        bytesReused: sent?.bytesReused ?? 0,
      };
    }),
  );
}

import type { GitHubContext } from "../../../lib/github-context.ts";
import type { ConnectPorts } from "./connect.ts";
import type { FleetPorts } from "./fleet.ts";
import type { Inputs } from "./inputs.ts";
import { diskBytes } from "./manifest.ts";
import type { HostSession } from "./session.ts";
import type { NewRelease } from "./wanted.ts";

/** What the fleet needs, from the inputs and the run. */
export function fleetPorts(
  inputs: Inputs,
  context: ConnectPorts & { readonly github: GitHubContext },
  sessions: readonly HostSession[],
  token: string,
  release: NewRelease | undefined,
): FleetPorts {
  const { github, clock, log } = context;
  const mode = inputs.action === "rollback" ? "rollback" : "deploy";
  const since = new Date(clock.now()).toISOString();
  return {
    inputs,
    release,
    sessions,
    clock,
    log,
    wanted: {
      mode,
      release: mode === "rollback" && !inputs.release.releaseGiven ? "" : inputs.release.release,
      digest: release?.digest ?? "",
      target: inputs.release.target,
      appPort: inputs.service.appPort,
      diskBytes: release ? diskBytes(release.entries) : 0,
      files: release?.entries.length ?? 0,
      runNumber: github.runNumber,
      workflow: github.workflow,
      force: inputs.release.force,
      sudo: inputs.service.sudo,
      batch: inputs.batch,
      token,
    },
    holder: `${github.runUrl || `run ${github.runId || "on a laptop"}`} by ${github.actor || "somebody"} since ${since}`,
    run: `${github.runNumber} ${github.workflow}`,
  };
}

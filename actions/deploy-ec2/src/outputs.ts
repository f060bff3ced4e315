import type { RunContext } from "../../../lib/action.ts";
import { escapeMarkdown, table } from "../../../lib/summary.ts";
import { formatBytes } from "./bytes.ts";
import type { Fleet } from "./fleet.ts";
import type { Inputs } from "./inputs.ts";

/** Every output of action.yml. */
export const OUTPUTS = [
  "outcome",
  "changed",
  "rolled-back",
  "failure-code",
  "failure-reason",
  "duration-seconds",
  "url",
  "health-status",
  "report",
  "release",
  "previous-release",
  "hosts",
  "bytes-sent",
  "files-sent",
] as const;

/** How one host ended, as the `hosts` output and the report tell it. */
export interface HostResult {
  readonly host: string;
  readonly outcome: string;
  readonly seconds: number;
  readonly bytesSent: number;
  readonly bytesReused: number;
}

/** Sets the outputs that the run learned by itself, and the action's part of the summary. */
export function publish(
  context: RunContext,
  inputs: Inputs,
  fleet: Fleet,
  results: readonly HostResult[],
): void {
  const { draft } = context;
  const sent = [...fleet.tally.sent.values()];
  if (fleet.tally.release !== "") {
    draft.output("release", fleet.tally.release);
    draft.output("previous-release", fleet.tally.previous);
  }
  draft.output("hosts", JSON.stringify(results));
  draft.output(
    "bytes-sent",
    sent.reduce((sum, item) => sum + item.bytesSent, 0),
  );
  draft.output(
    "files-sent",
    sent.reduce((sum, item) => sum + item.filesSent, 0),
  );
  draft.output("url", serviceUrl(inputs));
  if (fleet.tally.healthStatus > 0) draft.output("health-status", fleet.tally.healthStatus);
  draft.set("hosts", results);
  const rows = results.map((result) => [
    escapeMarkdown(result.host),
    result.outcome,
    `${result.seconds.toFixed(1)} s`,
    formatBytes(result.bytesSent),
    formatBytes(result.bytesReused),
  ]);
  draft.summary += `\n${table(["host", "outcome", "time", "sent", "reused"], rows)}`;
}

/** Where the service answers: the URL that is probed, else the first host's port. */
export function serviceUrl(inputs: Inputs): string {
  const address = inputs.access.hosts[0]?.address ?? "";
  return inputs.health.url || `http://${urlHost(address)}:${inputs.service.appPort}`;
}

function urlHost(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

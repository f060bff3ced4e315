import type { EcsEvent } from "../api/ecs-types.ts";
import { startFailure } from "./start-failures.ts";
import { groupName } from "./stop-reasons.ts";

/** What a service's own history says about a failed deployment. */
export interface EventCause {
  readonly code: string;
  /** One line, no full stop. */
  readonly message: string;
  readonly fix: string;
  readonly fatal: boolean;
}

/** An event without the `(service NAME)` that all of them begin with, on one line. */
export function eventText({ message = "" }: EcsEvent): string {
  return message
    .replace(/^\(service [^)]*\)\s*/, "")
    .replace(/^service \S+\s+/, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** The failure in one event; undefined for those that only tell what ECS does. */
export function eventCause(event: EcsEvent): EventCause | undefined {
  const text = eventText(event);
  const unhealthy =
    /\bis unhealthy in \(?(?:target-group )?([^)\s]+)\)? due to \(reason:? (.+?)\)?\.?$/i.exec(text);
  if (unhealthy !== null) {
    return {
      code: "TARGET_UNHEALTHY",
      message: `the load balancer finds the new tasks unhealthy in target group ${groupName(unhealthy[1] ?? "")}: ${unhealthy[2]?.replace(/\)$/, "")}`,
      fix: "see that the container answers the target group's health check on its path and port",
      fatal: false,
    };
  }
  const placed = /unable to place a task\b.*?(?:Reason: (.+))?$/i.exec(text);
  if (placed !== null) {
    const why =
      (placed[1] ?? text).split(/ The closest matching| For more information/)[0]?.replace(/\.\s*$/, "") ??
      "";
    return {
      code: "NO_CAPACITY",
      message: `no place is found for a task: ${why}`,
      fix: "add capacity or another availability zone, ask for less CPU and memory, or raise the account's quota",
      fatal: false,
    };
  }
  if (!/failed to (launch|start)|unable to (assume|start)|was unable to/i.test(text)) return undefined;
  if (/unable to consistently start tasks/i.test(text)) return undefined;
  return startFailure(text);
}

import type { EcsEvent, EcsService } from "../../api/ecs-types.ts";

const UNPLACED = /unable to place a task|capacity is unavailable/i;
const STARTED = /has started \d+ tasks?/i;

/** Events of a service since a moment of the server (seconds since the epoch), newest first. */
export function eventsSince(service: EcsService | undefined, since: number): readonly EcsEvent[] {
  return (service?.events ?? []).filter((event) => (event.createdAt ?? 0) >= since && since > 0);
}

/** Why no place is found for a task, when that is the last word on starting any; else "". */
export function placementTrouble(service: EcsService, since: number): string {
  const last = eventsSince(service, since).find(
    ({ message = "" }) => UNPLACED.test(message) || STARTED.test(message),
  );
  const message = last?.message ?? "";
  return UNPLACED.test(message) ? message.replace(/^\(service [^)]*\)\s*/, "").replace(/\s+/g, " ") : "";
}

/** Tasks that ECS says to have started since then: more than are wanted means that some had to be replaced. */
export function startedSince(service: EcsService | undefined, since: number): number {
  return eventsSince(service, since).reduce(
    (sum, { message = "" }) => sum + Number(/has started (\d+) tasks?/i.exec(message)?.[1] ?? 0),
    0,
  );
}

/** ECS has written that it takes this deployment back. */
export function tellsOfRollback(service: EcsService, deployment: string): boolean {
  if (deployment === "") return false;
  return (service.events ?? []).some(
    ({ message = "" }) =>
      message.includes(deployment) && /deployment failed|rolling back|rolled back/i.test(message),
  );
}

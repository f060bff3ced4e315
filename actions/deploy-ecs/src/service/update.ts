import type { JsonObject } from "../../../../lib/aws/call.ts";
import { AwsError } from "../../../../lib/aws/errors.ts";
import { asked } from "../../../../lib/aws/retry.ts";
import { backoff } from "../../../../lib/poll.ts";
import type { Call } from "../../../../lib/rollout/target.ts";
import type { EcsDeployment, EcsService } from "../api/ecs-types.ts";
import type { Inputs } from "../inputs/model.ts";
import { primaryOf } from "./before.ts";
import type { ServiceBefore } from "./model.ts";
import type { EcsPorts } from "./ports.ts";

/** After a cancel a change that is out has so long to be answered, milliseconds: its answer says what to take back. */
const LAST_WORD_MS = 800;
const THROTTLED_TRIES = 6;

/** UpdateService's request: cluster, service, task definition, and only what the user set. */
export function updateRequest(inputs: Inputs, revision: string, members: JsonObject): JsonObject {
  const { cluster, name } = inputs.service;
  return { cluster, service: name, taskDefinition: revision, ...members };
}

/** The members of UpdateService that the user set. */
export function membersOf({ service }: Inputs): JsonObject {
  const members = {
    desiredCount: service.desiredCount,
    forceNewDeployment: service.forceNewDeployment || undefined,
    propagateTags: service.propagateTags,
    enableECSManagedTags: service.enableEcsManagedTags,
    volumeConfigurations: service.volumeConfigurations,
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** What puts the members that were sent back to what they were before. */
export function membersBack(before: ServiceBefore, members: JsonObject): JsonObject {
  const then: JsonObject = {
    desiredCount: before.desired,
    propagateTags: before.propagateTags,
    enableECSManagedTags: before.managedTags,
    volumeConfigurations: before.volumes,
  };
  return Object.fromEntries(Object.entries(then).filter(([name]) => members[name] !== undefined));
}

/** The service now; rejects when it cannot be read. undefined: ECS does not show it. */
export async function readService(ports: EcsPorts, signal: AbortSignal): Promise<EcsService | undefined> {
  const { cluster, name } = ports.inputs.service;
  const { services } = await ports.apis.ecs.describeServices(cluster, [name], { signal });
  return services[0];
}

/** The same for a moment at which nobody else asks again. */
export function readServicePatiently(ports: EcsPorts, call: Call): Promise<EcsService | undefined> {
  const { clock } = ports;
  return asked(() => readService(ports, call.signal), { clock, signal: call.signal });
}

/**
 * Sends UpdateService. A throttled request was not carried out, so it is sent again; any other fault is thrown,
 * since nobody knows what became of it. A cancel lets the answer come for a moment.
 */
export async function sendUpdate(ports: EcsPorts, request: JsonObject, call: Call): Promise<EcsService> {
  for (let tries = 1; ; tries++) {
    try {
      return await ports.apis.ecs.updateService(request, { signal: lingering(ports, call.signal) });
    } catch (error) {
      if (!wasThrottled(error) || tries >= THROTTLED_TRIES) throw error;
      await ports.clock.sleep(backoff(tries, 500, 8000), call.signal);
    }
  }
}

/** Notes for a later process that UpdateService is about to leave. */
export function noteSent({ state }: EcsPorts): void {
  state.save("update-sent", true);
}

/** Whether UpdateService has, or may have, left this run. */
export function wasSent({ state }: EcsPorts): boolean {
  return state.load("update-sent") === true;
}

/** Refused before anything was done: throttled. */
export function wasThrottled(error: unknown): boolean {
  return (
    error instanceof AwsError && (/^(Throttl|TooMany|RequestLimit)/.test(error.name) || error.status === 429)
  );
}

/** AWS has said no: nothing was done. */
export function wasRefused(error: unknown): error is AwsError {
  return error instanceof AwsError && (error.fault !== "transient" || wasThrottled(error));
}

/** Aborted a moment after `signal`. */
function lingering({ clock }: EcsPorts, signal: AbortSignal): AbortSignal {
  const late = new AbortController();
  const abort = () => void clock.sleep(LAST_WORD_MS).then(() => late.abort(signal.reason));
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return late.signal;
}

/**
 * A deployment that somebody else began between our last look and our change: the change has pushed it aside. Undefined:
 * none. `known` are the ids from before.
 */
export function overrun(
  answer: EcsService,
  known: readonly string[],
  ours: string,
): EcsDeployment | undefined {
  const primary = primaryOf(answer);
  return (answer.deployments ?? []).find(
    (one) =>
      one !== primary &&
      !known.includes(one.id ?? "") &&
      one.taskDefinition !== ours &&
      one.rolloutState !== "FAILED",
  );
}

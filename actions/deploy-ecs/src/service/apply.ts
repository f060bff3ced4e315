import { AwsError } from "../../../../lib/aws/errors.ts";
import { causeOf } from "../../../../lib/rollout/faults.ts";
import type { ApplyResult, Call, Cause } from "../../../../lib/rollout/target.ts";
import type { EcsDeployment, EcsService } from "../api/ecs-types.ts";
import { nameOf, primaryOf } from "./before.ts";
import { type EcsAttempt, type Handle, revisionOf, type ServiceBefore, shortRevision } from "./model.ts";
import type { EcsPorts } from "./ports.ts";
import { noteSent, overrun, readServicePatiently, sendUpdate, updateRequest, wasRefused } from "./update.ts";

/** Makes the service run the new revision, if it still is as it was inspected. */
export async function changeService(
  ports: EcsPorts,
  attempt: EcsAttempt,
  call: Call,
): Promise<ApplyResult<Handle>> {
  const { service: before } = attempt.before;
  const { update } = attempt.change;
  if (!before || !update) throw new Error("no service to change");
  const revision = revisionOf(attempt);
  const now = await lookBefore(ports, call);
  if ("kind" in now) return now;
  const moved = movedSince(now.service, before);
  if (moved) return { kind: "moved", by: moved };
  const request = updateRequest(ports.inputs, revision, update.members);
  let answer: EcsService;
  noteSent(ports);
  try {
    answer = await sendUpdate(ports, request, call);
  } catch (error) {
    if (!wasRefused(error)) throw error;
    return { kind: "not-applied", cause: refusedBy(error, revision) };
  }
  const theirs = overrun(answer, before.deployments, revision);
  if (theirs) return putBack(ports, theirs, call);
  return { kind: "applied", handle: handleOf(attempt, answer, ports.clock.now()) };
}

/** A look that fails is no reason to believe that something was changed. */
async function lookBefore(
  ports: EcsPorts,
  call: Call,
): Promise<{ readonly service: EcsService | undefined } | ApplyResult<Handle>> {
  try {
    return { service: await readServicePatiently(ports, call) };
  } catch (error) {
    const message = "the time was up, or the run was cancelled, before the service was changed";
    if (call.signal.aborted) return { kind: "not-applied", cause: { code: "TIMED_OUT", message } };
    if (!(error instanceof AwsError)) throw error;
    return { kind: "not-applied", cause: causeOf(error, error.fault === "denied" ? "denied" : "permanent") };
  }
}

/** Who has moved the service since it was inspected; "" when nobody has. */
export function movedSince(service: EcsService | undefined, before: ServiceBefore): string {
  if (!service || service.status === "INACTIVE" || service.status === "DRAINING") {
    return "whoever deletes the service";
  }
  const primary = primaryOf(service);
  const fresh = (service.deployments ?? []).find((one) => !before.deployments.includes(one.id ?? ""));
  if (fresh) return nameOf(primary && primary.id !== before.primary ? primary : fresh);
  return primary?.id === before.primary || primary === undefined ? "" : nameOf(primary);
}

/** Ours went through though theirs had begun a moment before: theirs is put back, since it was not ours to end. */
async function putBack(ports: EcsPorts, theirs: EcsDeployment, call: Call): Promise<ApplyResult<Handle>> {
  const by = nameOf(theirs);
  ports.log.warn(`${by} had begun a moment before this run's change and was pushed aside: putting it back`);
  await sendUpdate(ports, updateRequest(ports.inputs, theirs.taskDefinition ?? "", {}), call);
  return { kind: "moved", by };
}

/** What is known of our deployment from an answer that shows it. */
export function handleOf(attempt: EcsAttempt, answer: EcsService, now: number): Handle {
  const revision = revisionOf(attempt);
  const primary = primaryOf(answer);
  const ours = primary?.taskDefinition === revision ? primary : undefined;
  return {
    revision,
    registered: attempt.handle?.registered ?? false,
    tasks: attempt.handle?.tasks ?? [],
    updated: { deployment: ours?.id ?? "", createdAt: ours?.createdAt ?? 0, at: now },
  };
}

function refusedBy(error: AwsError, revision: string): Cause {
  const cause = causeOf(error, "permanent");
  return { ...cause, message: `${cause.message}; ${shortRevision(revision)} stays registered` };
}

/** What became of an UpdateService whose answer was lost; reads only. */
export async function locateChange(
  ports: EcsPorts,
  attempt: EcsAttempt,
  service: EcsService | undefined,
): Promise<ApplyResult<Handle>> {
  const { service: before } = attempt.before;
  const { update } = attempt.change;
  if (!before || !update) throw new Error("no service to look at");
  const revision = revisionOf(attempt);
  const notThere: ApplyResult<Handle> = {
    kind: "not-applied",
    cause: { code: "REMOTE_FAILED", message: "UpdateService was not answered and has changed nothing" },
  };
  if (!service) return notThere;
  const ours = (service.deployments ?? []).find(
    (one) => one.taskDefinition === revision && !before.deployments.includes(one.id ?? ""),
  );
  if (ours) {
    const handle = handleOf(attempt, service, ports.clock.now());
    const updated = { deployment: ours.id ?? "", createdAt: ours.createdAt ?? 0, at: ports.clock.now() };
    return { kind: "applied", handle: { ...handle, updated } };
  }
  const moved = movedSince(service, before);
  if (moved) return { kind: "moved", by: moved };
  const quiet = !update.startsDeployment && hasMembers(service, update.members);
  if (!quiet) return notThere;
  return { kind: "applied", handle: handleOf(attempt, service, ports.clock.now()) };
}

/** Whether a service shows what was sent, for changes that start no deployment. */
function hasMembers(service: EcsService, members: Readonly<Record<string, unknown>>): boolean {
  const shown: Readonly<Record<string, unknown>> = {
    desiredCount: service.desiredCount,
    propagateTags: service.propagateTags,
    enableECSManagedTags: service.enableECSManagedTags,
  };
  return Object.entries(members).every(([name, value]) => !(name in shown) || shown[name] === value);
}

import { AwsError } from "../../../../lib/aws/errors.ts";
import { messageOf } from "../../../../lib/errors.ts";
import { causeOf } from "../../../../lib/rollout/faults.ts";
import type { Call, RollBackResult } from "../../../../lib/rollout/target.ts";
import type { EcsDeployment, EcsService } from "../api/ecs-types.ts";
import { nameOf, primaryOf } from "./before.ts";
import { type EcsAttempt, type Handle, type ServiceBefore, shortRevision } from "./model.ts";
import type { EcsPorts } from "./ports.ts";
import { membersBack, overrun, sendUpdate, updateRequest, wasRefused, wasSent } from "./update.ts";
import type { Binding } from "./watch/binding.ts";
import { type Memory, oursIn } from "./watch/memory.ts";

/** States of a service deployment that may still be told to go back. */
const STOPPABLE = new Set(["PENDING", "IN_PROGRESS", "STOP_REQUESTED"]);

/** What the way back needs to know. */
export interface BackFacts {
  readonly service: EcsService;
  readonly memory: Memory;
  readonly binding: Binding;
}

/** The revision that is to serve again. */
export function goalOf(before: ServiceBefore): string {
  return before.proven || before.revision;
}

/** Takes the service back to what was proven before, if nobody else has moved it since. */
export async function takeBack(
  ports: EcsPorts,
  attempt: EcsAttempt,
  { service, memory, binding }: BackFacts,
  call: Call,
): Promise<RollBackResult<Handle>> {
  const { before } = memory;
  const members = attempt.change.update?.members ?? {};
  const primary = primaryOf(service);
  if ((service.status ?? "ACTIVE") !== "ACTIVE" || !primary)
    return { kind: "moved", by: "whoever deletes the service" };
  const mine = oursIn(service, memory);
  const known = before.deployments.includes(primary.id ?? "");
  // Ours is there: however its answer was lost, nothing more of it can come.
  const landed = mine ? ({ landed: true } as const) : {};
  if (primary !== mine && !known) return { ...answerToOther(primary, memory, ports), ...landed };
  if (!memory.startsDeployment) return restoreMembers(ports, service, memory, members, call);
  const answered = (attempt.handle?.updated ?? null) !== null;
  if (!mine && !answered) return wasSent(ports) ? { kind: "untouched" } : { kind: "untouched", final: true };
  const isActive = mine?.rolloutState !== "COMPLETED" && mine?.rolloutState !== "FAILED";
  const stop = isActive && before.proven === before.revision && Object.keys(members).every(isHarmless);
  if (stop && (await stopOurs(ports, memory, binding, call))) return { kind: "restored", ...landed };
  if (!mine && (await hasEnded(ports, binding, call))) return { kind: "restored" };
  return { ...(await goBack(ports, before, memory.revision, members, call)), ...landed };
}

/** Not ours, and made since: ECS's own way back, an earlier one of ours, or somebody else's change. */
function answerToOther(
  primary: EcsDeployment,
  { before, revision }: Memory,
  ports: EcsPorts,
): RollBackResult<Handle> {
  const goal = goalOf(before);
  if (primary.taskDefinition !== goal || goal === revision) return { kind: "moved", by: nameOf(primary) };
  if (before.proven === "") return neverProven(goal);
  ports.log.info(`${nameOf(primary)} is on its way already: nothing is sent`);
  return { kind: "started", handle: backHandle(goal, primary, ports.clock.now()) };
}

function neverProven(goal: string): RollBackResult<Handle> {
  return {
    kind: "nothing-to-go-back-to",
    detail: `the service was set back to ${shortRevision(goal)}, which has never been proven to run`,
  };
}

/** Members that StopServiceDeployment takes back by itself, or that leave nothing behind. */
function isHarmless(member: string): boolean {
  return member === "forceNewDeployment";
}

/** Asks ECS to take our own service deployment back: that can never hit somebody else's. */
async function stopOurs(ports: EcsPorts, memory: Memory, binding: Binding, call: Call): Promise<boolean> {
  if (binding.arn === "" && memory.before.strategy !== "ROLLING") await bindNow(memory, binding, call);
  else if (binding.arn === "") await binding.confirm(memory, call);
  if (binding.arn === "") return false;
  try {
    await ports.apis.ecs.stopServiceDeployment(binding.arn, "ROLLBACK", { signal: call.signal });
    ports.log.info(`asked ECS to roll ${binding.arn.split("/").at(-1) ?? ""} back`);
    return true;
  } catch (error) {
    if (!wasRefused(error) || error.fault === "expired") throw error;
    if (error.fault === "denied") {
      ports.log.annotate({
        level: "notice",
        title: "deploy-ecs: ecs:StopServiceDeployment",
        message: `${messageOf(error)}; going back by UpdateService`,
      });
    }
    return false;
  }
}

/** With traffic still on the old version, ECS's own way back is instant: worth two more calls. */
async function bindNow(memory: Memory, binding: Binding, call: Call): Promise<void> {
  await binding.list(memory, call);
  await binding.confirm(memory, call);
}

/** Our service deployment is over or on its way back, though the service does not show ours any more. */
async function hasEnded(ports: EcsPorts, binding: Binding, call: Call): Promise<boolean> {
  if (binding.arn === "") return false;
  const [rollout] = await ports.apis.ecs.describeServiceDeployments([binding.arn], { signal: call.signal });
  return rollout?.status !== undefined && !STOPPABLE.has(rollout.status);
}

async function goBack(
  ports: EcsPorts,
  before: ServiceBefore,
  ours: string,
  members: Readonly<Record<string, unknown>>,
  call: Call,
): Promise<RollBackResult<Handle>> {
  const goal = goalOf(before);
  if (goal === ours) {
    const detail = `${shortRevision(ours)} was only deployed anew, and its task definition cannot say what ran before`;
    return { kind: "nothing-to-go-back-to", detail };
  }
  let answer: EcsService;
  try {
    answer = await sendUpdate(ports, updateRequest(ports.inputs, goal, membersBack(before, members)), call);
  } catch (error) {
    if (!wasRefused(error)) throw error;
    return { kind: "failed", cause: causeOf(error, error.fault === "denied" ? "denied" : "permanent") };
  }
  const theirs = overrun(answer, [...before.deployments], ours);
  if (theirs) {
    ports.log.warn(`${nameOf(theirs)} had begun a moment before and was pushed aside: putting it back`);
    await sendUpdate(ports, updateRequest(ports.inputs, theirs.taskDefinition ?? "", {}), call);
    return { kind: "moved", by: nameOf(theirs) };
  }
  if (before.proven === "") return neverProven(goal);
  const primary = primaryOf(answer);
  const started = primary?.taskDefinition === goal ? primary : undefined;
  return { kind: "started", handle: backHandle(goal, started, ports.clock.now()) };
}

/** No deployment was started: count and tags are set back. */
async function restoreMembers(
  ports: EcsPorts,
  service: EcsService,
  memory: Memory,
  members: Readonly<Record<string, unknown>>,
  call: Call,
): Promise<RollBackResult<Handle>> {
  const { before } = memory;
  const back = membersBack(before, members);
  const shown: Readonly<Record<string, unknown>> = {
    desiredCount: service.desiredCount,
    propagateTags: service.propagateTags ?? "NONE",
    enableECSManagedTags: service.enableECSManagedTags ?? false,
  };
  if (Object.entries(back).every(([name, value]) => shown[name] === value)) return { kind: "untouched" };
  try {
    await sendUpdate(ports, updateRequest(ports.inputs, before.revision, back), call);
  } catch (error) {
    if (!(error instanceof AwsError) || !wasRefused(error)) throw error;
    return { kind: "failed", cause: causeOf(error, error.fault === "denied" ? "denied" : "permanent") };
  }
  return { kind: "restored" };
}

function backHandle(revision: string, started: EcsDeployment | undefined, now: number): Handle {
  const updated = { deployment: started?.id ?? "", createdAt: started?.createdAt ?? 0, at: now };
  return { revision, registered: false, tasks: [], updated };
}

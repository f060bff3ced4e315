import type { RunContext } from "../../../../lib/action.ts";
import type { Clock } from "../../../../lib/clock.ts";
import { Failure, messageOf } from "../../../../lib/errors.ts";
import type { Inputs } from "../inputs/model.ts";
import { isPullRequest } from "../inputs/registry.ts";
import { type Destination, destinationOf } from "../plan/destination.ts";
import { makePlan, type Plan, requireTags, tellPlan } from "../plan/plan.ts";
import type { Known } from "../plan/repository.ts";
import { preflight } from "../push/preflight.ts";
import type { RegistryClient } from "../registry/client.ts";
import { openRegistries, type Registries, tagsOf } from "./registries.ts";

/** Whether the image will be pushed, and how registries are reached. */
export interface Access {
  readonly destination: Destination;
  readonly registries: Registries;
}

/** How long a registry is asked when the run does not depend on its answer, milliseconds. */
const COURTESY_MS = 3000;
const LONGEST_PAUSE_MS = 1000;

/** The plan as far as git and the event tell it; outputs are set from here on. */
export async function firstPlan(inputs: Inputs, known: Known, context: RunContext): Promise<Plan> {
  const { facts } = known;
  const time = known.isTimeKnown
    ? `of ${facts.commitTime.toISOString()}`
    : "of an unknown time, taken as 1970";
  context.log.info(`commit ${facts.sha || "unknown"} ${time}, ref ${facts.ref || "unknown"}`);
  const plan = makePlan(inputs, known, [], context);
  const isWanted = destinationOf(inputs, context.github, known.event, true).kind === "push";
  tellPlan(plan, inputs, context);
  if (isWanted) requireTags(plan, known);
  return plan;
}

/** Finds the logins; a pull request without any only builds. */
export async function openAccess(inputs: Inputs, known: Known, context: RunContext): Promise<Access> {
  const decide = (hasLogins: boolean) => destinationOf(inputs, context.github, known.event, hasLogins);
  const isWanted = decide(true).kind === "push" && !inputs.dryRun;
  try {
    const ports = isWanted ? context : { ...context, clock: impatient(context.clock) };
    const registries = await openRegistries(inputs, ports, isWanted);
    return { destination: decide(registries.hasLogins), registries };
  } catch (error) {
    context.signal.throwIfAborted();
    if (!isPullRequest(context.github) || !(error instanceof Failure)) throw error;
    context.log.info(error.message);
    const ports = { ...context, clock: impatient(context.clock) };
    return { destination: decide(false), registries: await openRegistries(inputs, ports, false) };
  }
}

/** A clock that does not wait long between two tries: for what the run can do without. */
function impatient(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    sleep: (ms, signal) =>
      ms > LONGEST_PAUSE_MS
        ? Promise.reject(new Error("the registry does not answer"))
        : clock.sleep(ms, signal),
  };
}

/** The plan with what the registries' tags say about tags that only move forward. */
export async function finalPlan(
  plan: Plan,
  access: Access,
  inputs: Inputs,
  known: Known,
  context: RunContext,
): Promise<Plan> {
  if (!plan.tags.isForward) return plan;
  const tags = await registryTags(access, inputs, context);
  const final = makePlan(inputs, known, tags, context);
  if (final.names.join() === plan.names.join()) return plan;
  tellPlan(final, inputs, context);
  if (access.destination.kind === "push") requireTags(final, known);
  return final;
}

async function registryTags(access: Access, inputs: Inputs, context: RunContext): Promise<string[]> {
  const { images } = inputs.registry;
  if (access.destination.kind === "push" && !inputs.dryRun) return tagsOf(images, access.registries);
  try {
    return await tagsOf(images, courteous(access.registries, context.signal));
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.info(`planned without the registries' tags: ${messageOf(error)}`);
    return [];
  }
}

/** Proves the right to push, and makes repositories that are missing where that is wanted. */
export async function proveRight(access: Access, inputs: Inputs, context: RunContext): Promise<void> {
  const { registries, destination } = access;
  if (destination.kind !== "push") {
    context.log.info(`not needed: ${destination.why}`);
    return;
  }
  if (!inputs.preflight) {
    context.log.info("not wanted: `preflight` is `false`");
    return;
  }
  const { ecr } = registries;
  const isMaking = inputs.registry.createRepository && ecr !== undefined;
  await preflight(inputs.registry.images, {
    client: (repository) => registries.client(repository),
    log: context.log,
    ...(isMaking ? { createRepository: (repository) => ecr.createRepository(repository) } : {}),
  });
}

/** The client that the former image is read with: a run that pushes nothing does not wait for a dead registry. */
export function readingClient(
  access: Access,
  inputs: Inputs,
  context: RunContext,
): RegistryClient | undefined {
  const [first] = inputs.registry.images;
  if (!first) return undefined;
  if (access.destination.kind === "push") return access.registries.client(first);
  if (inputs.gates.maxGrowth === undefined) return undefined;
  return courteous(access.registries, context.signal).client(first);
}

function courteous(registries: Registries, signal: AbortSignal): Registries {
  const short = AbortSignal.any([signal, AbortSignal.timeout(COURTESY_MS)]);
  return { ...registries, client: (repository) => registries.client(repository).withSignal(short) };
}

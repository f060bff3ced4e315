import type { Call, Observation } from "../../../../../lib/rollout/target.ts";
import type { EcsService, EcsServiceDeployment } from "../../api/ecs-types.ts";
import { primaryOf } from "../before.ts";
import type { Optional } from "../optional.ts";
import type { EcsPorts } from "../ports.ts";
import { pausedHooks } from "../stages.ts";
import { readService } from "../update.ts";
import type { Binding } from "./binding.ts";
import { judge } from "./judge.ts";
import { type Back, judgeBack } from "./judge-back.ts";
import { hasCounts, type Memory, oursIn, remember, type Snapshot } from "./memory.ts";
import type { TaskWatch } from "./task-watch.ts";

/** What the looks at one deployment share. */
export interface WatchParts {
  readonly ports: EcsPorts;
  readonly optional: Optional;
  readonly binding: Binding;
  readonly tasks: TaskWatch;
  /** Ids of pause hooks that were answered: ECS may show them as waiting a little longer. */
  readonly answered: Set<string>;
}

/** What one look saw, and what is to be remembered of it. */
export interface Look {
  readonly memory: Memory;
  readonly seen: Observation;
  readonly service: EcsService | undefined;
}

/** One look at our deployment; at most two calls unless tasks have failed. */
export async function lookForward(parts: WatchParts, before: Memory, call: Call): Promise<Look> {
  const { ports, tasks } = parts;
  const service = await readService(ports, call.signal);
  const first = remember(before, { service, rollout: undefined }, ports.clock.now());
  const rollout = await readRollout(parts, service, first, call);
  const snapshot: Snapshot = { service, rollout };
  let memory = remember(before, snapshot, ports.clock.now());
  const mine = memory.startsDeployment ? oursIn(service, memory) : primaryOf(service);
  if (service && mine && tasks.hasNews(service, mine, memory)) {
    memory = { ...memory, failed: await tasks.read(memory, call) };
  }
  memory = { ...memory, blind: tasks.blind };
  if (memory.rules.onPause === "continue") await continueAll(parts, rollout, call);
  return { memory, service, seen: judge(snapshot, memory, ports.clock.now()) };
}

/** One look at the way back. */
export async function lookBack(parts: WatchParts, before: Memory, back: Back, call: Call): Promise<Look> {
  const { ports, binding } = parts;
  const service = await readService(ports, call.signal);
  const primary = primaryOf(service);
  // A newer deployment of the old revision speaks for itself; anything else only ECS's own record can tell.
  const telling =
    primary?.taskDefinition === back.revision && !before.before.deployments.includes(primary.id ?? "");
  const asked = binding.arn !== "" && back.deployment === "" && !telling;
  const hasRoom = ports.meter.hasRoom(ports.inputs.watch.pollIntervalMs);
  const rollout = asked && hasRoom ? await describe(parts, binding.arn, call) : undefined;
  const snapshot: Snapshot = { service, rollout };
  const steady =
    primary?.taskDefinition === back.revision && hasCounts(primary) && service?.deployments?.length === 1;
  const memory = {
    ...remember(before, snapshot, ports.clock.now()),
    steady: steady ? before.steady + 1 : 0,
  };
  return { memory, service, seen: judgeBack(snapshot, memory, back, ports.clock.now()) };
}

/**
 * Our service deployment: always where traffic shifts in stages, otherwise only when something odd is seen. Which it
 * is, is found out when there is room for a call.
 */
async function readRollout(
  parts: WatchParts,
  service: EcsService | undefined,
  memory: Memory,
  call: Call,
): Promise<EcsServiceDeployment | undefined> {
  const { ports, binding } = parts;
  const odd = isOdd(service, memory);
  const staged = memory.before.strategy !== "ROLLING" && memory.startsDeployment;
  const { pollIntervalMs, until } = ports.inputs.watch;
  // What is waited for shows only there.
  const needed = odd || (until !== "completed" && !memory.reached);
  if (!needed && !ports.meter.hasRoom(pollIntervalMs)) return undefined;
  if (binding.isOpen(memory, ports.clock.now())) {
    if (!binding.isListed) await binding.list(memory, call);
    else if (staged) await binding.confirm(memory, call);
    if (!odd) return undefined;
    await binding.list(memory, call);
    await binding.confirm(memory, call);
  }
  if (binding.arn === "" || !(staged || odd)) return undefined;
  return describe(parts, binding.arn, call);
}

/** Ours failed, or is not what the service shows. */
function isOdd(service: EcsService | undefined, memory: Memory): boolean {
  if (!memory.startsDeployment || !service) return false;
  const mine = oursIn(service, memory);
  const primary = primaryOf(service);
  if (mine?.rolloutState === "FAILED") return true;
  const other =
    primary !== undefined && primary !== mine && !memory.before.deployments.includes(primary.id ?? "");
  return other || (memory.seen && mine === undefined);
}

async function describe(
  { ports, optional }: WatchParts,
  arn: string,
  call: Call,
): Promise<EcsServiceDeployment | undefined> {
  const found = await optional.ask(
    "ecs:DescribeServiceDeployments",
    "lifecycle stages, weights and ECS's own reasons are not seen",
    () => ports.apis.ecs.describeServiceDeployments([arn], { signal: call.signal }),
  );
  return found?.[0];
}

/** Answers every pause hook that waits. */
async function continueAll(
  { ports, optional, binding, answered }: WatchParts,
  rollout: EcsServiceDeployment | undefined,
  call: Call,
): Promise<void> {
  for (const hook of pausedHooks(rollout)) {
    if (answered.has(hook.hookId ?? "")) continue;
    const input = {
      serviceDeploymentArn: binding.arn,
      hookId: hook.hookId ?? "",
      action: "CONTINUE",
    } as const;
    await optional.ask(
      "ecs:ContinueServiceDeployment",
      "somebody else has to continue the deployment, or it ends when the hook expires",
      async () => {
        await ports.apis.ecs.continueServiceDeployment(input, { signal: call.signal });
        answered.add(input.hookId);
        ports.log.info(`continued past hook ${input.hookId} at ${rollout?.lifecycleStage ?? "its stage"}`);
      },
      true,
    );
  }
}

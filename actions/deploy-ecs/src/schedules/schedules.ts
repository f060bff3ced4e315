import { object } from "../../../../lib/aws/answers.ts";
import type { AwsCallOptions, JsonObject } from "../../../../lib/aws/call.ts";
import { AwsError } from "../../../../lib/aws/errors.ts";
import { RemoteError } from "../../../../lib/errors.ts";
import type { EventsApi } from "../api/events.ts";
import type { SchedulerApi } from "../api/scheduler.ts";
import { parseScheduleName, type ScheduleName } from "./names.ts";
import { familyOf, taskDefinitionOf, withTaskDefinition, writable } from "./targets.ts";

/** What schedules are read from and written to. */
export interface SchedulePorts {
  readonly events: EventsApi;
  readonly scheduler: SchedulerApi;
}

/** A rule or schedule and what it runs before this run: names and ARNs only, fit to be saved. */
export interface ScheduleBefore {
  readonly kind: "rule" | "schedule";
  readonly name: string;
  /** Event bus or group; "" for the default one. */
  readonly group: string;
  /** Those of its targets that run the family; a schedule has one, without an id. */
  readonly targets: readonly { readonly id: string; readonly from: string }[];
}

/** What was found of the schedules named, and what is wrong with the names. */
export interface SchedulesFound {
  readonly found: readonly ScheduleBefore[];
  /** For people, each naming the input. */
  readonly problems: readonly string[];
}

/** EventBridge's limit. */
const TARGETS_PER_CALL = 10;

/** Reads what the named rules and schedules run now; only targets of `family` are meant. */
export async function readSchedules(
  ports: SchedulePorts,
  names: readonly string[],
  family: string,
  options: AwsCallOptions = {},
): Promise<SchedulesFound> {
  const found: ScheduleBefore[] = [];
  const problems: string[] = [];
  for (const text of names) {
    const all = await readEither(ports, parseScheduleName(text), options);
    const ours = all
      .map((one) => ({ ...one, targets: one.targets.filter(({ from }) => familyOf(from) === family) }))
      .filter(({ targets }) => targets.length > 0);
    found.push(...ours);
    if (ours.length > 0) continue;
    const others = [...new Set(all.flatMap(({ targets }) => targets.map(({ from }) => familyOf(from))))];
    if (all.length === 0) {
      problems.push(`\`schedules\` is \`${text}\`: there is no such rule or schedule`);
    } else {
      const runs = others.length === 0 ? "it runs no ECS task" : `it runs ${others.join(", ")}`;
      problems.push(`\`schedules\` is \`${text}\`: it has no target that runs ${family}, ${runs}`);
    }
  }
  return { found, problems };
}

async function readEither(
  ports: SchedulePorts,
  { kind, name, group }: ScheduleName,
  options: AwsCallOptions,
): Promise<readonly ScheduleBefore[]> {
  const kinds = kind === "either" ? (["rule", "schedule"] as const) : [kind];
  const found: ScheduleBefore[] = [];
  let denied: unknown;
  for (const one of kinds) {
    try {
      const targets = await readTargets(ports, { kind: one, name, group, targets: [] }, options);
      found.push({
        kind: one,
        name,
        group,
        targets: targets.map(([id, target]) => ({ id, from: taskDefinitionOf(target) })),
      });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      // A name that is a rule's needs no permission for schedules, and the other way round.
      if (error.fault === "denied") denied = error;
      else if (error.fault !== "not-found") throw error;
    }
  }
  if (found.length === 0 && denied !== undefined) throw denied;
  return found.map((one) => ({ ...one, targets: one.targets.filter(({ from }) => from !== "") }));
}

/** Lets every target found run `to`, in the order given. Idempotent: what runs it already is not written. */
export async function moveSchedules(
  ports: SchedulePorts,
  before: readonly ScheduleBefore[],
  to: string,
  options: AwsCallOptions = {},
): Promise<number> {
  let moved = 0;
  for (const one of before) {
    moved += await rewrite(ports, one, () => to, options);
  }
  return moved;
}

/** Puts back what ran before, where `ours` still is what is to run. Idempotent; needs only what was read before. */
export async function restoreSchedules(
  ports: SchedulePorts,
  before: readonly ScheduleBefore[],
  ours: string,
  options: AwsCallOptions = {},
): Promise<number> {
  let restored = 0;
  for (const one of before) {
    const back = (id: string, now: string) =>
      now === ours ? (one.targets.find((target) => target.id === id)?.from ?? now) : now;
    restored += await rewrite(ports, one, back, options);
  }
  return restored;
}

/** Reads anew, changes one ARN a target, writes everything else back as it was read. */
async function rewrite(
  ports: SchedulePorts,
  schedule: ScheduleBefore,
  next: (id: string, now: string) => string,
  options: AwsCallOptions,
): Promise<number> {
  const known = new Set(schedule.targets.map(({ id }) => id));
  const targets = (await readTargets(ports, schedule, options))
    .filter(([id, target]) => known.has(id) && taskDefinitionOf(target) !== "")
    .map(([id, target]) => ({
      target,
      now: taskDefinitionOf(target),
      to: next(id, taskDefinitionOf(target)),
    }))
    .filter(({ now, to }) => now !== to);
  const changed = targets.map(({ target, to }) => withTaskDefinition(target, to));
  if (changed.length === 0) return 0;
  if (schedule.kind === "rule") await putTargets(ports, schedule, changed, options);
  else await putSchedule(ports, schedule, changed[0] ?? {}, options);
  return changed.length;
}

/** The targets by id. */
async function readTargets(
  { events, scheduler }: SchedulePorts,
  { kind, name, group }: ScheduleBefore,
  options: AwsCallOptions,
): Promise<readonly (readonly [string, JsonObject])[]> {
  if (kind === "rule") {
    const targets = await events.listTargetsByRule(name, group, options);
    return targets.map((target) => [String(target["Id"] ?? ""), target]);
  }
  const schedule = await scheduler.getSchedule(name, group, options);
  return [["", object<JsonObject>(schedule["Target"])]];
}

async function putTargets(
  { events }: SchedulePorts,
  { name, group }: ScheduleBefore,
  targets: readonly JsonObject[],
  options: AwsCallOptions,
): Promise<void> {
  for (let at = 0; at < targets.length; at += TARGETS_PER_CALL) {
    const failed = await events.putTargets(name, group, targets.slice(at, at + TARGETS_PER_CALL), options);
    const [first] = failed;
    if (first === undefined) continue;
    throw new RemoteError(
      `rule ${name}: EventBridge did not take target ${first.TargetId ?? "?"}: ${first.ErrorMessage ?? first.ErrorCode ?? "no reason given"}`,
      { code: "SCHEDULE_FAILED", fix: "see the reason; the rule's other targets are as they were written" },
    );
  }
}

async function putSchedule(
  { scheduler }: SchedulePorts,
  { name, group }: ScheduleBefore,
  target: JsonObject,
  options: AwsCallOptions,
): Promise<void> {
  const schedule = await scheduler.getSchedule(name, group, options);
  await scheduler.updateSchedule({ ...writable(schedule), Target: target }, options);
}

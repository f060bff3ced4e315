import type { JsonObject } from "../../../../lib/aws/call.ts";
import type { PlanResult } from "../../../../lib/rollout/target.ts";
import type { DefinitionPlan } from "../definition/model.ts";
import { textOf } from "../definition/model.ts";
import type { Inputs } from "../inputs/model.ts";
import type { ScheduleBefore } from "../schedules/schedules.ts";
import { type Change, type ServiceBefore, type ServiceUpdate, shortRevision } from "./model.ts";
import { membersOf } from "./update.ts";

type Wanted = Exclude<DefinitionPlan, { kind: "refused" }>;

/** What is to be done, from the inputs, the service and the task definition that they make; pure. */
export function planChange(
  inputs: Inputs,
  before: ServiceBefore | null,
  definition: DefinitionPlan,
  schedules: readonly ScheduleBefore[],
): PlanResult<Change> {
  if (definition.kind === "refused") {
    const message = definition.problems.join("; ");
    return {
      kind: "refused",
      cause: { code: "BAD_INPUT", message, fix: "correct the inputs named above" },
    };
  }
  const change: Omit<Change, "update"> = {
    register: definition.kind === "register",
    family: textOf(definition.definition["family"]),
    digest: definition.digest,
    revision: definition.kind === "use" ? definition.arn : "",
    task: inputs.task !== undefined,
    schedules,
  };
  if (before === null) return planRegistration(change, definition);
  return planService(inputs, before, change, definition);
}

function planRegistration(change: Omit<Change, "update">, definition: Wanted): PlanResult<Change> {
  const behind = change.schedules.some(({ targets }) => targets.some(({ from }) => from !== change.revision));
  if (!change.register && !change.task && !behind) {
    return { kind: "unchanged", detail: `${shortRevision(change.revision)} is what is wanted already` };
  }
  const lines = [
    ...(change.register ? [`+ a new revision of ${change.family}`] : []),
    ...definitionLines(definition),
    ...taskLines(change),
    ...scheduleLines(change),
  ];
  return { kind: "change", change: { ...change, update: null }, lines, stages: 1 };
}

function planService(
  inputs: Inputs,
  before: ServiceBefore,
  change: Omit<Change, "update">,
  definition: Wanted,
): PlanResult<Change> {
  const desired = inputs.service.desiredCount ?? before.desired;
  if (desired === 0 && inputs.health.url !== "") return nothingToProve(before);
  const same = change.revision === before.revision && change.revision !== "";
  const differing = serviceLines(inputs, before);
  const broken = same && before.state === "FAILED";
  const force = inputs.service.forceNewDeployment || broken;
  // An unchanged revision that is still on its way by someone else's doing is not proven yet.
  const settled = before.moving === "" && !broken;
  if (same && settled && !force && differing.length === 0) {
    return { kind: "unchanged", detail: `${before.name} runs ${shortRevision(before.revision)} already` };
  }
  const task = change.task && !same;
  const members: JsonObject = { ...membersOf(inputs), ...(broken ? { forceNewDeployment: true } : {}) };
  const update: ServiceUpdate = {
    members,
    startsDeployment: !same || force || changesVolumes(inputs, before),
  };
  const planned: Change = { ...change, task, update };
  const lines = [
    ...definitionLines(definition),
    ...(same ? [] : [`~ ${before.name}: ${shortRevision(before.revision)} -> ${nameOfNew(planned)}`]),
    ...taskLines(planned),
    ...scheduleLines(planned),
    ...differing,
    ...(force
      ? [
          `~ a new deployment is forced${broken ? `, since that of ${shortRevision(before.revision)} failed` : ""}`,
        ]
      : []),
    ...(same && !settled && !force
      ? [`  ${before.moving} is still on its way: it is followed to its end`]
      : []),
  ];
  return { kind: "change", change: planned, lines, stages: planned.register || task ? 2 : 1 };
}

function nothingToProve(before: ServiceBefore): PlanResult<Change> {
  return {
    kind: "refused",
    cause: {
      code: "HEALTH_CHECK_FAILED",
      message: `${before.name} has a desired count of 0: nothing would be started, so \`health-check-url\` can prove nothing`,
      fix: "set `desired-count`, or leave `health-check-url` out",
    },
  };
}

function nameOfNew(change: Change): string {
  return change.register ? `a new revision of ${change.family}` : shortRevision(change.revision);
}

function definitionLines(definition: Wanted): string[] {
  const signs = { added: "+", removed: "-", changed: "~" } as const;
  return [
    ...definition.differences.map((one) => `${signs[one.kind]} ${one.text}`),
    ...definition.warnings.map((warning) => `! ${warning}`),
  ];
}

function taskLines(change: Pick<Change, "task">): string[] {
  return change.task ? ["+ a one-off task of the new revision runs first"] : [];
}

function scheduleLines({ schedules }: Pick<Change, "schedules">): string[] {
  return schedules.map(({ kind, name }) => `~ ${kind} ${name} runs the new revision after success`);
}

/** Settings of the service that differ from what the user set. */
function serviceLines({ service }: Inputs, before: ServiceBefore): string[] {
  const lines: string[] = [];
  const compare = (name: string, wanted: unknown, now: unknown) => {
    if (wanted !== undefined && wanted !== now) lines.push(`~ ${name}: ${String(now)} -> ${String(wanted)}`);
  };
  compare("desired count", service.desiredCount, before.desired);
  compare("propagate tags", service.propagateTags, before.propagateTags);
  compare("ECS managed tags", service.enableEcsManagedTags, before.managedTags);
  const volumes = service.volumeConfigurations;
  if (volumes !== undefined && !holds(before.volumes, volumes)) lines.push("~ EBS volume configuration");
  return lines;
}

function changesVolumes({ service }: Inputs, before: ServiceBefore): boolean {
  const { volumeConfigurations: volumes } = service;
  return volumes !== undefined && !holds(before.volumes, volumes);
}

/** Whether everything of `wanted` is in `now`, which may hold defaults beside it. */
function holds(now: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(now) &&
      now.length === wanted.length &&
      wanted.every((item, index) => holds(now[index], item))
    );
  }
  if (typeof wanted !== "object" || wanted === null) return now === wanted;
  if (typeof now !== "object" || now === null) return false;
  const shown = now as JsonObject;
  return Object.entries(wanted).every(([name, item]) => holds(shown[name], item));
}

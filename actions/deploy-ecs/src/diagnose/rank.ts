import type { Cause } from "../../../../lib/rollout/target.ts";
import type { EcsEvent, EcsTask } from "../api/ecs-types.ts";
import type { TargetHealth } from "../api/elb.ts";
import { eventCause, eventText } from "./service-events.ts";
import { stopCause } from "./stop-reasons.ts";

/** Everything that was read about a failed deployment. */
export interface Facts {
  /** Stopped tasks of this deployment. */
  readonly tasks: readonly EcsTask[];
  /** Names of the essential containers; undefined: not known. */
  readonly essential: ReadonlySet<string> | undefined;
  /** Of the service since the deployment began, newest first. */
  readonly events: readonly EcsEvent[];
  readonly targets: readonly TargetHealth[];
}

/** One explanation of a failure. */
export interface Finding {
  readonly cause: Cause;
  /** How many tasks, or targets, tell so. */
  readonly count: number;
  /** Another try will fail the same way. */
  readonly fatal: boolean;
  /** Who failed: "" for the task as a whole. */
  readonly container: string;
  /** The newest task that tells so; "" when none does. */
  readonly task: string;
}

/** Causes, the telling ones first; a fault that no retry mends goes before all. */
const ORDER = [
  "OUT_OF_MEMORY",
  "CONTAINER_EXITED",
  "CONTAINER_START_FAILED",
  "IMAGE_PULL_FAILED",
  "CONTAINER_UNHEALTHY",
  "TARGET_UNHEALTHY",
  "LOGS_UNAVAILABLE",
  "VOLUME_FAILED",
  "NO_CAPACITY",
  "TASK_START_FAILED",
];

/** At most so many lines of a kind are evidence. */
const MOST_TASKS = 5;
const MOST_EVENTS = 10;

/** What the facts explain, best explanation first; pure. */
export function rankCauses(facts: Facts): readonly Finding[] {
  const found = new Map<string, Finding>();
  const add = (finding: Finding) => {
    const key = `${finding.cause.code} ${finding.container}`;
    const known = found.get(key);
    found.set(key, known === undefined ? finding : { ...known, count: known.count + finding.count });
  };
  for (const task of newestFirst(facts.tasks)) {
    const cause = stopCause(task, facts.essential);
    if (cause === undefined) continue;
    const { code, message, fix, fatal, container } = cause;
    add({ cause: { code, message, fix }, count: 1, fatal, container, task: task.taskArn ?? "" });
  }
  const unhealthy = facts.targets.filter(({ TargetHealth }) => /^unhealthy/.test(TargetHealth?.State ?? ""));
  const [first] = unhealthy;
  if (first !== undefined) add(targetFinding(first, unhealthy.length));
  for (const event of facts.events) {
    const cause = eventCause(event);
    if (cause === undefined) continue;
    const { code, message, fix, fatal } = cause;
    // What a task or a target told is told again by the events, in fewer words.
    const known = [...found.values()].some((finding) => finding.cause.code === code);
    if (!known) add({ cause: { code, message, fix }, count: 1, fatal, container: "", task: "" });
  }
  const reasons = targetReasons(facts);
  return [...found.values()].sort(before).map((finding) => withEvidence(finding, facts, reasons));
}

function before(a: Finding, b: Finding): number {
  const place = ({ cause }: Finding) => ORDER.indexOf(cause.code);
  return Number(b.fatal) - Number(a.fatal) || place(a) - place(b) || b.count - a.count;
}

function newestFirst(tasks: readonly EcsTask[]): readonly EcsTask[] {
  const at = (task: EcsTask) => task.stoppedAt ?? task.stoppingAt ?? 0;
  return [...tasks].sort((a, b) => at(b) - at(a));
}

function targetFinding({ Target }: TargetHealth, count: number): Finding {
  return {
    cause: {
      code: "TARGET_UNHEALTHY",
      message: `the load balancer finds target ${Target?.Id ?? "?"}:${Target?.Port ?? "?"} unhealthy`,
      fix: "see that the container answers the target group's health check on its path and port",
    },
    count,
    fatal: false,
    container: "",
    task: "",
  };
}

/** Why the load balancer does not like the targets, in its own words, each once. */
function targetReasons({ targets, events }: Facts): readonly string[] {
  const told = targets
    .filter(({ TargetHealth }) => /^unhealthy/.test(TargetHealth?.State ?? ""))
    .map(({ TargetHealth }) =>
      [TargetHealth?.Reason, TargetHealth?.Description].filter((text) => (text ?? "") !== "").join(": "),
    );
  const written = events.map((event) =>
    /due to \(reason:? (.+?)\)?\.?$/i.exec(eventText(event))?.[1]?.replace(/\)$/, ""),
  );
  return [...new Set([...told, ...written].filter((text): text is string => (text ?? "") !== ""))];
}

function withEvidence(finding: Finding, facts: Facts, reasons: readonly string[]): Finding {
  const { code, message } = finding.cause;
  const why = code === "TARGET_UNHEALTHY" ? (reasons.find((reason) => !message.includes(reason)) ?? "") : "";
  const times = finding.count > 1 ? ` (${finding.count} tasks)` : "";
  const tasks = newestFirst(facts.tasks)
    .filter((task) => stopCause(task, facts.essential)?.code === code)
    .slice(0, MOST_TASKS)
    .map(taskLine);
  const events = facts.events.slice(0, MOST_EVENTS).map((event) => `event: ${eventText(event)}`);
  return {
    ...finding,
    cause: {
      ...finding.cause,
      message: `${message}${why === "" ? "" : `: ${why}`}${times}`,
      evidence: [...tasks, ...reasons.map((reason) => `target: ${reason}`), ...events],
    },
  };
}

/** `task 1a2b (EssentialContainerExited): Essential container in task exited; app exit 1`. */
export function taskLine(task: EcsTask): string {
  const id = task.taskArn?.split("/").at(-1) ?? "?";
  const containers = (task.containers ?? []).flatMap(({ name = "?", exitCode, reason = "" }) => {
    if (exitCode === undefined && reason === "") return [];
    return [
      `${name}${exitCode === undefined ? "" : ` exit ${exitCode}`}${reason === "" ? "" : ` (${reason})`}`,
    ];
  });
  const words = [task.stoppedReason ?? "", ...containers].filter((text) => text !== "").join("; ");
  return `task ${id} (${task.stopCode ?? task.lastStatus ?? "?"}): ${words.replace(/\s+/g, " ")}`;
}

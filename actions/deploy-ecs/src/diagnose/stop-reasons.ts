import { cutAtWord } from "../../../../lib/words.ts";
import type { EcsContainer, EcsTask } from "../api/ecs-types.ts";
import { startFailure } from "./start-failures.ts";

/** What a stopped task says about its version. */
export interface StopCause {
  /** A failure code. */
  readonly code: string;
  /** One line, no full stop. */
  readonly message: string;
  readonly fix: string;
  /** Another task of the same revision will fail the same way. */
  readonly fatal: boolean;
  /** The container that ended it; "" when none did. */
  readonly container: string;
}

/** Ends that say nothing about the version: capacity was taken away, or somebody stopped the task. */
const NOBODYS_FAULT: ReadonlySet<string> = new Set([
  "SpotInterruption",
  "TerminationNotice",
  "UserInitiated",
  "InfrastructureHealth",
]);

/** Signals that a container is ended with, as its exit code. */
const SIGNALS: Readonly<Record<number, string>> = {
  130: "SIGINT",
  132: "SIGILL",
  134: "SIGABRT",
  135: "SIGBUS",
  136: "SIGFPE",
  137: "SIGKILL",
  139: "SIGSEGV",
  143: "SIGTERM",
};

/**
 * The fault of the version in a task's end, if it is one: scaling, rebalancing, Spot
 * interruptions, lost hosts and stops by people are none. `essential` names the
 * essential containers, where they are known.
 */
export function stopCause(task: EcsTask, essential?: ReadonlySet<string>): StopCause | undefined {
  const { stopCode = "", stoppedReason = "" } = task;
  if (!hasEnded(task) || NOBODYS_FAULT.has(stopCode)) return undefined;
  const unhealthy = healthCause(task);
  if (unhealthy !== undefined) return unhealthy;
  if (stopCode === "ServiceSchedulerInitiated") return undefined;
  const exited = exitCause(task, essential);
  if (stopCode !== "TaskFailedToStart" && exited !== undefined) return exited;
  const texts = [stoppedReason, ...(task.containers ?? []).map(({ reason = "" }) => reason)];
  // The container's own reason is often the longer one.
  const text = [...new Set(texts.filter((reason) => reason !== ""))].join("; ");
  const start = startFailure(text);
  if (start !== undefined) return { ...start, container: startedBadly(task) };
  if (exited !== undefined) return exited;
  if (stopCode === "" && text === "") return undefined;
  return {
    code: "TASK_START_FAILED",
    message: `a task ended: ${oneLine(text) || stopCode}`,
    fix: "see the reason",
    fatal: false,
    container: "",
  };
}

/** A task that is told to stop has told its reason, though it may take long to end. */
export function hasEnded(task: EcsTask): boolean {
  return task.lastStatus === "STOPPED" || (task.desiredStatus === "STOPPED" && (task.stopCode ?? "") !== "");
}

function healthCause(task: EcsTask): StopCause | undefined {
  const { stoppedReason = "" } = task;
  if (/failed container health check/i.test(stoppedReason)) {
    const containers = task.containers ?? [];
    const [only] = containers.length === 1 ? containers : [];
    const container =
      (containers.find(({ healthStatus }) => healthStatus === "UNHEALTHY") ?? only)?.name ?? "";
    return {
      code: "CONTAINER_UNHEALTHY",
      message: `${container === "" ? "a container" : `container ${container}`} fails its health check`,
      fix: "run the `healthCheck` command in the image; raise `startPeriod` when the start is slow",
      fatal: false,
      container,
    };
  }
  const elb = /failed ELB health checks?(?: in)?[\s\S]*?(?:target-group:? ([^\s)]+))?\)?\.?$/i.exec(
    stoppedReason,
  );
  if (elb === null) return undefined;
  return {
    code: "TARGET_UNHEALTHY",
    message: `the load balancer's health check fails${elb[1] ? ` in target group ${groupName(elb[1])}` : ""}`,
    fix: "see that the container listens on the target group's port and answers its health check path; raise `healthCheckGracePeriodSeconds` when the start is slow",
    fatal: false,
    container: "",
  };
}

/** `web` of a target group's ARN. */
export function groupName(arn: string): string {
  return /targetgroup\/([^/]+)/.exec(arn)?.[1] ?? arn;
}

function exitCause(task: EcsTask, essential: ReadonlySet<string> | undefined): StopCause | undefined {
  const containers = task.containers ?? [];
  const starved = containers.find(({ reason = "" }) => /OutOfMemory/i.test(reason));
  if (starved !== undefined || /OutOfMemory/i.test(task.stoppedReason ?? "")) {
    const container = starved?.name ?? containers.find(({ exitCode }) => exitCode === 137)?.name ?? "";
    return {
      code: "OUT_OF_MEMORY",
      message: `${container === "" ? "a container" : `container ${container}`} was killed: out of memory`,
      fix: "raise the memory of the container or the task, or make the program use less",
      fatal: false,
      container,
    };
  }
  const culprit = culpritOf(containers, essential);
  if (culprit === undefined) return undefined;
  const { name = "", exitCode = 0, reason = "" } = culprit;
  const signal = SIGNALS[exitCode];
  const why = reason === "" || /^essential container/i.test(reason) ? "" : `: ${oneLine(reason)}`;
  return {
    code: "CONTAINER_EXITED",
    message: `container ${name} exited with code ${exitCode}${signal === undefined ? "" : ` (${signal})`}${why}`,
    fix:
      exitCode === 0
        ? "a service's essential container must keep running: see its command"
        : exitCode === 137
          ? "see its last log lines; SIGKILL without an out-of-memory notice is a stop that took too long, or memory"
          : "see its last log lines",
    fatal: false,
    container: name,
  };
}

/**
 * Who ended first: once an essential container is gone, ECS stops the others, which
 * then show 143 or 137, or 0 when they end in an orderly way.
 */
function culpritOf(
  containers: readonly EcsContainer[],
  essential: ReadonlySet<string> | undefined,
): EcsContainer | undefined {
  const ended = containers.filter(({ exitCode }) => exitCode !== undefined);
  const pool = essential === undefined ? ended : ended.filter(({ name = "" }) => essential.has(name));
  const ranked = (pool.length > 0 ? pool : ended).map((container) => ({
    container,
    rank: rankOf(container),
  }));
  return ranked.sort((a, b) => a.rank - b.rank)[0]?.container;
}

function rankOf({ exitCode = 0 }: EcsContainer): number {
  if (exitCode === 0) return 3;
  if (exitCode === 143) return 2;
  return exitCode === 137 ? 1 : 0;
}

/** The container that has a reason of its own for not having started. */
function startedBadly(task: EcsTask): string {
  return (task.containers ?? []).find(({ reason = "" }) => reason !== "")?.name ?? "";
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return cutAtWord(line, 300);
}

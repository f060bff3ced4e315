import { request } from "node:http";
import type { EcsState, FakeTask } from "../ecs/state.ts";
import { becomeHealthy, failTarget, type TaskEvents } from "../ecs/tasks.ts";
import type { Json } from "../types.ts";

/** How a target group checks its targets. */
export interface CheckSettings {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly healthy: number;
  readonly unhealthy: number;
  /** `200`, `200-299`, `200,302`. */
  readonly codes: string;
}

/** Reads the settings of a target group; ELB's own defaults for the rest. `pace` shortens the times. */
export function checkSettings(group: Json | undefined, pace: number): CheckSettings {
  const seconds = (name: string, fallback: number) => Number(group?.[name] ?? fallback) * 1000 * pace;
  return {
    path: String(group?.["HealthCheckPath"] ?? "/"),
    intervalMs: seconds("HealthCheckIntervalSeconds", 30),
    timeoutMs: Math.max(LEAST_TIMEOUT, seconds("HealthCheckTimeoutSeconds", 5)),
    healthy: Number(group?.["HealthyThresholdCount"] ?? 5),
    unhealthy: Number(group?.["UnhealthyThresholdCount"] ?? 2),
    codes: String((group?.["Matcher"] as Json | undefined)?.["HttpCode"] ?? "200"),
  };
}

/** A busy machine does not answer faster because the world's time does, real milliseconds. */
const LEAST_TIMEOUT = 2000;

/** Nor does a process begin to listen faster: so long, real milliseconds, a refused connection is not held against it. */
const START_ALLOWANCE = 5000;

/** What the checks of one target said so far. */
interface Tally {
  passes: number;
  failures: number;
  readonly since: number;
}

/** Checks the targets of one target group for ever; returns a function that ends it. */
export function watchTargets(
  ecs: EcsState,
  events: TaskEvents,
  settings: CheckSettings,
  targets: () => readonly { readonly task: FakeTask; readonly port: number }[],
): () => void {
  const tallies = new Map<FakeTask, Tally>();
  const look = () => {
    for (const { task, port } of targets()) {
      if (task.lastStatus !== "RUNNING" || task.desiredStatus !== "RUNNING") continue;
      const tally = tallies.get(task) ?? { passes: 0, failures: 0, since: Date.now() };
      tallies.set(task, tally);
      void probe(port, settings).then((complaint) => {
        ecs.time.catchUp();
        judge(ecs, events, settings, task, tally, complaint);
      });
    }
  };
  const timer = setInterval(look, settings.intervalMs);
  return () => clearInterval(timer);
}

interface Complaint {
  readonly reason: string;
  readonly description: string;
}

function judge(
  ecs: EcsState,
  events: TaskEvents,
  settings: CheckSettings,
  task: FakeTask,
  tally: Tally,
  complaint: Complaint | undefined,
): void {
  if (task.desiredStatus !== "RUNNING") return;
  const starting = task.target.state === "initial" && Date.now() < tally.since + START_ALLOWANCE;
  if (complaint?.reason === "Target.FailedHealthChecks" && starting) return;
  tally.passes = complaint ? 0 : tally.passes + 1;
  tally.failures = complaint ? tally.failures + 1 : 0;
  // A new target needs one pass, one that was found unhealthy needs as many as the group says.
  const needed = task.target.state === "initial" ? 1 : settings.healthy;
  if (!complaint && task.target.state !== "healthy" && tally.passes >= needed)
    becomeHealthy(events, task, "target");
  if (!complaint || tally.failures < settings.unhealthy) return;
  const grace = Number(task.service?.members["healthCheckGracePeriodSeconds"] ?? 0) * 1000;
  if ((task.startedAt ?? 0) + grace > ecs.time.now()) {
    task.target = { state: "unhealthy", ...complaint };
    events.changed(task);
  } else {
    failTarget(ecs, events, task, complaint.reason, complaint.description);
  }
}

/** One check; undefined when it passes. */
function probe(port: number, settings: CheckSettings): Promise<Complaint | undefined> {
  return new Promise((resolve) => {
    const asked = request({
      host: "127.0.0.1",
      port,
      path: settings.path,
      agent: false,
      timeout: settings.timeoutMs,
    });
    asked.once("response", (answer) => {
      answer.resume();
      const code = answer.statusCode ?? 0;
      const description = `Health checks failed with these codes: [${code}]`;
      resolve(
        fits(settings.codes, code) ? undefined : { reason: "Target.ResponseCodeMismatch", description },
      );
    });
    asked.once("timeout", () => {
      resolve({ reason: "Target.Timeout", description: "Request timed out" });
      asked.destroy();
    });
    asked.once("error", () =>
      resolve({ reason: "Target.FailedHealthChecks", description: "Health checks failed" }),
    );
    asked.end();
  });
}

function fits(codes: string, code: number): boolean {
  return codes.split(",").some((part) => {
    const [from = "", to = from] = part.split("-");
    return code >= Number(from) && code <= Number(to);
  });
}

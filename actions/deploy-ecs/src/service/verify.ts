import { formatDuration } from "../../../../lib/clock.ts";
import { forRollback, type HealthCheck, watchHealth } from "../../../../lib/health.ts";
import type { Aim, Call, Cause, VerifyResult } from "../../../../lib/rollout/target.ts";
import type { EcsService } from "../api/ecs-types.ts";
import { entrancesOf, lookAtTargets, type TargetsSeen } from "../target-health.ts";
import { primaryOf } from "./before.ts";
import type { Optional } from "./optional.ts";
import type { EcsPorts } from "./ports.ts";
import { startsTasks } from "./stages.ts";
import type { Tally } from "./tally.ts";

/** Tries without ever an answer after which the load balancer is not asked any more: its outage is not the version's fault. */
const MOST_UNREAD = 5;

/** What is to be proven healthy. */
export interface HealthScene {
  readonly ports: EcsPorts;
  readonly optional: Optional;
  readonly tally: Tally;
  /** The service as it was seen last. */
  readonly service: EcsService | undefined;
  /** The revision whose tasks are meant. */
  readonly revision: string;
  readonly name: string;
}

/** The health check: the load balancer's view of the right tasks, then the front door. */
export async function verifyService(scene: HealthScene, aim: Aim, call: Call): Promise<VerifyResult> {
  const { ports, service, name } = scene;
  const { health } = ports.inputs;
  if ((primaryOf(service)?.desiredCount ?? service?.desiredCount) === 0) {
    if (aim === "old") return { kind: "proven", detail: "the desired count is 0: nothing is to run" };
    if (health.url !== "") return { kind: "failed", cause: scaledToZero(name) };
    ports.log.warn(`${name} has a desired count of 0: nothing was started, and nothing is proven to run`);
    return { kind: "proven", detail: "the desired count is 0: nothing was started" };
  }
  const targets = await waitForTargets(scene, aim, call);
  if (targets.kind === "failed" || health.url === "") return targets;
  return checkUrl(scene, aim, call);
}

/** Waits until the load balancers find every task of the revision healthy. */
async function waitForTargets(scene: HealthScene, aim: Aim, call: Call): Promise<VerifyResult> {
  const { ports, optional, service, revision } = scene;
  const { clock, inputs, apis, log } = ports;
  const entrances = entrancesOf(service?.loadBalancers ?? []);
  const unasked: VerifyResult = { kind: "proven", detail: "ECS says that it runs" };
  if (entrances.length === 0 || !startsTasks(inputs.watch.until)) return unasked;
  const { cluster, name } = inputs.service;
  const end = clock.now() + inputs.health.timeoutMs;
  let last: TargetsSeen | undefined;
  let unread = 0;
  for (;;) {
    const seen = await optional.ask(
      "elasticloadbalancing:DescribeTargetHealth",
      "the load balancer's view of the new tasks is not seen",
      () => lookAtTargets(apis, { cluster, service: name, revision, entrances }, { signal: call.signal }),
    );
    if (!seen && optional.isOff("elasticloadbalancing:DescribeTargetHealth")) return unasked;
    if (seen?.kind === "healthy") return { kind: "proven", detail: `load balancer: ${seen.detail}` };
    if (seen && JSON.stringify(seen) !== JSON.stringify(last)) log.info(`load balancer: ${seen.detail}`);
    last = seen ?? last;
    if (last === undefined && ++unread === MOST_UNREAD) {
      log.warn("the load balancer's view of the new tasks cannot be read: ECS's own word on them has to do");
      return unasked;
    }
    if (clock.now() + inputs.watch.pollIntervalMs > end) break;
    await clock.sleep(inputs.watch.pollIntervalMs, call.signal);
  }
  return { kind: "failed", cause: unhealthyTargets(last, aim, inputs.health.timeoutMs) };
}

function unhealthyTargets(last: TargetsSeen | undefined, aim: Aim, ms: number): Cause {
  const suspect = last?.kind === "waiting" ? last.suspect : undefined;
  const message = suspect?.message ?? "the load balancer's view of the tasks could not be read";
  return {
    code: aim === "old" ? "ROLLBACK_FAILED" : (suspect?.code ?? "TARGET_UNHEALTHY"),
    message: `${message} (after ${formatDuration(ms)})`,
    ...(suspect?.fix ? { fix: suspect.fix } : {}),
  };
}

/** The HTTP check through the front door; of the old version only the status counts. */
async function checkUrl({ ports, tally }: HealthScene, aim: Aim, call: Call): Promise<VerifyResult> {
  const { clock, log, inputs } = ports;
  const check: HealthCheck = aim === "new" ? inputs.health : forRollback(inputs.health);
  const verdict = await watchHealth(check, {
    clock,
    signal: call.signal,
    probe: () =>
      ports.probe({
        url: check.url,
        headers: check.headers,
        timeoutMs: check.requestTimeoutMs,
        signal: call.signal,
      }),
    log: (line) => log.info(`${check.url}: ${line}`),
  });
  tally.healthStatus = verdict.status;
  if (verdict.kind === "healthy") {
    return { kind: "proven", detail: `${check.url}: healthy, status ${verdict.status}` };
  }
  return {
    kind: "failed",
    cause: {
      code: aim === "new" ? "HEALTH_CHECK_FAILED" : "ROLLBACK_FAILED",
      message: `${check.url} is not healthy: ${verdict.reason}`,
      fix: "read the service's log, and check `health-check-url` and what stands before the service",
    },
  };
}

function scaledToZero(name: string): Cause {
  return {
    code: "HEALTH_CHECK_FAILED",
    message: `${name} was scaled to a desired count of 0: nothing runs that \`health-check-url\` could reach`,
    fix: "set `desired-count`, or look at what scales the service in",
  };
}

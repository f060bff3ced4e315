import { list } from "../../../../lib/aws/answers.ts";
import type { AwsCallOptions, JsonObject } from "../../../../lib/aws/call.ts";
import { AwsError } from "../../../../lib/aws/errors.ts";
import { messageOf } from "../../../../lib/errors.ts";
import type { Log } from "../../../../lib/log.ts";
import type { Cause } from "../../../../lib/rollout/target.ts";
import type { EcsApi } from "../api/ecs.ts";
import type { EcsService, EcsTask } from "../api/ecs-types.ts";
import type { ElbApi, TargetHealth } from "../api/elb.ts";
import { isGivenId } from "../api/legible.ts";
import type { LogsApi } from "../api/logs.ts";
import { logTail } from "./log-tail.ts";
import { type Facts, type Finding, rankCauses } from "./rank.ts";

/** What diagnosing reads from. */
export interface DiagnosePorts {
  readonly ecs: EcsApi;
  readonly logs: LogsApi;
  readonly elb: ElbApi;
  readonly log: Log;
}

/** Which deployment failed. */
export interface Scene {
  readonly cluster: string;
  /** Name or ARN. */
  readonly service: string;
  /** Ids of our deployment or task set, which its tasks carry as `startedBy`; empty: `revision` decides. */
  readonly startedBy: readonly string[];
  /** Full ARN of the revision that was deployed. */
  readonly revision: string;
  /** The server's time at which the deployment began, seconds since the epoch; 0: not known, no event is read. */
  readonly since: number;
  /** The revision's task definition; undefined: not known, no log is read. */
  readonly definition: JsonObject | undefined;
  /** Last lines per failed container; 0: none. */
  readonly logLines: number;
  /** The service as it was seen last. */
  readonly seen: EcsService | undefined;
}

/** Logs of so many containers are shown. */
const MOST_TAILS = 3;

/** Failures that no stopped task explains better. */
const EXPLAINED = new Set([
  "HEALTH_CHECK_FAILED",
  "FIELDS_LOST",
  "TASK_FAILED",
  "PAUSED",
  "CREDENTIALS_EXPIRED",
]);

/** Whether a failure's code says all there is to say: then nothing is looked up. */
export function isExplained(code: string): boolean {
  return EXPLAINED.has(code);
}

/**
 * Why the tasks of a deployment failed, best explanation first; an empty list when
 * nothing that may be read explains it. Reads that are refused cost their part of the
 * answer and one line in the log.
 */
export async function diagnose(
  ports: DiagnosePorts,
  scene: Scene,
  options: AwsCallOptions = {},
): Promise<readonly Cause[]> {
  const tasks = await attempt(ports, options, [], () => stoppedTasks(ports.ecs, scene, options));
  const facts: Facts = {
    tasks,
    essential: essentialOf(scene.definition),
    events: (scene.seen?.events ?? []).filter(
      ({ createdAt = 0 }) => scene.since > 0 && createdAt >= scene.since,
    ),
    targets: [],
  };
  let findings = rankCauses(facts);
  // Only where the load balancer has the word: what it says of other failures is a consequence.
  if (findings[0] === undefined || findings[0].cause.code === "TARGET_UNHEALTHY") {
    findings = rankCauses({ ...facts, targets: await targetsOf(ports, scene, options) });
  }
  const tails = await tailsOf(ports, scene, findings, options);
  return findings.map(({ cause }, place) =>
    place === 0 ? { ...cause, evidence: [...(cause.evidence ?? []), ...tails] } : cause,
  );
}

/** The names of a task definition's essential containers; undefined when it is not known. */
export function essentialOf(definition: JsonObject | undefined): ReadonlySet<string> | undefined {
  if (definition === undefined) return undefined;
  const essential = list<JsonObject>(definition["containerDefinitions"]).filter(
    (container) => container["essential"] !== false,
  );
  return new Set(essential.map((container) => String(container["name"])));
}

/** The stopped tasks that a deployment started, at most 100. */
export async function stoppedTasks(
  ecs: EcsApi,
  scene: Pick<Scene, "cluster" | "service" | "startedBy" | "revision">,
  options: AwsCallOptions = {},
): Promise<readonly EcsTask[]> {
  const serviceName = scene.service.split("/").at(-1) ?? scene.service;
  const arns = await ecs.listTasks(scene.cluster, { serviceName, desiredStatus: "STOPPED" }, options);
  const { tasks } = await ecs.describeTasks(scene.cluster, arns, options);
  return tasks.filter((task) => isOf(task, scene));
}

function isOf(task: EcsTask, { startedBy, revision }: Pick<Scene, "startedBy" | "revision">): boolean {
  const ids = startedBy.filter((id) => id !== "" && isGivenId(id));
  if (ids.length > 0 && (task.startedBy ?? "") !== "") return ids.includes(task.startedBy ?? "");
  return revision !== "" && task.taskDefinitionArn === revision;
}

async function targetsOf(
  ports: DiagnosePorts,
  { seen }: Scene,
  options: AwsCallOptions,
): Promise<readonly TargetHealth[]> {
  const groups = (seen?.loadBalancers ?? []).flatMap(({ targetGroupArn, advancedConfiguration }) => [
    targetGroupArn ?? "",
    advancedConfiguration?.alternateTargetGroupArn ?? "",
  ]);
  const asked = [...new Set(groups)].filter((arn) => arn !== "");
  return attempt(ports, options, [], async () =>
    (await Promise.all(asked.map((arn) => ports.elb.describeTargetHealth(arn, options)))).flat(),
  );
}

/** The last lines of each failed container, with a heading each. */
async function tailsOf(
  { logs }: DiagnosePorts,
  scene: Scene,
  findings: readonly Finding[],
  { signal }: AwsCallOptions,
): Promise<readonly string[]> {
  const { definition, logLines } = scene;
  if (definition === undefined || logLines === 0) return [];
  const [best] = findings;
  // Nothing was ever run where the start failed.
  if (best === undefined || best.task === "" || best.fatal) return [];
  const behind = (scene.seen?.loadBalancers ?? []).map(({ containerName = "" }) => containerName);
  const wanted = findings
    .filter(({ task, fatal }) => task !== "" && !fatal)
    .flatMap(({ container, task }) =>
      (container === "" ? behind : [container]).map((name) => ({ name, task })),
    )
    .filter(({ name }, place, all) => name !== "" && all.findIndex((other) => other.name === name) === place);
  const shown = await Promise.all(
    wanted.slice(0, MOST_TAILS).map(async ({ name, task }) => {
      const query = { definition, container: name, taskArn: task, lines: logLines };
      const { lines, note } = await logTail(logs, query, signal);
      const id = task.split("/").at(-1) ?? "";
      return lines.length === 0
        ? [note]
        : [`last ${lines.length} lines of container ${name}, task ${id}:`, ...lines];
    }),
  );
  return shown.flat().filter((line) => line !== "");
}

/** A read that is allowed to fail. */
async function attempt<T>(
  { log }: DiagnosePorts,
  { signal }: AwsCallOptions,
  otherwise: T,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    signal?.throwIfAborted();
    const fix = error instanceof AwsError && error.fix !== "" ? `; ${error.fix}` : "";
    log.info(`the diagnosis does without: ${messageOf(error)}${fix}`);
    return otherwise;
  }
}

import type { Call, Cause, Observation } from "../../../../lib/rollout/target.ts";
import type { CodeDeployDeployment, DeploymentTarget } from "../api/codedeploy.ts";
import { essentialOf, stoppedTasks } from "../diagnose/diagnose.ts";
import { stopCause } from "../diagnose/stop-reasons.ts";
import { shortRevision } from "../service/model.ts";
import type { Optional } from "../service/optional.ts";
import type { EcsPorts } from "../service/ports.ts";
import { readService } from "../service/update.ts";
import type { Group } from "./group.ts";
import { causeOfEnd, describeDeployment, goesBack, isOver, newEvents } from "./judge.ts";
import { primarySet, servesAgain } from "./task-sets.ts";

/** What the looks at one deployment share. */
export interface LookParts {
  readonly ports: EcsPorts;
  readonly optional: Optional;
  readonly group: Group;
  /** Lifecycle events that the log has told. */
  readonly told: Set<string>;
}

/** Which deployment is looked at. */
export interface Watched {
  readonly id: string;
  /** Full ARN of what it deploys. */
  readonly revision: string;
  /** Looks so far: every other one looks at tasks instead of lifecycle events, so that a look stays two calls. */
  readonly nth: number;
}

/** A fatal start is believed when it comes a second time. */
const FATAL_BUDGET = 2;

/** One look at our deployment. */
export async function lookForward(parts: LookParts, watched: Watched, call: Call): Promise<Observation> {
  const { ports } = parts;
  const options = { signal: call.signal };
  const deployment = await ports.apis.codeDeploy.getDeployment(watched.id, options);
  if (deployment.status === "Succeeded") return judgeSuccess(parts, watched, call);
  if (!isOver(deployment) && watched.nth % 2 === 1 && !parts.told.has("Install Succeeded")) {
    const stalled = await tooManyFailures(parts, watched, deployment, call);
    if (stalled) return { kind: "stalled", cause: stalled };
    return { kind: "progressing", detail: describeDeployment(deployment) };
  }
  const target = await readTarget(parts, watched.id, call);
  for (const line of newEvents(target ?? {}, parts.told)) ports.log.info(line);
  if (!isOver(deployment)) {
    if (deployment.status === "Ready") await goOn(parts, watched.id, call);
    return { kind: "progressing", detail: describeDeployment(deployment, target) };
  }
  const cause = causeOfEnd(deployment, target);
  const reverts = goesBack(deployment, await parts.group.read(options));
  return { kind: reverts ? "reverted-by-target" : "failed", cause };
}

/** Its word is not enough: the task set that serves has to be of our revision. */
async function judgeSuccess(
  { ports }: LookParts,
  { id, revision }: Watched,
  call: Call,
): Promise<Observation> {
  const primary = primarySet(await readService(ports, call.signal));
  if (primary === undefined) return { kind: "progressing", detail: "ECS shows no task set at the moment" };
  if (primary.taskDefinition !== revision) {
    const by = `task set ${primary.id ?? "?"} of ${shortRevision(primary.taskDefinition ?? "?")}`;
    return { kind: "superseded", by };
  }
  const { runningCount = 0, computedDesiredCount = 0 } = primary;
  const detail = `CodeDeploy deployment ${id} succeeded: ${runningCount} of ${computedDesiredCount} tasks of ${shortRevision(revision)} run`;
  return { kind: runningCount >= computedDesiredCount ? "ready" : "progressing", detail };
}

async function readTarget(
  { ports, optional }: LookParts,
  id: string,
  call: Call,
): Promise<DeploymentTarget | undefined> {
  const { cluster, name } = ports.inputs.service;
  const target = [cluster, name].map((text) => text.split("/").at(-1) ?? text).join(":");
  return optional.ask("codedeploy:GetDeploymentTarget", "lifecycle events are not shown", () =>
    ports.apis.codeDeploy.getDeploymentTarget(id, target, { signal: call.signal }),
  );
}

/** A deployment that waits for somebody's word gets it with `on-pause: continue`. */
async function goOn({ ports, optional, told }: LookParts, id: string, call: Call): Promise<void> {
  if (ports.inputs.watch.onPause !== "continue" || told.has("continued")) return;
  await optional.ask(
    "codedeploy:ContinueDeployment",
    "somebody else has to continue the deployment",
    async () => {
      await ports.apis.codeDeploy.continueDeployment(id, { signal: call.signal });
      told.add("continued");
      ports.log.info(`continued CodeDeploy deployment ${id}`);
    },
  );
}

/** CodeDeploy waits an hour for a task set that cannot start; the failures of its tasks tell sooner. */
async function tooManyFailures(
  { ports, optional }: LookParts,
  { revision }: Watched,
  { createTime = 0 }: CodeDeployDeployment,
  call: Call,
): Promise<Cause | undefined> {
  const { cluster, name } = ports.inputs.service;
  const scene = { cluster, service: name, startedBy: [], revision };
  const tasks = await optional.ask("ecs:ListTasks", "failed tasks are not counted", () =>
    stoppedTasks(ports.apis.ecs, scene, { signal: call.signal }),
  );
  const causes = (tasks ?? [])
    .filter(({ createdAt = 0 }) => createdAt >= createTime)
    .flatMap((task) => stopCause(task, essentialOf(undefined)) ?? []);
  const fatal = causes.filter((cause) => cause.fatal);
  const { failureBudget } = ports.inputs.watch;
  const [first] = fatal.length > 0 ? fatal : causes;
  if (first === undefined) return undefined;
  if (causes.length < failureBudget && fatal.length < Math.min(FATAL_BUDGET, failureBudget)) return undefined;
  const { code, message, fix } = first;
  return { code, message: `${message} (${causes.length} failed tasks)`, fix };
}

/** The way back: `own` when CodeDeploy makes it for our deployment `id`, else a deployment of its own. */
export interface Back {
  readonly id: string;
  readonly own: boolean;
  /** What is to serve again. */
  readonly revision: string;
  /** What we deployed. */
  readonly ours: string;
}

/** One look at the way back: what serves decides, since a rollback may be over before it can be listed. */
export async function lookBack({ ports }: LookParts, back: Back, call: Call): Promise<Observation> {
  const options = { signal: call.signal };
  const { codeDeploy } = ports.apis;
  const ours = await codeDeploy.getDeployment(back.id, options);
  const next = back.own ? (ours.rollbackInfo?.rollbackDeploymentId ?? "") : "";
  const deployment = next === "" ? ours : await codeDeploy.getDeployment(next, options);
  const service = await readService(ports, call.signal);
  const primary = primarySet(service);
  const serving = primary?.taskDefinition ?? back.ours;
  if (serving !== back.revision && serving !== back.ours) {
    return { kind: "superseded", by: `task set ${primary?.id ?? "?"} of ${shortRevision(serving)}` };
  }
  const name = shortRevision(back.revision);
  const detail = `going back to ${name}: ${describeDeployment(deployment)}`;
  if (!isOver(deployment)) return { kind: "progressing", detail };
  if (service !== undefined && servesAgain(service, back.revision)) {
    return { kind: "ready", detail: `${name} serves again` };
  }
  // Stopped or failed as ours is, it says nothing of the way back; a way back that is so has failed.
  const broken = deployment.status !== "Succeeded" && (next !== "" || !back.own);
  if (!broken) return { kind: "progressing", detail: `going back to ${name}` };
  return { kind: "failed", cause: { ...causeOfEnd(deployment, undefined), code: "ROLLBACK_FAILED" } };
}

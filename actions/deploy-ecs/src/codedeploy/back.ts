import { messageOf } from "../../../../lib/errors.ts";
import { causeOf } from "../../../../lib/rollout/faults.ts";
import type { Call, RollBackResult } from "../../../../lib/rollout/target.ts";
import type { CodeDeployDeployment } from "../api/codedeploy.ts";
import { type EcsAttempt, type Handle, revisionOf, shortRevision } from "../service/model.ts";
import { readServicePatiently, wasRefused } from "../service/update.ts";
import { appspecFor } from "./create.ts";
import { markOf } from "./group.ts";
import { goesBack, isOver } from "./judge.ts";
import type { LookParts } from "./look.ts";
import { primarySet } from "./task-sets.ts";

/** Takes our deployment back: by CodeDeploy itself while it is under way, by a deployment of the old revision after. */
export async function takeBack(
  parts: LookParts,
  attempt: EcsAttempt,
  call: Call,
): Promise<RollBackResult<Handle>> {
  const { ports, group } = parts;
  const options = { signal: call.signal };
  const before = attempt.before.service;
  if (!before) return { kind: "untouched" };
  const mine = await findMine(parts, attempt, call);
  if (mine === undefined) return { kind: "untouched" };
  const id = mine.deploymentId ?? "";
  const ours = revisionOf(attempt) || (primaryOf(mine) ?? "");
  if (!isOver(mine)) {
    if (await group.stop(id, options)) {
      ports.log.info(`asked CodeDeploy to stop ${id} and go back`);
      return { kind: "started", handle: backHandle(before.revision, id) };
    }
    return takeBack(parts, attempt, call);
  }
  const back = await group.find(markOf(ports.token, "old"), options);
  if (back !== undefined)
    return { kind: "started", handle: backHandle(before.revision, back.deploymentId ?? "") };
  const other = await group.other([id, mine.rollbackInfo?.rollbackDeploymentId ?? ""], options);
  if (other !== "") return { kind: "moved", by: other };
  const primary = primarySet(await readServicePatiently(ports, call));
  const serves = primary?.taskDefinition ?? "";
  const itself = mine.status !== "Succeeded" && goesBack(mine, await group.read(options));
  if (itself || (serves === before.revision && serves !== ours)) {
    return { kind: "started", handle: backHandle(before.revision, id) };
  }
  if (serves !== ours)
    return { kind: "moved", by: `task set ${primary?.id ?? "?"} of ${shortRevision(serves)}` };
  if (before.revision === ours || before.revision === "") {
    return { kind: "nothing-to-go-back-to", detail: `${shortRevision(ours)} is what ran before, too` };
  }
  return deployOld(parts, before.revision, call);
}

/** Our deployment, also when the answer to CreateDeployment was lost. */
async function findMine(
  { ports, group }: LookParts,
  attempt: EcsAttempt,
  call: Call,
): Promise<CodeDeployDeployment | undefined> {
  const id = attempt.handle?.updated?.deployment ?? "";
  const options = { signal: call.signal };
  if (id !== "") return ports.apis.codeDeploy.getDeployment(id, options);
  return group.find(markOf(ports.token, "new"), options);
}

/** The revision that an appspec of ours names, where the saved state has lost it. */
function primaryOf({ revision }: CodeDeployDeployment): string | undefined {
  return /arn:[\w-]+:ecs:[^"\s]*:task-definition\/[\w-]+:\d+/.exec(JSON.stringify(revision ?? ""))?.[0];
}

async function deployOld(
  { ports, group }: LookParts,
  revision: string,
  call: Call,
): Promise<RollBackResult<Handle>> {
  const service = await readServicePatiently(ports, call);
  if (service === undefined) throw new Error("ECS does not show the service at the moment");
  const made = appspecFor(ports.inputs, service, revision);
  try {
    const id = await group.create(made, markOf(ports.token, "old"), { signal: call.signal });
    ports.log.info(`CodeDeploy deployment ${id} goes back to ${shortRevision(revision)}`);
    return { kind: "started", handle: backHandle(revision, id) };
  } catch (error) {
    if (!wasRefused(error) || error.fault === "transient") throw error;
    if (error.name === "DeploymentLimitExceededException") return { kind: "moved", by: messageOf(error) };
    return { kind: "failed", cause: causeOf(error, error.fault === "denied" ? "denied" : "permanent") };
  }
}

function backHandle(revision: string, deployment: string): Handle {
  return { revision, registered: false, tasks: [], updated: { deployment, createdAt: 0, at: 0 } };
}

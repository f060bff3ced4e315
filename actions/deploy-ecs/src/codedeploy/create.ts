import type { JsonObject } from "../../../../lib/aws/call.ts";
import { AwsError } from "../../../../lib/aws/errors.ts";
import { asked } from "../../../../lib/aws/retry.ts";
import { UserError } from "../../../../lib/errors.ts";
import { backoff } from "../../../../lib/poll.ts";
import { causeOf } from "../../../../lib/rollout/faults.ts";
import type { ApplyResult, Call } from "../../../../lib/rollout/target.ts";
import type { EcsService } from "../api/ecs-types.ts";
import type { Inputs } from "../inputs/model.ts";
import { type EcsAttempt, type Handle, revisionOf } from "../service/model.ts";
import { readService, readServicePatiently, wasRefused, wasThrottled } from "../service/update.ts";
import { appspecOf, dropsCapacity, revisionContent, withRevision } from "./appspec.ts";
import { markOf } from "./group.ts";
import type { LookParts } from "./look.ts";
import { primarySet } from "./task-sets.ts";

const THROTTLED_TRIES = 6;

/** `revision` of CreateDeployment for a revision: the user's appspec, or one made from the service. */
export function appspecFor(inputs: Inputs, service: EcsService, revision: string): JsonObject {
  const { appspec } = inputs.codeDeploy;
  const made = appspec === undefined ? appspecOf(service, revision) : withRevision(appspec, revision);
  if (made === undefined) {
    throw new UserError([
      "`codedeploy-appspec` is needed: the service is behind no target group from which one could be made",
    ]);
  }
  return revisionContent(made);
}

/** Starts our deployment, if the service still is as it was inspected and nobody else deploys. */
export async function createDeployment(
  parts: LookParts,
  attempt: EcsAttempt,
  call: Call,
): Promise<ApplyResult<Handle>> {
  const { ports } = parts;
  const looked = await lookBefore(parts, attempt, call);
  if ("kind" in looked) return looked;
  const { service } = looked;
  const { appspec } = ports.inputs.codeDeploy;
  if (appspec !== undefined && dropsCapacity(appspec, service)) {
    ports.log.warn(
      "`codedeploy-appspec` has no CapacityProviderStrategy: CodeDeploy will remove the service's own",
    );
  }
  const revision = revisionOf(attempt);
  const content = appspecFor(ports.inputs, service, revision);
  return send(parts, attempt, content, call);
}

/** A look that fails is no reason to believe that something was started. */
async function lookBefore(
  { ports, group }: LookParts,
  attempt: EcsAttempt,
  call: Call,
): Promise<{ readonly service: EcsService } | ApplyResult<Handle>> {
  const { clock } = ports;
  const options = { signal: call.signal };
  try {
    const service = await readServicePatiently(ports, call);
    const primary = primarySet(service);
    if (service === undefined || primary?.id !== attempt.before.service?.primary) {
      return { kind: "moved", by: `task set ${primary?.id ?? "?"}` };
    }
    const other = await asked(() => group.other([], options), { clock, signal: call.signal });
    return other === "" ? { service } : { kind: "moved", by: other };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { kind: "not-applied", cause: causeOf(error, error.fault === "denied" ? "denied" : "permanent") };
  }
}

/** Sends the one request that starts it: what was throttled was not carried out; of anything else nobody knows. */
async function send(
  { ports, group }: LookParts,
  attempt: EcsAttempt,
  content: JsonObject,
  call: Call,
): Promise<ApplyResult<Handle>> {
  for (let tries = 1; ; tries++) {
    try {
      const id = await group.create(content, markOf(ports.token, "new"), { signal: call.signal });
      ports.log.info(`CodeDeploy deployment ${id} started`);
      return { kind: "applied", handle: handleOf(attempt, id, ports.clock.now()) };
    } catch (error) {
      if (wasThrottled(error) && tries < THROTTLED_TRIES) {
        await ports.clock.sleep(backoff(tries, 500, 8000), call.signal);
        continue;
      }
      if (!wasRefused(error)) throw error;
      if (error.name === "DeploymentLimitExceededException") {
        return { kind: "moved", by: /d-[A-Z0-9]+/.exec(error.message)?.[0] ?? "another deployment" };
      }
      return {
        kind: "not-applied",
        cause: causeOf(error, error.fault === "denied" ? "denied" : "permanent"),
      };
    }
  }
}

/** What became of a CreateDeployment whose answer was lost; reads only. */
export async function locateDeployment(
  { ports, group }: LookParts,
  attempt: EcsAttempt,
  call: Call,
): Promise<ApplyResult<Handle>> {
  const found = await group.find(markOf(ports.token, "new"), { signal: call.signal });
  if (found !== undefined) {
    return { kind: "applied", handle: handleOf(attempt, found.deploymentId ?? "", ports.clock.now()) };
  }
  const primary = primarySet(await readService(ports, call.signal));
  if (primary?.id !== undefined && primary.id !== attempt.before.service?.primary) {
    return { kind: "moved", by: `task set ${primary.id}` };
  }
  const message = "CreateDeployment was not answered and has started nothing";
  return { kind: "not-applied", cause: { code: "REMOTE_FAILED", message } };
}

function handleOf(attempt: EcsAttempt, deployment: string, at: number): Handle {
  return {
    revision: revisionOf(attempt),
    registered: attempt.handle?.registered ?? false,
    tasks: attempt.handle?.tasks ?? [],
    updated: { deployment, createdAt: 0, at },
  };
}

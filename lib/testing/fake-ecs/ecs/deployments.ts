import { defined, FakeAwsError, type Json, type Operation } from "../types.ts";
import { paginate } from "./definitions.ts";
import { findService } from "./services.ts";
import { showBrief, showRevision, showRollout } from "./show.ts";
import type { EcsState, FakeService, Rollout } from "./state.ts";

/** How the way of a service deployment is changed from outside; the strategies bring it. */
export interface RolloutMoves {
  /** Goes back to the source revision. */
  rollBack(service: FakeService, rollout: Rollout, reason: string): void;
  /** Answers a PAUSE hook. */
  answerHook(service: FakeService, rollout: Rollout, hook: Json, action: "CONTINUE" | "ROLLBACK"): void;
}

/** The operations on service deployments and service revisions. */
export function deploymentOperations(
  ecs: EcsState,
  moves: RolloutMoves,
): Readonly<Record<string, Operation>> {
  return {
    ListServiceDeployments: (input) => {
      const service = findService(ecs, input);
      const { now, wanted } = {
        now: ecs.time.now(),
        wanted: input["status"] as readonly string[] | undefined,
      };
      const range = (input["createdAt"] ?? {}) as { readonly after?: number; readonly before?: number };
      const found = service.rollouts.filter(
        ({ status, createdAt }) =>
          (wanted === undefined || wanted.length === 0 || wanted.includes(status)) &&
          createdAt + ecs.listedAfter <= now &&
          (range.after === undefined || createdAt / 1000 >= range.after) &&
          (range.before === undefined || createdAt / 1000 <= range.before),
      );
      const page = paginate(found, input, 100);
      return defined({
        serviceDeployments: page.items.map((rollout) => showBrief(service, rollout)),
        nextToken: page.nextToken,
      });
    },
    DescribeServiceDeployments: (input) => {
      const arns = input["serviceDeploymentArns"] as readonly string[];
      const found = arns.map((arn) => ({ arn, at: locate(ecs, arn) }));
      return {
        serviceDeployments: found.flatMap(({ at }) => (at ? [showRollout(at.service, at.rollout)] : [])),
        failures: found.flatMap(({ arn, at }) => (at ? [] : [{ arn, reason: "MISSING" }])),
      };
    },
    DescribeServiceRevisions: (input) => {
      const arns = input["serviceRevisionArns"] as readonly string[];
      const all = ecs.services.flatMap((service) =>
        service.revisions.map((revision) => ({ service, revision })),
      );
      const found = arns.map((arn) => ({ arn, at: all.find(({ revision }) => revision.arn === arn) }));
      return {
        serviceRevisions: found.flatMap(({ at }) => (at ? [showRevision(at.service, at.revision)] : [])),
        failures: found.flatMap(({ arn, at }) => (at ? [] : [{ arn, reason: "MISSING" }])),
      };
    },
    StopServiceDeployment: (input) => stop(ecs, moves, input),
    ContinueServiceDeployment: (input) => proceed(ecs, moves, input),
  };
}

const stoppable = ["PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"];

function stop(ecs: EcsState, moves: RolloutMoves, input: Json): Json {
  const arn = String(input["serviceDeploymentArn"]);
  const at = mustFind(ecs, arn);
  const type = String(input["stopType"] ?? "ROLLBACK");
  if (type !== "ROLLBACK") {
    throw new FakeAwsError("InvalidParameterException", `Stop type ${type} is not supported.`);
  }
  if (!stoppable.includes(at.rollout.status)) {
    throw new FakeAwsError(
      "ConflictException",
      `Service deployment is in ${at.rollout.status} state and cannot be stopped.`,
    );
  }
  if (at.rollout.back || at.rollout.status === "STOP_REQUESTED") return { serviceDeploymentArn: arn };
  if (!at.rollout.source) {
    throw new FakeAwsError("InvalidParameterException", "There is no service revision to roll back to.");
  }
  at.rollout.status = "STOP_REQUESTED";
  at.rollout.updatedAt = ecs.time.now();
  at.rollout.cancel.push(
    ecs.time.after(1000, () =>
      moves.rollBack(at.service, at.rollout, "The service deployment was stopped by the user."),
    ),
  );
  return { serviceDeploymentArn: arn };
}

function proceed(ecs: EcsState, moves: RolloutMoves, input: Json): Json {
  const arn = String(input["serviceDeploymentArn"]);
  const at = mustFind(ecs, arn);
  const hook = at.rollout.hooks.find((one) => one["hookId"] === input["hookId"]);
  if (hook?.["status"] !== "AWAITING_ACTION") {
    throw new FakeAwsError("InvalidParameterException", "The hook is not awaiting an action.");
  }
  moves.answerHook(at.service, at.rollout, hook, input["action"] === "ROLLBACK" ? "ROLLBACK" : "CONTINUE");
  return { serviceDeploymentArn: arn };
}

function mustFind(ecs: EcsState, arn: string): { readonly service: FakeService; readonly rollout: Rollout } {
  const found = locate(ecs, arn);
  if (!found)
    throw new FakeAwsError("ServiceDeploymentNotFoundException", "The service deployment was not found.");
  return found;
}

function locate(
  ecs: EcsState,
  arn: string,
): { readonly service: FakeService; readonly rollout: Rollout } | undefined {
  for (const service of ecs.services) {
    const rollout = service.rollouts.find((one) => one.arn === arn);
    if (rollout) return { service, rollout };
  }
  return undefined;
}

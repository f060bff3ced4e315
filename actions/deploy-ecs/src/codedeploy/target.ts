import { faultClassOf } from "../../../../lib/aws/errors.ts";
import type {
  Aim,
  ApplyResult,
  Call,
  Cause,
  CommitResult,
  FaultClass,
  GateMode,
  GateResult,
  Observation,
  PlanResult,
  RollBackResult,
  Target,
  VerifyResult,
} from "../../../../lib/rollout/target.ts";
import type { EcsService } from "../api/ecs-types.ts";
import { diagnose, isExplained } from "../diagnose/diagnose.ts";
import {
  type Before,
  type Change,
  changesService,
  type EcsAttempt,
  type Handle,
  revisionOf,
} from "../service/model.ts";
import type { EcsPorts } from "../service/ports.ts";
import { beginBack, type Tally } from "../service/tally.ts";
import { EcsTarget } from "../service/target.ts";
import { readService } from "../service/update.ts";
import { verifyService } from "../service/verify.ts";
import { takeBack } from "./back.ts";
import { createDeployment, locateDeployment } from "./create.ts";
import { Group, markOf } from "./group.ts";
import { type LookParts, lookBack, lookForward } from "./look.ts";
import { asDeployments } from "./task-sets.ts";

/** What a service under CODE_DEPLOY takes by other ways than a deployment. */
const NOT_BY_DEPLOYMENT = {
  desiredCount: "desired-count",
  propagateTags: "propagate-tags",
  enableECSManagedTags: "enable-ecs-managed-tags",
  volumeConfigurations: "service-managed-ebs-volume",
} as const;

/**
 * One ECS service under the CODE_DEPLOY controller. Reading, planning, registering and the one-off
 * task are those of the ECS target; the service itself is changed by CodeDeploy alone.
 */
export class CodeDeployTarget implements Target<Before, Change, Handle> {
  readonly name: string;
  readonly tally: Tally;
  private readonly base: EcsTarget;
  private readonly ports: EcsPorts;
  private readonly parts: LookParts;
  private looks = 0;
  private idle = false;

  constructor(ports: EcsPorts) {
    this.base = new EcsTarget(ports);
    this.ports = ports;
    this.name = this.base.name;
    this.tally = this.base.tally;
    const group = new Group(ports.apis.codeDeploy, ports.inputs);
    this.parts = { ports, optional: this.base.parts.optional, group, told: new Set() };
  }

  /** Takes over a look at the service that was made a moment ago. */
  prime(service: EcsService | undefined): void {
    this.base.inspection.prime(service && asDeployments(service, this.idle));
  }

  /** Waits that the deployment group adds to every deployment, milliseconds. */
  waits(signal: AbortSignal): Promise<number> {
    return this.parts.group.waits({ signal });
  }

  async inspect(call: Call): Promise<Before> {
    // What was read before the gate may be old by now.
    if (this.idle) this.prime(await readService(this.ports, call.signal));
    return this.base.inspect(call);
  }

  plan(before: Before): PlanResult<Change> {
    const planned = this.base.plan(before);
    if (planned.kind !== "change") return planned;
    const members = Object.keys(planned.change.update?.members ?? {});
    const wrong = Object.entries(NOT_BY_DEPLOYMENT).filter(([name]) => members.includes(name));
    if (wrong.length === 0) return planned;
    const given = wrong.map(([, input]) => `\`${input}\``).join(", ");
    return {
      kind: "refused",
      cause: {
        code: "BAD_INPUT",
        message: `${given}: ${this.name} is under the CODE_DEPLOY controller, whose deployments cannot change this`,
        fix: "leave it out, and change it by other means",
      },
    };
  }

  async gate(_attempt: EcsAttempt, mode: GateMode, call: Call): Promise<GateResult> {
    const options = { signal: call.signal };
    const { group } = this.parts;
    await group.read(options);
    const [id] = await group.active(options);
    this.idle = id === undefined;
    if (id === undefined) return { kind: "clear" };
    const by = `CodeDeploy deployment ${id}`;
    if (mode === "supersede" && !this.parts.told.has(`stopped ${id}`)) {
      this.parts.told.add(`stopped ${id}`);
      if (await group.stop(id, options)) this.ports.log.info(`stopped ${by}`);
    }
    return { kind: "busy", by };
  }

  apply(attempt: EcsAttempt, call: Call): Promise<ApplyResult<Handle>> {
    if (!changesService(attempt)) return this.base.apply(attempt, call);
    return this.kept(createDeployment(this.parts, attempt, call));
  }

  locate(attempt: EcsAttempt, call: Call): Promise<ApplyResult<Handle>> {
    if (!changesService(attempt)) return this.base.locate(attempt, call);
    return this.kept(locateDeployment(this.parts, attempt, call));
  }

  async observe(attempt: EcsAttempt, aim: Aim, call: Call): Promise<Observation> {
    if (!changesService(attempt)) return this.base.observe(attempt, aim, call);
    if (aim === "old") return this.observeBack(attempt, call);
    if (!this.ports.inputs.watch.wait) {
      return { kind: "ready", detail: "CreateDeployment was accepted; nothing more was asked for" };
    }
    const id = attempt.handle?.updated?.deployment ?? "";
    const watched = { id, revision: revisionOf(attempt), nth: this.looks++ };
    const seen = await lookForward(this.parts, watched, call);
    if (seen.kind === "reverted-by-target") this.beginBack(attempt);
    return seen;
  }

  async verify(attempt: EcsAttempt, aim: Aim, call: Call): Promise<VerifyResult> {
    const { ports, tally, name } = this;
    if (!changesService(attempt)) return this.base.verify(attempt, aim, call);
    if (!ports.inputs.watch.wait && aim === "new") {
      return { kind: "proven", detail: "not waited for: nothing is proven" };
    }
    const read = await readService(ports, call.signal);
    const service = read && asDeployments(read, true);
    const revision = aim === "new" ? revisionOf(attempt) : (attempt.before.service?.revision ?? "");
    return verifyService({ ports, optional: this.parts.optional, tally, service, revision, name }, aim, call);
  }

  commit(attempt: EcsAttempt, call: Call): Promise<CommitResult> {
    return this.base.commit(attempt, call);
  }

  async diagnose(attempt: EcsAttempt, cause: Cause, call: Call): Promise<readonly Cause[]> {
    if (!changesService(attempt) || isExplained(cause.code)) return [];
    const { apis, inputs, log } = this.ports;
    const options = { signal: call.signal };
    const revision = revisionOf(attempt);
    const seen = await readService(this.ports, call.signal);
    const own = (seen?.taskSets ?? []).find(
      ({ id, taskDefinition }) => taskDefinition === revision && id !== attempt.before.service?.primary,
    );
    const { taskDefinition } = await apis.ecs.describeTaskDefinition(revision, options);
    return diagnose(
      { ecs: apis.ecs, logs: apis.logs, elb: apis.elb, log },
      {
        cluster: inputs.service.cluster,
        service: inputs.service.name,
        startedBy: own?.id === undefined ? [] : [own.id],
        revision,
        since: own?.createdAt ?? 0,
        definition: taskDefinition,
        logLines: inputs.watch.logLines,
        seen,
      },
      options,
    );
  }

  async rollBack(attempt: EcsAttempt, call: Call): Promise<RollBackResult<Handle>> {
    if (!attempt.before?.service || !changesService(attempt)) return this.base.rollBack(attempt, call);
    // Everything beside the service: the one-off task, and the schedules that were moved.
    await this.base.rollBack({ ...attempt, stage: -1 }, call);
    const result = await takeBack(this.parts, attempt, call);
    if (result.kind === "started" || result.kind === "restored") this.beginBack(attempt);
    return result;
  }

  release(): Promise<void> {
    return this.base.release();
  }

  classify(error: unknown): FaultClass | undefined {
    return faultClassOf(error);
  }

  private async observeBack(attempt: EcsAttempt, call: Call): Promise<Observation> {
    const mine = attempt.handle?.updated?.deployment ?? "";
    const id = attempt.backHandle?.updated?.deployment || mine || (await this.foundId(call));
    const revision = attempt.before.service?.revision ?? "";
    if (id === "") return { kind: "progressing", detail: "looking for the deployment" };
    const made = await this.parts.group
      .find(markOf(this.ports.token, "old"), { signal: call.signal })
      .catch(() => undefined);
    const own = made?.deploymentId !== id;
    return lookBack(this.parts, { id, own, revision, ours: revisionOf(attempt) }, call);
  }

  private async foundId(call: Call): Promise<string> {
    const found = await this.parts.group.find(markOf(this.ports.token, "new"), { signal: call.signal });
    return found?.deploymentId ?? "";
  }

  private async kept(made: Promise<ApplyResult<Handle>>): Promise<ApplyResult<Handle>> {
    const result = await made;
    if (result.kind === "applied") {
      this.tally.codeDeployDeployment = result.handle.updated?.deployment ?? "";
      this.tally.revision = result.handle.revision;
    }
    return result;
  }

  private beginBack({ before }: EcsAttempt): void {
    beginBack(this.tally, before.service?.revision ?? "", this.ports.clock.now());
  }
}

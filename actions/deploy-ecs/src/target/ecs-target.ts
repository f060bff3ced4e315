import { AwsError } from "../../../../lib/aws/errors.ts";
import { TimeoutError, UserError } from "../../../../lib/errors.ts";
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
import { imagesOf } from "../definition/images.ts";
import { type Definition, type DefinitionPlan, type Revision, textOf } from "../definition/model.ts";
import { planDefinition } from "../definition/plan.ts";
import { diagnose } from "../diagnose/diagnose.ts";
import { readSchedules, type SchedulesFound } from "../schedules/schedules.ts";
import { changeService, locateChange } from "./apply.ts";
import { inProgress, photograph } from "./before.ts";
import { Binding } from "./binding.ts";
import { moveAll, pruneFamily, restoreAll } from "./commit.ts";
import { Definitions } from "./definitions.ts";
import { firstMemory, type Memory } from "./memory.ts";
import {
  type Before,
  type Change,
  changesService,
  type EcsAttempt,
  type Handle,
  revisionOf,
} from "./model.ts";
import { Optional } from "./optional.ts";
import { planChange } from "./plan.ts";
import type { EcsPorts } from "./ports.ts";
import { preparedHandle, register, warnOfDrift } from "./prepare.ts";
import { serviceProblems } from "./problems.ts";
import { goalOf, takeBack } from "./roll-back.ts";
import { newTally, type Tally } from "./tally.ts";
import { TaskStage } from "./task-stage.ts";
import { TaskWatch } from "./task-watch.ts";
import { readService, readServicePatiently } from "./update.ts";
import { verifyService } from "./verify.ts";
import { lookBack, lookForward, type WatchParts } from "./watch.ts";

/** A look at the service may serve the next question when it is not older than this, milliseconds. */
const FRESH_MS = 3000;

/** Failures that no stopped task explains better. */
const EXPLAINED = new Set([
  "HEALTH_CHECK_FAILED",
  "FIELDS_LOST",
  "TASK_FAILED",
  "PAUSED",
  "CREDENTIALS_EXPIRED",
]);

/** One ECS service (or none: then only a revision is registered), as the rollout engine sees it. */
export class EcsTarget implements Target<Before, Change, Handle> {
  readonly name: string;
  readonly tally: Tally = newTally();
  readonly parts: WatchParts;
  readonly ports: EcsPorts;
  private readonly definitions: Definitions;
  private primed: { readonly service: EcsService | undefined; readonly at: number } | undefined;
  private running: Revision | undefined;
  private wanted: DefinitionPlan | undefined;
  private problems: readonly string[] = [];
  private memory: Memory | undefined;
  private backMemory: Memory | undefined;
  private lastSeen: EcsService | undefined;
  private schedules: SchedulesFound = { found: [], problems: [] };
  private committing = false;
  private readonly task: TaskStage;

  constructor(ports: EcsPorts) {
    this.ports = ports;
    const { cluster, name } = ports.inputs.service;
    this.name = name === "" ? "the task definition" : `service ${short(name)} on cluster ${short(cluster)}`;
    const optional = new Optional(ports.log);
    const saved = ports.state.load("service-deployment");
    this.parts = {
      ports,
      optional,
      binding: new Binding(ports, optional, typeof saved === "string" ? saved : ""),
      tasks: new TaskWatch(ports, optional),
      answered: new Set(),
    };
    this.definitions = new Definitions(ports);
    this.task = new TaskStage(ports, this.tally);
  }

  /** Takes over a look at the service that was made a moment ago. */
  prime(service: EcsService | undefined): void {
    this.primed = { service, at: this.ports.clock.now() };
  }

  async inspect(call: Call): Promise<Before> {
    const { inputs } = this.ports;
    const options = { signal: call.signal };
    const { source } = inputs;
    const asked = inputs.service.name !== "";
    const service = asked ? await this.current(call) : undefined;
    this.lastSeen = service;
    this.problems = asked ? serviceProblems(service, inputs) : [];
    const before = service && this.problems.length === 0 ? photograph(service) : null;
    const named = source.kind === "family" || source.kind === "revision" ? source.name : "";
    const described = named === "" ? undefined : await this.definitions.read(named, options);
    const running = before ? await this.definitions.read(before.revision, options) : undefined;
    this.wanted = planDefinition({
      source,
      edits: inputs.edits,
      described,
      running,
      balanced: (before?.targetGroups ?? []).map(({ container }) => container),
    });
    this.running = running;
    this.tally.previous = before?.revision ?? "";
    if (inputs.schedules.length > 0 && this.wanted.kind !== "refused") {
      const { apis } = this.ports;
      const family = textOf(this.wanted.definition["family"]);
      this.schedules = await readSchedules(apis, inputs.schedules, family, options);
    }
    return { service: before };
  }

  plan(before: Before): PlanResult<Change> {
    const { inputs } = this.ports;
    const { wanted, problems, schedules } = this;
    if (!wanted) throw new Error("nothing was inspected");
    const all = [...problems, ...schedules.problems, ...this.definitionProblems(wanted)];
    if (all.length > 0) throw new UserError(all);
    if (wanted.kind !== "refused") this.tally.digest = wanted.digest;
    if (wanted.kind === "use") this.tally.revision = wanted.arn;
    return planChange(inputs, before.service, wanted, schedules.found);
  }

  async gate(_attempt: EcsAttempt, mode: GateMode, call: Call): Promise<GateResult> {
    if (this.ports.inputs.service.name === "") return { kind: "clear" };
    const service = await this.current(call);
    const by = service ? inProgress(service) : "";
    if (by === "" || mode === "supersede") {
      this.prime(service);
      return { kind: "clear" };
    }
    this.primed = undefined;
    return { kind: "busy", by };
  }

  async apply(attempt: EcsAttempt, call: Call): Promise<ApplyResult<Handle>> {
    if (changesService(attempt)) {
      const result = await changeService(this.ports, attempt, call);
      if (result.kind === "applied") this.keep(result.handle);
      return result;
    }
    return this.prepare(attempt, call);
  }

  async locate(attempt: EcsAttempt, call: Call): Promise<ApplyResult<Handle>> {
    if (!changesService(attempt)) {
      const message = "the answer to RegisterTaskDefinition or RunTask was lost";
      return { kind: "not-applied", cause: { code: "REMOTE_FAILED", message } };
    }
    const result = await locateChange(this.ports, attempt, await readService(this.ports, call.signal));
    if (result.kind === "applied") this.keep(result.handle);
    return result;
  }

  async observe(attempt: EcsAttempt, aim: Aim, call: Call): Promise<Observation> {
    if (!changesService(attempt)) return this.observePrepared(attempt, call);
    if (aim === "old") return this.observeBack(attempt, call);
    const { watch } = this.ports.inputs;
    if (!watch.wait)
      return { kind: "ready", detail: "UpdateService was accepted; nothing more was asked for" };
    const { memory, seen, service } = await lookForward(this.parts, this.remembered(attempt), call);
    this.memory = memory;
    this.lastSeen = service ?? this.lastSeen;
    this.tally.deployment = memory.deployment;
    this.tally.serviceDeployment = this.parts.binding.arn;
    if (seen.kind === "reverted-by-target") this.beginBack(memory.before.proven || memory.before.revision);
    return seen;
  }

  async verify(attempt: EcsAttempt, aim: Aim, call: Call): Promise<VerifyResult> {
    const { ports, tally, name } = this;
    if (!changesService(attempt)) return { kind: "proven", detail: "nothing serves it yet" };
    if (!ports.inputs.watch.wait && aim === "new") {
      return { kind: "proven", detail: "not waited for: nothing is proven" };
    }
    const { before, revision } = this.remembered(attempt);
    const meant = aim === "new" ? revision : goalOf(before);
    const { optional } = this.parts;
    return verifyService(
      { ports, optional, tally, service: this.lastSeen, revision: meant, name },
      aim,
      call,
    );
  }

  async commit(attempt: EcsAttempt, call: Call): Promise<CommitResult> {
    const { ports, parts, tally } = this;
    if (this.memory) await parts.binding.readDigests(this.memory, call);
    tally.serviceDeployment = parts.binding.arn;
    tally.digests = parts.binding.digests;
    const revision = revisionOf(attempt);
    this.committing = true;
    const moved = await moveAll(ports, attempt.change, revision, call);
    if (moved.kind === "failed") return moved;
    await pruneFamily(ports, attempt.change, attempt.before.service, revision, call);
    return moved;
  }

  async diagnose(attempt: EcsAttempt, cause: Cause, call: Call): Promise<readonly Cause[]> {
    const { apis, inputs, log } = this.ports;
    if (!changesService(attempt) || EXPLAINED.has(cause.code)) return [];
    const definition = this.definitionOf();
    const memory = this.remembered(attempt);
    const { cluster, name } = inputs.service;
    return diagnose(
      { ecs: apis.ecs, logs: apis.logs, elb: apis.elb, log },
      {
        cluster,
        service: name,
        startedBy: memory.deployment === "" ? [] : [memory.deployment],
        revision: memory.revision,
        since: memory.createdAt,
        definition,
        logLines: inputs.watch.logLines,
        seen: this.lastSeen,
      },
      { signal: call.signal },
    );
  }

  async rollBack(attempt: EcsAttempt, call: Call): Promise<RollBackResult<Handle>> {
    const change = attempt.change as Change | null;
    if (change?.task) await this.task.stop(attempt.handle?.tasks ?? [], call);
    // A fresh process does not know how far the commit had come.
    const schedules = this.committing || !this.wanted;
    if (!attempt.before?.service || !changesService(attempt)) {
      if (schedules) await restoreAll(this.ports, change, revisionOf(attempt), call);
      return { kind: "untouched" };
    }
    const service = await readServicePatiently(this.ports, call);
    this.lastSeen = service ?? this.lastSeen;
    if (!service) throw new TimeoutError("ECS does not show the service at the moment", {});
    const memory = this.remembered(attempt);
    const { binding } = this.parts;
    const result = await takeBack(this.ports, attempt, { service, memory, binding }, call);
    if (result.kind === "started" || result.kind === "restored") this.beginBack(goalOf(memory.before));
    this.tally.serviceDeployment = binding.arn;
    if (schedules) await restoreAll(this.ports, change, memory.revision, call);
    return result;
  }

  async release(): Promise<void> {}

  classify(error: unknown): FaultClass | undefined {
    if (!(error instanceof AwsError)) return undefined;
    if (error.fault === "transient") return "transient";
    return error.fault === "denied" || error.fault === "expired" ? "denied" : "permanent";
  }

  private async observePrepared(attempt: EcsAttempt, call: Call): Promise<Observation> {
    const [task] = attempt.handle?.tasks ?? [];
    const definition = this.definitionOf();
    if (task !== undefined && definition) return this.task.observe(task, definition, call);
    const registered = attempt.change.register ? "registered" : "as it is to be";
    return { kind: "ready", detail: `the task definition is ${registered}` };
  }

  private async observeBack(attempt: EcsAttempt, call: Call): Promise<Observation> {
    const memory = this.backMemory ?? { ...this.remembered(attempt), steady: 0, missing: 0 };
    const deployment = attempt.backHandle?.updated?.deployment ?? "";
    const back = { revision: goalOf(memory.before), deployment };
    const look = await lookBack(this.parts, memory, back, call);
    this.backMemory = look.memory;
    this.lastSeen = look.service ?? this.lastSeen;
    return look.seen;
  }

  /** What the inputs ask of the task definition and cannot have; of no interest where it comes from a service that is missing. */
  private definitionProblems(wanted: DefinitionPlan): readonly string[] {
    const { inputs } = this.ports;
    if (this.problems.length > 0 && inputs.source.kind === "running") return [];
    if (wanted.kind === "refused") return wanted.problems;
    return inputs.task ? this.task.problems(wanted.definition, this.lastSeen) : [];
  }

  /** Registers what is new, and runs the one-off task. */
  private async prepare(attempt: EcsAttempt, call: Call): Promise<ApplyResult<Handle>> {
    let revision = attempt.change.revision;
    if (attempt.change.register) {
      const definition = this.definitionOf();
      if (!definition) throw new Error("no task definition to register");
      const registered = await register(this.ports, definition, call);
      if (registered.kind !== "registered") return registered;
      revision = registered.revision.arn;
      if (this.running) warnOfDrift(this.ports, this.running, registered.revision);
    }
    this.tally.revision = revision;
    const handle = preparedHandle(attempt, revision, []);
    const definition = this.definitionOf();
    if (!attempt.change.task || !definition) return { kind: "applied", handle, quiet: true };
    const started = await this.task.start(revision, definition, this.lastSeen, call);
    if (typeof started !== "string") return { kind: "not-applied", cause: started };
    return { kind: "applied", handle: { ...handle, tasks: [started] }, quiet: true };
  }

  private definitionOf(): Definition | undefined {
    return this.wanted && this.wanted.kind !== "refused" ? this.wanted.definition : undefined;
  }

  /** The last look while it is fresh, else a new one. */
  private async current(call: Call): Promise<EcsService | undefined> {
    const { primed } = this;
    const { clock } = this.ports;
    if (primed && clock.now() - primed.at < FRESH_MS) return primed.service;
    const service = await readService(this.ports, call.signal);
    this.prime(service);
    return service;
  }

  private keep(handle: Handle): void {
    this.memory = undefined;
    this.tally.deployment = handle.updated?.deployment ?? "";
    this.tally.revision = handle.revision;
  }

  private beginBack(revision: string): void {
    if (this.tally.backSince === 0) this.tally.backSince = this.ports.clock.now();
    this.tally.backTo = revision;
  }

  /** What is known of our deployment; in a fresh process, what its attempt tells. */
  private remembered(attempt: EcsAttempt): Memory {
    if (this.memory) return this.memory;
    this.memory = firstMemory(attempt, this.ports.inputs, this.ports.clock.now());
    return this.memory;
  }
}

function short(name: string): string {
  return name.split("/").at(-1) ?? name;
}

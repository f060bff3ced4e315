import { AwsError } from "../../../../lib/aws/errors.ts";
import { TimeoutError } from "../../../../lib/errors.ts";
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
import { changeService, locateChange } from "./apply.ts";
import { inProgress } from "./before.ts";
import { moveAll, pruneFamily, restoreAll } from "./commit.ts";
import { Inspection } from "./inspection.ts";
import {
  type Before,
  type Change,
  changesService,
  type EcsAttempt,
  type Handle,
  revisionOf,
} from "./model.ts";
import { Optional } from "./optional.ts";
import type { EcsPorts } from "./ports.ts";
import { preparedHandle, register, warnOfDrift } from "./prepare.ts";
import { goalOf, takeBack } from "./roll-back.ts";
import { beginBack, newTally, type Tally } from "./tally.ts";
import { TaskStage } from "./task-stage.ts";
import { readService, readServicePatiently } from "./update.ts";
import { verifyService } from "./verify.ts";
import { Binding } from "./watch/binding.ts";
import { firstMemory, type Memory } from "./watch/memory.ts";
import { TaskWatch } from "./watch/task-watch.ts";
import { lookBack, lookForward, type WatchParts } from "./watch/watch.ts";

/** No two looks are closer than this once a deployment is under way, milliseconds: with two calls each, 24 a minute. */
const PACE_MS = 5000;

/** Another run that was waited for is to see how its own deployment ended, or to go back, before ours begins. */
const GRACE_MS = 7000;

/** One ECS service (or none: then only a revision is registered), as the rollout engine sees it. */
export class EcsTarget implements Target<Before, Change, Handle> {
  readonly name: string;
  readonly tally: Tally = newTally();
  readonly parts: WatchParts;
  readonly ports: EcsPorts;
  /** What was read before the change. */
  readonly inspection: Inspection;
  private memory: Memory | undefined;
  private backMemory: Memory | undefined;
  private lastSeen: EcsService | undefined;
  private committing = false;
  /** The other deployment that was seen in progress last, and when, by our clock. */
  private busy = { by: "", at: Number.NEGATIVE_INFINITY };
  private looks = 0;
  private lookedAt = 0;
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
    this.task = new TaskStage(ports, this.tally);
    this.inspection = new Inspection(ports, this.tally, this.task);
  }

  async inspect(call: Call): Promise<Before> {
    const before = await this.inspection.read(call);
    this.lastSeen = this.inspection.service;
    return before;
  }

  plan(before: Before): PlanResult<Change> {
    return this.inspection.plan(before);
  }

  async gate(_attempt: EcsAttempt, mode: GateMode, call: Call): Promise<GateResult> {
    if (this.ports.inputs.service.name === "") return { kind: "clear" };
    const service = await this.inspection.current(call);
    const by = service ? inProgress(service) : "";
    if (mode === "supersede") return { kind: "clear" };
    const now = this.ports.clock.now();
    if (by !== "") this.busy = { by, at: now };
    if (now - this.busy.at >= GRACE_MS) return { kind: "clear" };
    this.inspection.forget();
    return { kind: "busy", by: by || `${this.busy.by}, which has just ended` };
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
    await this.pace(call);
    const { memory, seen, service } = await lookForward(this.parts, this.remembered(attempt), call);
    this.memory = memory;
    this.lastSeen = service ?? this.lastSeen;
    this.tally.deployment = memory.deployment;
    this.tally.serviceDeployment = this.parts.binding.arn;
    if (seen.kind === "reverted-by-target")
      beginBack(this.tally, memory.before.proven || memory.before.revision, this.ports.clock.now());
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
    this.looks = 0;
    const moved = await moveAll(ports, attempt.change, revision, call);
    if (moved.kind === "failed") return moved;
    await pruneFamily(ports, attempt.change, attempt.before.service, revision, call);
    return moved;
  }

  async diagnose(attempt: EcsAttempt, cause: Cause, call: Call): Promise<readonly Cause[]> {
    const { apis, inputs, log } = this.ports;
    if (!changesService(attempt) || isExplained(cause.code)) return [];
    const definition = this.inspection.definition;
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
    const schedules = this.committing || !this.inspection.hasPlanned;
    if (!attempt.before?.service || !changesService(attempt)) {
      if (schedules) await restoreAll(this.ports, change, revisionOf(attempt), call);
      // A lost RegisterTaskDefinition harms nobody; a lost RunTask may still start its task.
      return change?.task ? { kind: "untouched" } : { kind: "untouched", final: true };
    }
    const service = await readServicePatiently(this.ports, call);
    this.lastSeen = service ?? this.lastSeen;
    if (!service) throw new TimeoutError("ECS does not show the service at the moment", {});
    const memory = this.remembered(attempt);
    const { binding } = this.parts;
    const result = await takeBack(this.ports, attempt, { service, memory, binding }, call);
    if (result.kind === "started" || result.kind === "restored")
      beginBack(this.tally, goalOf(memory.before), this.ports.clock.now());
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
    const definition = this.inspection.definition;
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

  /** The engine's first looks come fast; those after the second keep to a pace that leaves calls for the rest. */
  private async pace(call: Call): Promise<void> {
    const { clock, inputs } = this.ports;
    const due = this.lookedAt + Math.min(inputs.watch.pollIntervalMs, PACE_MS);
    if (this.looks++ > 1 && due > clock.now()) await clock.sleep(due - clock.now(), call.signal);
    this.lookedAt = clock.now();
  }

  /** Registers what is new, and runs the one-off task. */
  private async prepare(attempt: EcsAttempt, call: Call): Promise<ApplyResult<Handle>> {
    let revision = attempt.change.revision;
    if (attempt.change.register) {
      const definition = this.inspection.definition;
      if (!definition) throw new Error("no task definition to register");
      const registered = await register(this.ports, definition, call);
      if (registered.kind !== "registered") return registered;
      revision = registered.revision.arn;
      const { running } = this.inspection;
      if (running) warnOfDrift(this.ports, running, registered.revision);
    }
    this.tally.revision = revision;
    const handle = preparedHandle(attempt, revision, []);
    const definition = this.inspection.definition;
    if (!attempt.change.task || !definition) return { kind: "applied", handle, quiet: true };
    const started = await this.task.start(revision, definition, this.lastSeen, call);
    if (typeof started !== "string") return { kind: "not-applied", cause: started };
    return { kind: "applied", handle: { ...handle, tasks: [started] }, quiet: true };
  }

  private keep(handle: Handle): void {
    this.memory = undefined;
    this.tally.deployment = handle.updated?.deployment ?? "";
    this.tally.revision = handle.revision;
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

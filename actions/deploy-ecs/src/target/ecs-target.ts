import { AwsError } from "../../../../lib/aws/errors.ts";
import { UserError } from "../../../../lib/errors.ts";
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
import type { Definition, DefinitionPlan, Revision } from "../definition/model.ts";
import { planDefinition } from "../definition/plan.ts";
import { diagnose } from "../diagnose/diagnose.ts";
import { changeService, locateChange } from "./apply.ts";
import { inProgress, photograph, primaryOf } from "./before.ts";
import { Binding } from "./binding.ts";
import { Definitions } from "./definitions.ts";
import type { Memory } from "./memory.ts";
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
import { preparedHandle, register } from "./prepare.ts";
import { serviceProblems } from "./problems.ts";
import { goalOf, takeBack } from "./roll-back.ts";
import { newTally, type Tally } from "./tally.ts";
import { TaskWatch } from "./task-watch.ts";
import { readService, readServicePatiently } from "./update.ts";
import { checkUrl } from "./verify.ts";
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
  private facts: { readonly running?: Revision; readonly described?: Revision } = {};
  private wanted: DefinitionPlan | undefined;
  private problems: readonly string[] = [];
  private memory: Memory | undefined;
  private backMemory: Memory | undefined;
  private lastSeen: EcsService | undefined;

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
    this.facts = { ...(running ? { running } : {}), ...(described ? { described } : {}) };
    this.tally.previous = before?.revision ?? "";
    return { service: before };
  }

  plan(before: Before): PlanResult<Change> {
    const { inputs } = this.ports;
    const definition = planDefinition({
      source: inputs.source,
      edits: inputs.edits,
      described: this.facts.described,
      running: this.facts.running,
      balanced: (before.service?.targetGroups ?? []).map(({ container }) => container),
    });
    if (this.problems.length > 0) {
      const known = inputs.source.kind !== "running" && definition.kind === "refused";
      throw new UserError([...this.problems, ...(known ? definition.problems : [])]);
    }
    this.wanted = definition;
    if (definition.kind !== "refused") this.tally.digest = definition.digest;
    const planned = planChange(inputs, before.service, definition);
    if (definition.kind === "use") this.tally.revision = definition.arn;
    return planned;
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
    if (!changesService(attempt)) return { kind: "ready", detail: "the task definition is registered" };
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
    const { inputs, log } = this.ports;
    if (!changesService(attempt)) return { kind: "proven", detail: "nothing serves it yet" };
    if (!inputs.watch.wait) return { kind: "proven", detail: "not waited for: nothing is proven" };
    const primary = primaryOf(this.lastSeen);
    if ((primary?.desiredCount ?? this.lastSeen?.desiredCount) === 0) {
      if (aim === "old") return { kind: "proven", detail: "the desired count is 0, as nothing runs" };
      if (inputs.health.url !== "") return { kind: "failed", cause: scaledToZero(this.name) };
      log.warn(`${this.name} has a desired count of 0: nothing was started, and nothing is proven to run`);
      return { kind: "proven", detail: "the desired count is 0: nothing was started" };
    }
    if (inputs.health.url === "")
      return { kind: "proven", detail: "ECS says that it runs; no `health-check-url` is given" };
    const { result, status } = await checkUrl(this.ports, aim, call);
    this.tally.healthStatus = status;
    return result;
  }

  async commit(_attempt: EcsAttempt, call: Call): Promise<CommitResult> {
    if (this.memory) await this.parts.binding.readDigests(this.memory, call);
    this.tally.serviceDeployment = this.parts.binding.arn;
    this.tally.digests = this.parts.binding.digests;
    return { kind: "committed" };
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
    if (!attempt.before?.service || !changesService(attempt)) return { kind: "untouched" };
    const service = await readServicePatiently(this.ports, call);
    this.lastSeen = service ?? this.lastSeen;
    const memory = this.remembered(attempt);
    if (!service) throw new Error("ECS does not show the service at the moment");
    const result = await takeBack(
      this.ports,
      attempt,
      { service, memory, binding: this.parts.binding },
      call,
    );
    if (result.kind === "started" || result.kind === "restored") this.beginBack(goalOf(memory.before));
    return result;
  }

  async release(): Promise<void> {}

  classify(error: unknown): FaultClass | undefined {
    if (!(error instanceof AwsError)) return undefined;
    if (error.fault === "transient") return "transient";
    return error.fault === "denied" || error.fault === "expired" ? "denied" : "permanent";
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

  /** Registers what is new, and runs the one-off task. */
  private async prepare(attempt: EcsAttempt, call: Call): Promise<ApplyResult<Handle>> {
    let revision = attempt.change.revision;
    if (attempt.change.register) {
      const definition = this.definitionOf();
      if (!definition) throw new Error("no task definition to register");
      const registered = await register(this.ports, definition, call);
      if (registered.kind !== "registered") return registered;
      revision = registered.revision.arn;
    }
    this.tally.revision = revision;
    return { kind: "applied", handle: preparedHandle(attempt, revision, []), quiet: true };
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
    const { service: before } = attempt.before;
    if (!before) throw new Error("no service to watch");
    const { inputs, clock } = this.ports;
    const { updated } = attempt.handle ?? { updated: null };
    const { failureBudget, until, onPause } = inputs.watch;
    this.memory = {
      before,
      revision: revisionOf(attempt),
      deployment: updated?.deployment ?? "",
      createdAt: updated?.createdAt ?? 0,
      startsDeployment: attempt.change.update?.startsDeployment ?? true,
      desired: inputs.service.desiredCount,
      updatedAt: updated?.at ?? clock.now(),
      seen: false,
      failedSince: null,
      steady: 0,
      missing: 0,
      failed: [],
      blind: false,
      rules: { failureBudget, until, onPause },
    };
    return this.memory;
  }
}

function short(name: string): string {
  return name.split("/").at(-1) ?? name;
}

function scaledToZero(name: string): Cause {
  return {
    code: "HEALTH_CHECK_FAILED",
    message: `${name} was scaled to a desired count of 0: nothing runs that \`health-check-url\` could reach`,
    fix: "set `desired-count`, or look at what scales the service in",
  };
}

import type { AwsCallOptions } from "../../../../lib/aws/call.ts";
import { AwsError } from "../../../../lib/aws/errors.ts";
import { UserError } from "../../../../lib/errors.ts";
import type { Call, PlanResult } from "../../../../lib/rollout/target.ts";
import type { EcsService } from "../api/ecs-types.ts";
import { imagesOf } from "../definition/images.ts";
import { type Definition, type DefinitionPlan, type Revision, textOf } from "../definition/model.ts";
import { planDefinition } from "../definition/plan.ts";
import { readSchedules, type SchedulesFound } from "../schedules/schedules.ts";
import { photograph } from "./before.ts";
import { Definitions } from "./definitions.ts";
import type { Before, Change } from "./model.ts";
import { planChange } from "./plan.ts";
import type { EcsPorts } from "./ports.ts";
import { serviceProblems } from "./problems.ts";
import type { Tally } from "./tally.ts";
import type { TaskStage } from "./task-stage.ts";
import { readService } from "./update.ts";

/** A look at the service may serve the next question when it is not older than this, milliseconds. */
const FRESH_MS = 3000;

/** What was read before anything is written: the service, the task definitions, the schedules; and the plan made of it. */
export class Inspection {
  /** What the service runs. */
  running: Revision | undefined;
  /** The service as it was read last. */
  service: EcsService | undefined;
  private readonly definitions: Definitions;
  private primed: { readonly service: EcsService | undefined; readonly at: number } | undefined;
  /** Whether the task definition that the inputs name or mean was found. */
  private hasBase = false;
  private wanted: DefinitionPlan | undefined;
  private problems: readonly string[] = [];
  private schedules: SchedulesFound = { found: [], problems: [] };
  private readonly ports: EcsPorts;
  private readonly tally: Tally;
  private readonly task: TaskStage;

  constructor(ports: EcsPorts, tally: Tally, task: TaskStage) {
    this.ports = ports;
    this.tally = tally;
    this.task = task;
    this.definitions = new Definitions(ports);
  }

  /** Takes over a look at the service that was made a moment ago. */
  prime(service: EcsService | undefined): void {
    this.primed = { service, at: this.ports.clock.now() };
  }

  /** The last look while it is fresh, else a new one. */
  async current(call: Call): Promise<EcsService | undefined> {
    const { primed } = this;
    if (primed && Math.abs(this.ports.clock.now() - primed.at) < FRESH_MS) return primed.service;
    const service = await readService(this.ports, call.signal);
    this.prime(service);
    return service;
  }

  /** The next look is a new one. */
  forget(): void {
    this.primed = undefined;
  }

  /** What is to be registered or used, once it was planned; undefined in a process that only goes back. */
  get definition(): Definition | undefined {
    return this.wanted && this.wanted.kind !== "refused" ? this.wanted.definition : undefined;
  }

  /** Whether this process has planned anything. */
  get hasPlanned(): boolean {
    return this.wanted !== undefined;
  }

  /** Reads all of it. */
  async read(call: Call): Promise<Before> {
    const { inputs } = this.ports;
    const options = { signal: call.signal };
    const { source } = inputs;
    const asked = inputs.service.name !== "";
    this.service = asked ? await this.current(call) : undefined;
    this.problems = asked ? serviceProblems(this.service, inputs) : [];
    const before = this.service && this.problems.length === 0 ? photograph(this.service) : null;
    const named = source.kind === "family" || source.kind === "revision" ? source.name : "";
    const described = named === "" ? undefined : await this.definitions.find(named, options);
    if (named !== "" && !described) this.problems = [...this.problems, unknownDefinition(named)];
    // Also that of a service which is refused: one message then names what does not fit its containers too.
    const runs = before?.revision ?? this.service?.taskDefinition ?? "";
    this.running =
      runs === "" ? await this.newestOfFile(options) : await this.definitions.read(runs, options);
    this.hasBase = source.kind === "running" ? this.running !== undefined : described !== undefined;
    this.wanted = planDefinition({
      source,
      edits: inputs.edits,
      described,
      running: this.running,
      balanced: (this.service?.loadBalancers ?? []).map(({ containerName = "" }) => containerName),
    });
    this.tally.previous = before?.revision ?? "";
    await this.readSchedules(options);
    return { service: before };
  }

  /** The plan of what was read last; pure. Throws a `UserError` with all that is wrong. */
  plan(before: Before): PlanResult<Change> {
    const { inputs } = this.ports;
    const { wanted, tally } = this;
    if (!wanted) throw new Error("nothing was inspected");
    const all = [...this.problems, ...this.schedules.problems, ...this.definitionProblems(wanted)];
    if (all.length > 0 || wanted.kind === "refused") throw new UserError(all);
    tally.digest = wanted.digest;
    tally.images = imagesOf(wanted.definition);
    tally.differences = wanted.differences;
    if (wanted.kind === "use") tally.revision = wanted.arn;
    return planChange(inputs, before.service, wanted, this.schedules.found);
  }

  /** Without a service a file is compared with the newest revision of its family, where there is one. */
  private async newestOfFile(options: AwsCallOptions): Promise<Revision | undefined> {
    const { service, source } = this.ports.inputs;
    if (service.name !== "" || source.kind !== "file") return undefined;
    try {
      return await this.definitions.read(textOf(source.definition["family"]), options);
    } catch (error) {
      if (error instanceof AwsError && error.fault !== "transient" && error.fault !== "expired")
        return undefined;
      throw error;
    }
  }

  private async readSchedules(options: AwsCallOptions): Promise<void> {
    const { apis, inputs } = this.ports;
    const { definition } = this;
    if (inputs.schedules.length === 0 || !definition) return;
    this.schedules = await readSchedules(apis, inputs.schedules, textOf(definition["family"]), options);
  }

  /** What the inputs ask of the task definition and cannot have; of one that is missing nothing more is said. */
  private definitionProblems(wanted: DefinitionPlan): readonly string[] {
    const { inputs } = this.ports;
    if (this.problems.length > 0 && inputs.source.kind !== "file" && !this.hasBase) return [];
    if (wanted.kind === "refused") return wanted.problems;
    return inputs.task ? this.task.problems(wanted.definition, this.service) : [];
  }
}

function unknownDefinition(name: string): string {
  return `\`task-definition\` is \`${name}\`: there is no such file, and ECS knows no such family or revision`;
}

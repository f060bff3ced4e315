import { AwsError } from "../../../../lib/aws/errors.ts";
import { asked } from "../../../../lib/aws/retry.ts";
import { causeOf } from "../../../../lib/rollout/faults.ts";
import type { Call, Cause, Observation } from "../../../../lib/rollout/target.ts";
import type { EcsService } from "../api/ecs-types.ts";
import type { Definition } from "../definition/model.ts";
import { defaultContainers } from "../definition/targets.ts";
import { findTask, hasStopped, startTask, stopTask, TaskWatcher } from "../task/one-off.ts";
import { startedBy, type TaskRequest, taskRequest } from "../task/request.ts";
import type { EcsPorts } from "./ports.ts";
import type { Tally } from "./tally.ts";

/** A revision's name for a request that is only tried out. */
const NOT_YET = "arn:aws:ecs:region:account:task-definition/family:1";

/** The one-off task of a run: asked for before the service changes. */
export class TaskStage {
  private readonly ports: EcsPorts;
  private readonly tally: Tally;
  private watcher: TaskWatcher | undefined;
  private container = "";

  constructor(ports: EcsPorts, tally: Tally) {
    this.ports = ports;
    this.tally = tally;
  }

  /** What is wrong with the inputs for it; empty when nothing. Pure. */
  problems(definition: Definition, service: EcsService | undefined): readonly string[] {
    const container = this.containerOf(definition, service);
    if (container.kind === "unknown") {
      return [container.problem.replace("`container-name`", "`run-task-container`")];
    }
    const request = this.request(NOT_YET, definition, service);
    return request.kind === "refused" ? request.problems : [];
  }

  /** Starts it; its token makes a second try harmless. The ARN, or why there is none. */
  async start(
    revision: string,
    definition: Definition,
    service: EcsService | undefined,
    call: Call,
  ): Promise<string | Cause> {
    const { clock, state } = this.ports;
    const { signal } = call;
    const patient = { clock, signal };
    const tagged = await asked(() => this.withTags(service, call), patient);
    const request = this.request(revision, definition, tagged);
    if (request.kind === "refused") return { code: "BAD_INPUT", message: request.problems.join("; ") };
    // By this a later process finds the task whose start was not answered.
    state.save("task-revision", revision);
    try {
      const started = await asked(() => startTask(this.taskPorts(), request.input, { signal }), patient);
      if (started.kind === "refused") return started.cause;
      this.tally.tasks = [started.task];
      return started.task;
    } catch (error) {
      if (!(error instanceof AwsError) || error.fault === "transient") throw error;
      return causeOf(error, error.fault === "denied" ? "denied" : "permanent");
    }
  }

  /** Looks once. */
  async observe(task: string, definition: Definition, call: Call): Promise<Observation> {
    const { inputs } = this.ports;
    this.watcher ??= new TaskWatcher(this.taskPorts(), {
      cluster: inputs.service.cluster,
      task,
      container: this.container,
      definition,
      timeoutMs: inputs.task?.timeoutMs ?? 0,
      logLines: inputs.watch.logLines,
    });
    const verdict = await this.watcher.look(call.signal);
    if (verdict.kind === "running") return { kind: "progressing", detail: `one-off task: ${verdict.detail}` };
    this.tally.taskExitCode = verdict.exitCode ?? undefined;
    if (verdict.kind === "failed") return { kind: "failed", cause: verdict.cause };
    return { kind: "ready", detail: `the one-off task succeeded: ${verdict.detail}` };
  }

  /** Stops what this run may have started, whatever is known of it. Idempotent. */
  async stop(known: readonly string[], call: Call): Promise<void> {
    const { apis, inputs, clock, state, token, log } = this.ports;
    const { cluster } = inputs.service;
    const options = { signal: call.signal };
    const patient = { clock, signal: call.signal, tries: 3 };
    const revision = state.load("task-revision");
    if (!inputs.task || (known.length === 0 && typeof revision !== "string")) return;
    const mark = {
      cluster,
      revision: String(revision),
      since: 0,
      startedBy: startedBy({ inputs: inputs.task, token }),
    };
    const found = known.length > 0 ? known : [await asked(() => findTask(apis.ecs, mark, options), patient)];
    for (const task of found.filter((arn) => arn !== "")) {
      if (await asked(() => hasStopped(apis.ecs, cluster, task, options), patient)) continue;
      await asked(
        () => stopTask(apis.ecs, cluster, task, "the run that started it has ended", options),
        patient,
      );
      log.info(`one-off task ${task.split("/").at(-1) ?? ""} was told to stop`);
    }
  }

  /** The service with its tags, which no other look needs, where its tasks get them. */
  private async withTags(service: EcsService | undefined, { signal }: Call): Promise<EcsService | undefined> {
    const { apis, inputs } = this.ports;
    if (service?.propagateTags !== "SERVICE" || inputs.task?.tags !== undefined) return service;
    const { cluster, name } = inputs.service;
    return { ...service, tags: await apis.ecs.serviceTags(cluster, name, { signal }) };
  }

  private request(revision: string, definition: Definition, service: EcsService | undefined): TaskRequest {
    const { inputs, token } = this.ports;
    if (!inputs.task) throw new Error("no task was asked for");
    const container = this.containerOf(definition, service);
    this.container = container.kind === "found" ? (container.names[0] ?? "") : "";
    const { cluster } = inputs.service;
    return taskRequest({
      cluster,
      revision,
      definition,
      inputs: inputs.task,
      service,
      container: this.container,
      token,
    });
  }

  private containerOf(
    definition: Definition,
    service: EcsService | undefined,
  ): ReturnType<typeof defaultContainers> {
    const { task, edits } = this.ports.inputs;
    const given = task && task.container !== "" ? [task.container] : edits.containers;
    const balanced = (service?.loadBalancers ?? []).map(({ containerName = "" }) => containerName);
    return defaultContainers(definition, given, balanced);
  }

  private taskPorts(): ConstructorParameters<typeof TaskWatcher>[0] {
    const { apis, clock, log } = this.ports;
    return { ecs: apis.ecs, logs: apis.logs, clock, log };
  }
}

import { spawn } from "node:child_process";
import { startFailure } from "../ecs/reasons.ts";
import type { ContainerHost, EcsState, FakeTask } from "../ecs/state.ts";
import {
  becomeHealthy,
  becomeRunning,
  containers,
  end,
  failContainer,
  finish,
  type TaskEvents,
} from "../ecs/tasks.ts";
import type { Json } from "../types.ts";
import { type Container, type LocalImage, startContainer } from "./container.ts";

/** What the containers of the world are on this machine. */
export interface HostOptions {
  /** Images that can be pulled; any other one is not found. */
  readonly images: Readonly<Record<string, LocalImage>>;
  /** Values of secrets by `valueFrom`; any other one is not found. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** Runs the containers of tasks as local processes. */
export class ProcessHost implements ContainerHost {
  private readonly ecs: EcsState;
  private readonly events: TaskEvents;
  private readonly options: HostOptions;
  /** Real milliseconds in one of the world's. */
  private readonly pace: number;
  private readonly running = new Map<FakeTask, Map<string, Container>>();
  private readonly starting = new Map<FakeTask, Promise<unknown>>();
  private readonly checks = new Map<FakeTask, NodeJS.Timeout>();

  constructor(ecs: EcsState, events: TaskEvents, options: HostOptions, speed: number) {
    this.ecs = ecs;
    this.events = events;
    this.options = options;
    this.pace = 1 / Math.max(1, speed);
  }

  /** The real port behind a task's target. */
  portOf(task: FakeTask): number | undefined {
    const balanced = (task.service?.members["loadBalancers"] as readonly Json[] | undefined)?.[0]?.[
      "containerName"
    ];
    return this.running.get(task)?.get(String(balanced))?.port;
  }

  start(task: FakeTask): void {
    const refusal = this.refusal(task);
    if (refusal) {
      const [first] = containers(task);
      if (refusal.container) task.exits[String(first?.["name"])] = { reason: refusal.reason };
      end(this.ecs, this.events, task, {
        stopCode: "TaskFailedToStart",
        reason: refusal.reason,
        failed: true,
      });
      return;
    }
    const own = new Map<string, Container>();
    this.running.set(task, own);
    const starts = containers(task).map((container) => this.startOne(task, own, container));
    this.starting.set(task, Promise.allSettled(starts));
    Promise.all(starts).then(
      () => this.up(task, own),
      (error: unknown) => {
        const reason = `CannotStartContainerError: ${error instanceof Error ? error.message : String(error)}`;
        end(this.ecs, this.events, task, { stopCode: "TaskFailedToStart", reason, failed: true });
      },
    );
  }

  /** Stops the containers; the task is STOPPED when the last one is gone. */
  stop(task: FakeTask): void {
    clearInterval(this.checks.get(task));
    this.checks.delete(task);
    void (this.starting.get(task) ?? Promise.resolve()).then(async () => {
      const own = [...(this.running.get(task)?.values() ?? [])];
      const grace =
        Math.max(...containers(task).map((container) => Number(container["stopTimeout"] ?? 30))) * 1000;
      for (const container of own) container.stop(grace * this.pace);
      await Promise.all(own.map((container) => container.ended));
      this.ecs.time.catchUp();
      this.running.delete(task);
      this.starting.delete(task);
      finish(this.ecs, this.events, task, own.length > 0);
    });
  }

  /** Ends every process at once. */
  async close(): Promise<void> {
    for (const timer of this.checks.values()) clearInterval(timer);
    const all = [...this.running.values()].flatMap((own) => [...own.values()]);
    for (const container of all) container.kill();
    await Promise.all(all.map((container) => container.ended));
  }

  /** Why the task cannot start: an image or a secret that is not there, or what its behaviour says. */
  private refusal(task: FakeTask): ReturnType<typeof startFailure> {
    const scripted = startFailure(this.ecs.place, task);
    if (scripted) return scripted;
    const stranger = containers(task).find((container) => !this.options.images[String(container["image"])]);
    if (stranger) {
      const image = String(stranger["image"]);
      const text = `failed to resolve ref ${image}: ${image}: not found`;
      const reason = `CannotPullContainerError: pull image manifest has been retried 1 time(s): ${text}`;
      return { reason, container: true };
    }
    const secrets = containers(task).flatMap((container) => (container["secrets"] ?? []) as readonly Json[]);
    const lost = secrets.find((secret) => this.options.secrets?.[String(secret["valueFrom"])] === undefined);
    if (!lost) return undefined;
    const behaviour = { kind: "secret-not-found", secret: String(lost["valueFrom"]) } as const;
    return startFailure(this.ecs.place, { ...task, behaviour });
  }

  private async startOne(task: FakeTask, own: Map<string, Container>, definition: Json): Promise<void> {
    const name = String(definition["name"]);
    const image = this.options.images[String(definition["image"])];
    if (!image) return;
    const override = overrideOf(task, name);
    const args = (override["command"] ?? definition["command"]) as readonly string[] | undefined;
    const container = await startContainer({
      image,
      ...(args ? { args } : {}),
      env: this.environment(definition, override),
      onLines: (lines) => this.ecs.log(task, lines, name),
    });
    own.set(name, container);
    void container.ended.then((code) => this.exited(task, definition, code));
  }

  private environment(definition: Json, override: Json): Record<string, string> {
    const plain = [...list(definition["environment"]), ...list(override["environment"])];
    const secrets = list(definition["secrets"]).map((one) => [
      String(one["name"]),
      this.options.secrets?.[String(one["valueFrom"])] ?? "",
    ]);
    return Object.fromEntries([
      ...plain.map((one) => [String(one["name"]), String(one["value"])]),
      ...secrets,
    ]);
  }

  private up(task: FakeTask, own: ReadonlyMap<string, Container>): void {
    this.ecs.time.catchUp();
    if (task.desiredStatus === "STOPPED") return;
    becomeRunning(this.ecs, this.events, task);
    const checked = containers(task).find((container) => container["healthCheck"] !== undefined);
    if (checked) this.check(task, checked, own.get(String(checked["name"])));
  }

  private exited(task: FakeTask, definition: Json, code: number): void {
    this.ecs.time.catchUp();
    task.exits[String(definition["name"])] = { code };
    if (task.desiredStatus === "STOPPED" || definition["essential"] === false) return;
    // A container that ends before it was ever healthy never brought its task up.
    const failed = task.target.state !== "healthy" && task.health !== "HEALTHY";
    const reason = "Essential container in task exited";
    end(this.ecs, this.events, task, { stopCode: "EssentialContainerExited", reason, failed, quick: true });
  }

  /** The container's own health check, run as Docker does. */
  private check(task: FakeTask, definition: Json, container: Container | undefined): void {
    const settings = definition["healthCheck"] as Json;
    const [kind, ...words] = (settings["command"] ?? []) as readonly string[];
    const argv = kind === "CMD-SHELL" ? ["/bin/sh", "-c", words.join(" ")] : words;
    const env = {
      PATH: process.env["PATH"] ?? "",
      ...this.environment(definition, {}),
      PORT: String(container?.port),
    };
    const patience = Date.now() + Number(settings["startPeriod"] ?? 0) * 1000 * this.pace;
    let failures = 0;
    const look = () => {
      const child = spawn(argv[0] ?? "false", argv.slice(1), {
        env,
        stdio: "ignore",
        timeout: Number(settings["timeout"]) * 1000,
      });
      child.once("error", () => undefined);
      child.once("close", (code) => {
        if (task.desiredStatus === "STOPPED") return;
        this.ecs.time.catchUp();
        failures = code === 0 ? 0 : failures + (Date.now() < patience ? 0 : 1);
        if (code === 0 && task.health !== "HEALTHY") becomeHealthy(this.events, task, "container");
        if (failures >= Number(settings["retries"])) failContainer(this.ecs, this.events, task);
      });
    };
    look();
    this.checks.set(task, setInterval(look, Number(settings["interval"]) * 1000 * this.pace));
  }
}

function list(value: unknown): readonly Json[] {
  return (value ?? []) as readonly Json[];
}

function overrideOf(task: FakeTask, name: string): Json {
  const overrides = (task.shown["overrides"] ?? {}) as Json;
  return list(overrides["containerOverrides"]).find((one) => one["name"] === name) ?? {};
}

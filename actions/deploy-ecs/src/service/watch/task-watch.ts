import type { Call } from "../../../../../lib/rollout/target.ts";
import type { EcsDeployment, EcsService, EcsTask } from "../../api/ecs-types.ts";
import { hasEnded } from "../../diagnose/stop-reasons.ts";
import type { Optional } from "../optional.ts";
import type { EcsPorts } from "../ports.ts";
import { startedSince } from "./events.ts";
import { failureOfTask, isOurs } from "./failures.ts";
import type { FailedTask, Memory } from "./memory.ts";

/** So many looks in a row that find none of the tasks that ECS says have failed. */
const MOST_IN_VAIN = 3;
const WITHOUT = "failed tasks are counted by ECS alone, and not explained";

/** Reads the stopped tasks of our deployment, only when something says that there are new ones. */
export class TaskWatch {
  /** Stopped tasks of our deployment, also those that failed by nobody's fault. */
  readonly stopped: EcsTask[] = [];
  private readonly seen = new Set<string>();
  private failedTasks = 0;
  private running = 0;
  private started = 0;
  private inVain = 0;
  private readonly ports: EcsPorts;
  private readonly optional: Optional;

  constructor(ports: EcsPorts, optional: Optional) {
    this.ports = ports;
    this.optional = optional;
  }

  /** Tasks may not be read, or those that ECS counts as failed are not among those that it shows. */
  get blind(): boolean {
    return this.isDenied || (this.stopped.length === 0 && this.inVain >= MOST_IN_VAIN);
  }

  private get isDenied(): boolean {
    return this.optional.isOff("ecs:ListTasks") || this.optional.isOff("ecs:DescribeTasks");
  }

  /** Whether the counts say that a task of ours has stopped; remembers them. */
  hasNews(service: EcsService, mine: EcsDeployment, memory: Memory): boolean {
    if (this.isDenied) return false;
    const { failedTasks = 0, runningCount = 0, desiredCount = 0 } = mine;
    const started = startedSince(service, memory.createdAt);
    const news =
      failedTasks > this.failedTasks ||
      runningCount < this.running ||
      (started > this.started && started > Math.max(desiredCount, service.desiredCount ?? 0));
    this.failedTasks = failedTasks;
    this.running = runningCount;
    this.started = started;
    return news;
  }

  /** What failed so far: two calls, one when no task is new. */
  async read(memory: Memory, call: Call): Promise<readonly FailedTask[]> {
    const { apis, inputs } = this.ports;
    const { cluster, name } = inputs.service;
    const options = { signal: call.signal };
    const filter = { serviceName: name, desiredStatus: "STOPPED" } as const;
    const listed = await this.optional.ask("ecs:ListTasks", WITHOUT, () =>
      apis.ecs.listTasks(cluster, filter, options),
    );
    if (!listed) return this.later(memory);
    const fresh = listed.filter((arn) => !this.seen.has(arn));
    if (fresh.length === 0) return this.none(memory);
    const described = await this.optional.ask("ecs:DescribeTasks", WITHOUT, () =>
      apis.ecs.describeTasks(cluster, fresh, options),
    );
    if (!described) return this.later(memory);
    const failed = [...memory.failed];
    for (const task of described.tasks) {
      // Told to stop, but why is not known yet: the same counts are news again at the next look.
      if (!hasEnded(task)) this.failedTasks = -1;
      else this.seen.add(task.taskArn ?? "");
      if (isOurs(task, memory)) this.stopped.push(task);
      const failure = failureOfTask(task, memory);
      if (failure) failed.push(failure);
    }
    return this.stopped.length === 0 ? this.none(memory) : failed;
  }

  /** Nothing new. As long as not one of ours was ever found, a few more looks are worth it: lists come late. */
  private none(memory: Memory): readonly FailedTask[] {
    if (this.stopped.length === 0 && this.failedTasks > 0 && ++this.inVain < MOST_IN_VAIN)
      this.failedTasks = -1;
    return memory.failed;
  }

  /** The answer was lost: the same counts are news again at the next look. */
  private later(memory: Memory): readonly FailedTask[] {
    this.failedTasks = -1;
    return memory.failed;
  }
}

import { Worker } from "node:worker_threads";
import { messageOf } from "../../../lib/errors.ts";
import { monotonicMs } from "./generator.ts";
import type { EndNews, LoadPlan, News, Order, SecondNews } from "./messages.ts";

/** Time for the threads to get the plan before the first request is due. */
const HEAD_START_MS = 60;
/** A thread that does not end this long after it was told to is lost. */
const STOP_GRACE_MS = 2000;

/** What the main thread hears while a load runs. */
export interface FleetListener {
  second(second: SecondNews, worker: number): void;
  /** That thread has told its last second. */
  ended(worker: number): void;
}

/** How a load ended on all threads. */
export interface FleetEnd {
  readonly ends: readonly EndNews[];
  /** Why threads were lost, one line each; their last second's numbers are missing. */
  readonly lost: readonly string[];
  /** Start of the load on the monotonic clock, milliseconds. */
  readonly startAt: number;
}

/** The part of a plan that is the same for all threads, and the model of each. */
export type SharedPlan = Omit<LoadPlan, "worker" | "workers" | "startAt" | "model" | "maxInFlight"> & {
  readonly maxInFlight: number;
  readonly model: (worker: number, workers: number) => LoadPlan["model"];
};

/** The load threads. They live as long as the run, also over several loads. */
export class Fleet {
  private readonly workers: Worker[];
  private readonly ready: Promise<unknown>;
  private current:
    | { onNews: (news: News) => void; onLost: (worker: number, why: string) => void }
    | undefined;

  /** `entry` is the file that a thread runs: the bundle itself. */
  constructor(entry: string, count: number) {
    this.workers = Array.from({ length: count }, () => new Worker(entry));
    this.ready = Promise.all(this.workers.map((worker, index) => this.follow(worker, index)));
    // Whoever starts a load awaits it; without a load nobody needs to know.
    this.ready.catch(() => {});
  }

  /** Runs one load to its end. An abort of the signal stops it at once. */
  async load(plan: SharedPlan, listener: FleetListener, signal: AbortSignal): Promise<FleetEnd> {
    await this.ready;
    const count = this.workers.length;
    const startAt = monotonicMs() + HEAD_START_MS;
    const ends: EndNews[] = [];
    const lost = new Map<number, string>();
    const stop = () => this.tell({ type: "stop" });
    await new Promise<void>((resolve) => {
      let grace: NodeJS.Timeout | undefined;
      const settle = () => {
        if (ends.length + lost.size < count) return;
        clearTimeout(grace);
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = () => {
        stop();
        grace = setTimeout(resolve, STOP_GRACE_MS);
      };
      this.current = {
        onNews: (news) => {
          if (news.type === "second") listener.second(news.second, news.worker);
          if (news.type !== "done") return;
          ends.push(news.end);
          listener.ended(news.worker);
          // One thread that gives up makes the run worthless: the others need not go on.
          if (news.end.cut !== "") stop();
          settle();
        },
        onLost: (worker, why) => {
          lost.set(worker, why);
          stop();
          settle();
        },
      };
      this.workers.forEach((worker, index) => {
        worker.postMessage({ type: "load", plan: shareOf(plan, index, count, startAt) } satisfies Order);
      });
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
    });
    this.current = undefined;
    return { ends, lost: [...lost.values()], startAt };
  }

  /** How many threads there are. */
  get size(): number {
    return this.workers.length;
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private tell(order: Order): void {
    for (const worker of this.workers) worker.postMessage(order);
  }

  private follow(worker: Worker, index: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let why = "";
      worker.on("message", (news: News) => {
        if (news.type === "ready") resolve();
        this.current?.onNews(news);
      });
      worker.on("error", (error) => {
        why = messageAcross(error);
      });
      worker.on("exit", (code) => {
        const text = `load thread ${index} ended with code ${code}${why ? `: ${why}` : ""}`;
        reject(new Error(text));
        this.current?.onLost(index, text);
      });
    });
  }
}

/** An error that crossed threads is rebuilt from its parts, and not always an instance of this realm's Error. */
function messageAcross(error: unknown): string {
  const isLike = typeof error === "object" && error !== null && "message" in error;
  return isLike && typeof error.message === "string" ? error.message : messageOf(error);
}

function shareOf(plan: SharedPlan, worker: number, workers: number, startAt: number): LoadPlan {
  return {
    target: plan.target,
    endpoints: plan.endpoints,
    timeoutMs: plan.timeoutMs,
    maxInFlight: Math.max(1, Math.floor(plan.maxInFlight / workers)),
    worker,
    workers,
    startAt,
    model: plan.model(worker, workers),
  };
}

/** How many of `total` things thread number `worker` gets. */
export function shareOfCount(total: number, worker: number, workers: number): number {
  return Math.floor(total / workers) + (worker < total % workers ? 1 : 0);
}

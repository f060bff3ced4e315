import type { Clock } from "../../clock.ts";

interface Sleeper {
  readonly at: number;
  readonly owner: object;
  readonly wake: () => void;
}

/**
 * Time for a whole simulated world. It moves to the next sleeper whenever nobody
 * has anything left to do, so hours pass in milliseconds, and everything that can
 * happen at one instant has happened before the next.
 */
export class VirtualClock {
  time = 1_000_000;
  private sleepers: Sleeper[] = [];

  /** The clock of one process of the world; `kill` ends all its sleeps without waking it. */
  process(): { readonly clock: Clock; kill(): void } {
    const owner = {};
    let alive = true;
    const clock: Clock = {
      now: () => this.time,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (!alive) return;
          if (signal?.aborted) return reject(signal.reason);
          const sleeper: Sleeper = { at: this.time + Math.max(0, ms), owner, wake: resolve };
          this.sleepers.push(sleeper);
          const onAbort = () => {
            if (!alive) return;
            this.sleepers = this.sleepers.filter((other) => other !== sleeper);
            reject(signal?.reason);
          };
          signal?.addEventListener("abort", onAbort, { once: true });
        }),
    };
    const kill = () => {
      alive = false;
      this.sleepers = this.sleepers.filter((sleeper) => sleeper.owner !== owner);
    };
    return { clock, kill };
  }

  /** Lets something happen to the world in `ms`. */
  at(ms: number, happen: () => void): void {
    this.sleepers.push({ at: this.time + ms, owner: this, wake: happen });
  }

  /** Moves time until the work settles; rejects when it hangs: nobody sleeps any more, or an hour has passed. */
  async run<T>(work: Promise<T>): Promise<T> {
    const end = this.time + 3_600_000;
    let settled = false;
    const done = () => {
      settled = true;
    };
    work.then(done, done);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (settled) return work;
      if (!this.wakeNext(end)) throw new Error("the rollout hangs");
    }
  }

  /** Lets so much time pass, with whatever happens in it. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.wakeNext(end));
    this.time = end;
  }

  private wakeNext(end: number): boolean {
    let next: Sleeper | undefined;
    for (const sleeper of this.sleepers) if (!next || sleeper.at < next.at) next = sleeper;
    if (!next || next.at > end) return false;
    this.sleepers = this.sleepers.filter((sleeper) => sleeper !== next);
    this.time = Math.max(this.time, next.at);
    next.wake();
    return true;
  }
}

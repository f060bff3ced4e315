import type { Clock } from "../clock.ts";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/**
 * A clock that stands still until it is told to move. `autoAdvance` makes every
 * sleep jump straight to its end, so that code under test runs at full speed in
 * virtual time.
 */
export class FakeClock implements Clock {
  private time: number;
  private sleepers: Sleeper[] = [];
  private readonly autoAdvance: boolean;

  constructor(start = Date.UTC(2026, 0, 1), autoAdvance = false) {
    this.time = start;
    this.autoAdvance = autoAdvance;
  }

  now(): number {
    return this.time;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw signal.reason;
    if (this.autoAdvance) {
      await Promise.resolve();
      if (signal?.aborted) throw signal.reason;
      this.time += ms;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const sleeper = { at: this.time + ms, wake: resolve };
      this.sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      });
    });
  }

  /** Moves time forward and wakes, in order, whoever is due. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      const due = this.sleepers.filter((s) => s.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.sleepers = this.sleepers.filter((s) => s !== due);
      this.time = due.at;
      due.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.time = end;
  }
}

import type { Clock } from "../../clock.ts";

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** How the time of the world is driven. */
export interface TimeOptions {
  /** Follow this clock; for timelines in process. */
  readonly clock?: Clock;
  /** Without a clock: seconds of the world in one real second; 0 (the default) stands still until `advance`. */
  readonly speed?: number;
  /** Milliseconds since the epoch at which a world without a clock begins. */
  readonly start?: number;
}

/**
 * The world's time and what will happen in it. Nothing runs by itself: `catchUp`
 * carries out, in order, whatever has become due since the last look.
 */
export class Timeline {
  private readonly source: () => number;
  private factor: number;
  private mark: number;
  private base: number;
  private queue: Due[] = [];
  private order = 0;
  /** While an event runs, the time it was due at. */
  private current: number | undefined;

  constructor(options: TimeOptions = {}) {
    const { clock } = options;
    this.source = clock ? () => clock.now() : () => Date.now();
    this.factor = clock ? 1 : (options.speed ?? 0);
    this.mark = this.source();
    this.base = clock ? this.mark : (options.start ?? Date.UTC(2026, 0, 1));
  }

  /** Milliseconds since the epoch in the world. */
  now(): number {
    return this.current ?? this.reached();
  }

  /** Runs `run` after `ms` of the world's time; returns a function that calls it off. */
  after(ms: number, run: () => void): () => void {
    const due = { at: this.now() + Math.max(0, ms), order: ++this.order, run };
    this.queue.push(due);
    return () => {
      this.queue = this.queue.filter((other) => other !== due);
    };
  }

  /** Carries out everything that is due by now. */
  catchUp(): void {
    if (this.current !== undefined) return;
    for (;;) {
      const end = this.reached();
      const next = this.queue.reduce<Due | undefined>(
        (first, due) => (earlier(due, first) ? due : first),
        undefined,
      );
      if (!next || next.at > end) return;
      this.queue = this.queue.filter((due) => due !== next);
      this.current = next.at;
      try {
        next.run();
      } finally {
        this.current = undefined;
      }
    }
  }

  /** Moves the world forward by `ms` and carries out what falls into it. */
  advance(ms: number): void {
    this.base += ms;
    this.catchUp();
  }

  /** Changes the speed from now on; 0 stands still. */
  setSpeed(speed: number): void {
    this.base = this.reached();
    this.mark = this.source();
    this.factor = speed;
  }

  private reached(): number {
    return this.base + (this.source() - this.mark) * this.factor;
  }
}

function earlier(due: Due, than: Due | undefined): boolean {
  if (!than) return true;
  return due.at < than.at || (due.at === than.at && due.order < than.order);
}

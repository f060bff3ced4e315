import type { Clock } from "./clock.ts";

/** How long and how often. All in milliseconds. */
export interface PollOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** The budget of the whole wait. */
  readonly timeoutMs: number;
  /** Between the end of one look and the start of the next; the first look comes at once. */
  readonly intervalMs: number;
}

/**
 * Looks until `look` returns something, and returns that; undefined when the
 * budget is used up. A look that throws ends the wait: what may be tolerated
 * is the caller's to know. Rejects with the signal's reason on cancel.
 */
export async function poll<T>(
  look: () => Promise<T | undefined>,
  options: PollOptions,
): Promise<T | undefined> {
  const end = options.clock.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined) return found;
    const left = end - options.clock.now();
    if (left <= 0) return undefined;
    await options.clock.sleep(Math.min(options.intervalMs, left), options.signal);
  }
}

/** Exponential backoff milliseconds: half of it fixed, half by chance; `attempt` counts from 1. */
export function backoff(
  attempt: number,
  base: number,
  ceiling: number,
  random: () => number = Math.random,
): number {
  return Math.round(Math.min(ceiling, base * 2 ** (attempt - 1)) * (0.5 + random() / 2));
}

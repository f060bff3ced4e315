import type { Clock } from "../clock.ts";
import { backoff } from "../poll.ts";
import { AwsError } from "./errors.ts";

/** How patiently a question is asked again. */
export interface RetryOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Tries in all (default 5). */
  readonly tries?: number;
  /** From 0 to 1, for the jitter. */
  readonly random?: () => number;
}

const BASE_MS = 500;
const CEILING_MS = 8000;

/**
 * Asks again after faults that pass, with growing, jittered pauses (with 5 tries at
 * most 15 s in all). For reads outside the rollout engine, which has its own; never for
 * a write without a token that makes it idempotent.
 */
export async function asked<T>(ask: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const passes = error instanceof AwsError && error.fault === "transient";
      if (!passes || tries >= (options.tries ?? 5)) throw error;
      await options.clock.sleep(backoff(tries, BASE_MS, CEILING_MS, options.random), options.signal);
    }
  }
}

import { type Clock, formatDuration } from "../../../../lib/clock.ts";
import { type Failure, RemoteError } from "../../../../lib/errors.ts";
import type { Log } from "../../../../lib/log.ts";

/** At most this many tries of one request. */
export const TRIES = 5;

/** No try begins this long after the first one, milliseconds. */
export const WINDOW_MS = 120_000;

/** Waits between tries lie between these, milliseconds (full jitter). */
const SHORTEST_MS = 500;
const LONGEST_MS = 8000;

/** A registry that asks for a longer wait than this is not waited for, milliseconds. */
export const LONGEST_RETRY_AFTER_MS = 60_000;

/** A try that may go better the next time. */
export class Transient {
  /** What happened: `503 Service Unavailable`, `ECONNRESET`. */
  readonly reason: string;
  /** What the registry asked for, milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Too many requests, as opposed to a broken registry or network. */
  readonly limited: boolean;

  constructor(reason: string, limited: boolean, retryAfterMs?: number) {
    this.reason = reason;
    this.limited = limited;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What waiting needs; `random` gives numbers in [0, 1). */
export interface RetryPorts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** What is being tried. */
export interface Attempted {
  /** For the log and the failure: `PUT the manifest of 1.4.2 to ghcr.io/acme/api`. */
  readonly what: string;
  readonly host: string;
  readonly signal: AbortSignal;
}

/** Whether an answer with this status is worth another try. */
export function isTransient(status: number): boolean {
  // 501: what is not there will not be there at the next try.
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

/**
 * Repeats `attempt` while it answers with a `Transient`: full jitter, a
 * Retry-After of up to 60 s honoured. Throws RATE_LIMITED or
 * REGISTRY_UNAVAILABLE when the tries or the time are used up; whatever
 * `attempt` throws itself is final.
 */
export async function retried<T>(
  attempted: Attempted,
  ports: RetryPorts,
  attempt: (tried: number) => Promise<T | Transient>,
): Promise<T> {
  const startedAt = ports.clock.now();
  for (let tried = 1; ; tried++) {
    const result = await attempt(tried);
    if (!(result instanceof Transient)) return result;
    const wait = waitAfter(result, tried, ports.random);
    const late = ports.clock.now() + wait - startedAt > WINDOW_MS;
    if (tried >= TRIES || late || wait > LONGEST_RETRY_AFTER_MS) throw gaveUp(attempted, result, tried);
    ports.log.info(
      `${attempted.host}: ${result.reason}; try ${tried + 1} of ${TRIES} in ${formatDuration(wait)} (${attempted.what})`,
    );
    await ports.clock.sleep(wait, attempted.signal);
  }
}

function waitAfter(result: Transient, tried: number, random: () => number): number {
  if (result.retryAfterMs !== undefined) return result.retryAfterMs;
  const ceiling = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** tried);
  return SHORTEST_MS + random() * (ceiling - SHORTEST_MS);
}

function gaveUp(attempted: Attempted, last: Transient, tried: number): Failure {
  const tries = tried === 1 ? "once" : `${tried} times`;
  const message = `${attempted.host} could not ${attempted.what}, tried ${tries}: ${last.reason}`;
  if (!last.limited) {
    return new RemoteError(message, {
      code: "REGISTRY_UNAVAILABLE",
      fix: `run again when ${attempted.host} is well; check its status page and the runner's network`,
    });
  }
  const asked =
    last.retryAfterMs === undefined ? "" : ` (it asks to wait ${formatDuration(last.retryAfterMs)})`;
  return new RemoteError(`${message}${asked}`, {
    code: "RATE_LIMITED",
    fix: `run again later, or log in to ${attempted.host} with an account that has a higher limit`,
  });
}

/** The wait that a Retry-After header asks for, milliseconds: seconds or an HTTP date; undefined when unreadable. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined || header.trim() === "") return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

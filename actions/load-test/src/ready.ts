import { type Clock, formatDuration } from "../../../lib/clock.ts";
import { type Endpoint, requestText, type Target } from "./endpoint.ts";
import { Addresses } from "./http/addresses.ts";
import { Client, type Ending } from "./http/client.ts";

/** Answers in a row that show a target which has come up for good. */
const NEEDED = 5;
const BETWEEN_ANSWERS_MS = 20;
const AFTER_FAILURE_MS = 500;
/** A single try waits this long at most, so that one lost packet costs little of the budget. */
const TRY_MS = 5000;
/** Codes by which a gateway says that nothing is behind it yet. */
const NOT_YET: ReadonlySet<number> = new Set([502, 503, 504]);

/** How the wait for the target ended. */
export type Readiness =
  | { readonly ready: true; readonly ms: number }
  | { readonly ready: false; readonly last: string; readonly tries: number };

/**
 * Waits until the target answers five times in a row. Any answer counts, also
 * one that the load will count as failed (a target that always answers 500 is to
 * be measured, not waited for), but not a gateway's word that nothing is there.
 * Rejects only on cancel.
 */
export async function awaitTarget(
  target: Target,
  endpoint: Endpoint,
  budgetMs: number,
  ports: { readonly clock: Clock; readonly signal: AbortSignal; readonly log: (line: string) => void },
): Promise<Readiness> {
  const { clock, signal, log } = ports;
  const startedAt = clock.now();
  const deadline = startedAt + budgetMs;
  let inRow = 0;
  let tries = 0;
  let last = "";
  for (;;) {
    const ending = await probe(
      target,
      endpoint,
      Math.min(TRY_MS, Math.max(1, deadline - clock.now())),
      signal,
    );
    tries++;
    const text = describe(ending);
    if (text !== last) log(`${formatDuration(clock.now() - startedAt)}: ${text}`);
    last = text;
    inRow = ending.answered && !NOT_YET.has(ending.status) ? inRow + 1 : 0;
    if (inRow >= NEEDED) return { ready: true, ms: clock.now() - startedAt };
    const pause = inRow > 0 ? BETWEEN_ANSWERS_MS : AFTER_FAILURE_MS;
    if (clock.now() + pause >= deadline) return { ready: false, last, tries };
    await clock.sleep(pause, signal);
  }
}

function describe(ending: Ending): string {
  return ending.answered ? `answer ${ending.status}` : `${ending.failure} (${ending.detail})`;
}

/** One request on a connection of its own, as a fresh visitor's. */
async function probe(
  target: Target,
  endpoint: Endpoint,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Ending> {
  const client = new Client({ target, timeoutMs, addresses: new Addresses(target.host) });
  const watch = setInterval(() => client.expire(performance.now()), 10);
  let onAbort = () => {};
  try {
    signal.throwIfAborted();
    return await new Promise<Ending>((resolve, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      const exchange = {
        text: requestText(target, endpoint),
        bodiless: endpoint.method === "HEAD",
        keepBody: false,
        sentAt: 0,
        over: false,
        done: resolve,
      };
      client.send(exchange, performance.now());
    });
  } finally {
    clearInterval(watch);
    signal.removeEventListener("abort", onAbort);
    client.close();
  }
}

import { type Endpoint, isExpected, redirectPath, requestText, type Target } from "./endpoint.ts";
import type { Addresses } from "./http/addresses.ts";
import { Client, type Ending, type Exchange } from "./http/client.ts";
import type { FailureClass } from "./http/failure-class.ts";
import type { Tally } from "./tally.ts";

/** A redirect chain of more hops is an endless one. */
const MAX_HOPS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Sends the plan's requests and counts how they end. */
export class Requester {
  readonly client: Client;
  private readonly target: Target;
  private readonly kinds: readonly Kind[];
  private readonly tally: Tally;

  constructor(options: {
    readonly target: Target;
    readonly endpoints: readonly Endpoint[];
    readonly timeoutMs: number;
    readonly addresses: Addresses;
    readonly tally: Tally;
  }) {
    const { target, timeoutMs, addresses, tally } = options;
    this.target = target;
    this.tally = tally;
    this.kinds = options.endpoints.map((endpoint, index) => ({
      index,
      endpoint,
      text: requestText(target, endpoint),
      bodiless: endpoint.method === "HEAD",
      keepBody: endpoint.expect.contains !== "",
    }));
    this.client = new Client({
      target,
      timeoutMs,
      addresses,
      connected: (ms) => tally.connect.record(ms),
    });
  }

  /**
   * Sends one request. `due` and `now` are of `performance.now()`; latency counts
   * from `due`. `then` hears of the end, and whether the target could be reached at all.
   */
  send(which: number, due: number, measured: boolean, now: number, then?: (reached: boolean) => void): void {
    const kind = this.kinds[which];
    if (!kind) throw new Error(`no endpoint ${which}`);
    this.tally.of(which, measured).sent++;
    this.hop(kind, kind.endpoint.path, kind.text, { due, sentAt: now, measured, hops: 0, then }, now);
  }

  private hop(kind: Kind, path: string, text: string, request: Request, now: number): void {
    const exchange: Exchange = {
      text,
      bodiless: kind.bodiless,
      keepBody: kind.keepBody,
      sentAt: now,
      over: false,
      done: (ending) => this.settle(kind, path, request, ending),
    };
    this.client.send(exchange, now);
  }

  private settle(kind: Kind, path: string, request: Request, ending: Ending): void {
    const now = performance.now();
    const tally = this.tally.of(kind.index, request.measured);
    if (ending.answered) {
      const wanted = isRedirect(ending.status) && !expectsExactly(kind.endpoint, ending.status);
      const onward = wanted ? redirectPath(ending.location, path, this.target) : undefined;
      const endless = onward !== undefined && request.hops >= MAX_HOPS;
      if (onward !== undefined && !endless) {
        this.follow(kind, onward, ending.status, request, now);
        return;
      }
      const stray = wanted && onward === undefined && ending.location !== "";
      tally.answer(now - request.due, ending.bytes, stray, now);
      const failure = judge(kind.endpoint, ending.status, ending.body);
      if (failure) tally.fail(failure, `status ${ending.status}`, now);
      else if (endless)
        tally.fail("unexpected-status", `status ${ending.status} behind ${MAX_HOPS} redirects`, now);
      if (request.measured) this.tally.service.record(now - request.sentAt);
    } else {
      if (ending.failure === "timeout") {
        tally.wait(now - request.due);
        if (request.measured) this.tally.service.record(now - request.sentAt);
      }
      tally.fail(ending.failure, ending.detail, now);
    }
    request.then?.(ending.answered || ending.failure === "timeout");
  }

  /** The chain counts as one request: its latency ends with the last answer. */
  private follow(kind: Kind, path: string, status: number, request: Request, now: number): void {
    const rewrites =
      status === 303 || ((status === 301 || status === 302) && kind.endpoint.method === "POST");
    const endpoint: Endpoint =
      rewrites && kind.endpoint.method !== "HEAD"
        ? { ...kind.endpoint, method: "GET", body: "" }
        : kind.endpoint;
    const text = requestText(this.target, endpoint, path);
    this.hop(kind, path, text, { ...request, hops: request.hops + 1 }, now);
  }
}

interface Kind {
  readonly index: number;
  readonly endpoint: Endpoint;
  readonly text: string;
  readonly bodiless: boolean;
  readonly keepBody: boolean;
}

interface Request {
  readonly due: number;
  readonly sentAt: number;
  readonly measured: boolean;
  readonly hops: number;
  readonly then: ((reached: boolean) => void) | undefined;
}

function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/** Whether the user asked for this very redirect (a range such as 200-399 does not name it). */
function expectsExactly(endpoint: Endpoint, status: number): boolean {
  return endpoint.expect.statuses.some(
    ([low, high]) => low >= 300 && high < 400 && isExpected(status, [[low, high]]),
  );
}

/** What is wrong with an answer, or undefined when nothing is. */
export function judge(endpoint: Endpoint, status: number, body: string): FailureClass | undefined {
  if (!isExpected(status, endpoint.expect.statuses)) {
    if (status >= 500) return "http-5xx";
    return status >= 400 ? "http-4xx" : "unexpected-status";
  }
  return body.includes(endpoint.expect.contains) ? undefined : "unexpected-body";
}

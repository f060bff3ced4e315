import { Histogram } from "./histogram.ts";
import type { FailureClass } from "./http/failure-class.ts";
import type { EndpointNews, FailureNews, SecondNews } from "./messages.ts";

/** What a thread counts until it reports, once a second. Times are milliseconds of `performance.now()`. */
export class Tally {
  readonly service = new Histogram();
  readonly connect = new Histogram();
  readonly lag = new Histogram();
  private readonly measured: EndpointTally[];
  private readonly warmUp: EndpointTally[];

  constructor(endpoints: number) {
    this.measured = Array.from({ length: endpoints }, () => new EndpointTally());
    this.warmUp = Array.from({ length: endpoints }, () => new EndpointTally());
  }

  /** The counts that a request belongs to. */
  of(endpoint: number, measured: boolean): EndpointTally {
    const tally = (measured ? this.measured : this.warmUp)[endpoint];
    if (!tally) throw new Error(`no endpoint ${endpoint}`);
    return tally;
  }

  /** The second's news; counting starts again. `offset` turns local times into monotonic ones. */
  drain(second: number, inFlight: number, busy: number, offset: number): SecondNews {
    const drainAll = (tallies: EndpointTally[]) =>
      tallies.flatMap((tally, endpoint) => tally.drain(endpoint, offset) ?? []);
    return {
      second,
      measured: drainAll(this.measured),
      warmUp: drainAll(this.warmUp),
      service: this.service.drain(),
      connect: this.connect.drain(),
      lag: this.lag.drain(),
      inFlight,
      busy,
    };
  }
}

/** The counts of one endpoint. */
export class EndpointTally {
  sent = 0;
  private answers = 0;
  private bytes = 0;
  private strayRedirects = 0;
  private lastAnswerAt = 0;
  private readonly latency = new Histogram();
  private failures = new Map<FailureClass, FailureNews>();

  /** An answer came; `latencyMs` is from due to its last byte. */
  answer(latencyMs: number, bytes: number, strayRedirect: boolean, at: number): void {
    this.answers++;
    this.lastAnswerAt = at;
    this.bytes += bytes;
    this.latency.record(latencyMs);
    if (strayRedirect) this.strayRedirects++;
  }

  /** No answer came in time: the wait is as much a latency as an answer's. */
  wait(latencyMs: number): void {
    this.latency.record(latencyMs);
  }

  /** A request failed, with or without an answer. */
  fail(failure: FailureClass, detail: string, at: number): void {
    const before = this.failures.get(failure);
    this.failures.set(failure, {
      failure,
      count: (before?.count ?? 0) + 1,
      firstAt: before?.firstAt ?? at,
      lastAt: at,
      detail: before?.detail ?? detail,
    });
  }

  /** The news, or undefined when nothing happened. */
  drain(endpoint: number, offset: number): EndpointNews | undefined {
    const { sent, answers, bytes, strayRedirects, failures } = this;
    if (sent === 0 && answers === 0 && failures.size === 0) return undefined;
    this.sent = 0;
    this.answers = 0;
    this.bytes = 0;
    this.strayRedirects = 0;
    this.failures = new Map();
    return {
      endpoint,
      sent,
      answered: answers,
      bytes,
      strayRedirects,
      lastAnswerAt: answers === 0 ? 0 : this.lastAnswerAt + offset,
      latency: this.latency.drain(),
      failures: [...failures.values()].map((item) => ({
        ...item,
        firstAt: item.firstAt + offset,
        lastAt: item.lastAt + offset,
      })),
    };
  }
}

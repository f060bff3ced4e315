import { Histogram, type HistogramData } from "./histogram.ts";
import type { FailureClass } from "./http/failure-class.ts";
import type { EndpointNews, FailureNews, SecondNews } from "./messages.ts";

/** All failures of one class. Times are milliseconds of the monotonic clock. */
export interface FailureCount {
  readonly failure: FailureClass;
  count: number;
  firstAt: number;
  lastAt: number;
  /** Causes of up to `MAX_DETAILS` of them, each once. */
  readonly details: Set<string>;
}

const MAX_DETAILS = 5;

/** What is known of one endpoint, or of all together. */
export class Counts {
  sent = 0;
  answered = 0;
  failed = 0;
  bytes = 0;
  strayRedirects = 0;
  /** Milliseconds of the monotonic clock; 0 without answers. */
  lastAnswerAt = 0;
  readonly latency = new Histogram();
  readonly failures = new Map<FailureClass, FailureCount>();

  add(news: EndpointNews): void {
    this.sent += news.sent;
    this.answered += news.answered;
    this.bytes += news.bytes;
    this.strayRedirects += news.strayRedirects;
    this.lastAnswerAt = Math.max(this.lastAnswerAt, news.lastAnswerAt);
    this.latency.merge(news.latency);
    for (const failure of news.failures) this.addFailure(failure);
  }

  private addFailure(news: FailureNews): void {
    this.failed += news.count;
    const known = this.failures.get(news.failure) ?? {
      failure: news.failure,
      count: 0,
      firstAt: news.firstAt,
      lastAt: news.lastAt,
      details: new Set<string>(),
    };
    known.count += news.count;
    known.firstAt = Math.min(known.firstAt, news.firstAt);
    known.lastAt = Math.max(known.lastAt, news.lastAt);
    if (known.details.size < MAX_DETAILS) known.details.add(news.detail);
    this.failures.set(news.failure, known);
  }

  /** Requests that ended, well or not. */
  get ended(): number {
    return this.answered + this.failedWithoutAnswer;
  }

  /** Failed requests, percent of those that ended; undefined when none ended. */
  get errorPercent(): number | undefined {
    return this.ended === 0 ? undefined : (this.failed / this.ended) * 100;
  }

  private get failedWithoutAnswer(): number {
    let count = 0;
    for (const item of this.failures.values()) if (!WITH_ANSWER.has(item.failure)) count += item.count;
    return count;
  }
}

const WITH_ANSWER: ReadonlySet<FailureClass> = new Set([
  "http-4xx",
  "http-5xx",
  "unexpected-status",
  "unexpected-body",
]);

/** One second of the run; `second` counts from the start of the load, warm-up included. */
export interface Second {
  readonly second: number;
  sent: number;
  answered: number;
  failed: number;
  /** Whether any of it counts. */
  measured: boolean;
  inFlight: number;
  /** Latencies as they were told: a table of counts for every second would be 90 kB each. */
  readonly latency: HistogramData[];
}

/** Everything that the threads told, added up. Memory grows by some hundred bytes a second, not by request. */
export class Measurement {
  readonly total = new Counts();
  readonly warmUp = new Counts();
  readonly endpoints: readonly Counts[];
  readonly service = new Histogram();
  readonly connect = new Histogram();
  readonly lag = new Histogram();
  readonly seconds = new Map<number, Second>();
  /** The busiest second of any thread, 0 to 1. */
  busiest = 0;
  maxInFlight = 0;

  constructor(endpoints: number) {
    this.endpoints = Array.from({ length: endpoints }, () => new Counts());
  }

  /** Adds what one thread saw in one second. */
  add(news: SecondNews): void {
    this.service.merge(news.service);
    this.connect.merge(news.connect);
    this.lag.merge(news.lag);
    this.busiest = Math.max(this.busiest, news.busy);
    const second = this.secondOf(news.second);
    second.inFlight += news.inFlight;
    this.maxInFlight = Math.max(this.maxInFlight, second.inFlight);
    for (const item of news.measured) {
      this.total.add(item);
      this.endpoints[item.endpoint]?.add(item);
      second.measured = true;
      addTo(second, item);
    }
    for (const item of news.warmUp) {
      this.warmUp.add(item);
      addTo(second, item);
    }
  }

  /** Seconds in order. */
  series(): readonly Second[] {
    return [...this.seconds.values()].sort((a, b) => a.second - b.second);
  }

  private secondOf(second: number): Second {
    const known = this.seconds.get(second) ?? {
      second,
      sent: 0,
      answered: 0,
      failed: 0,
      measured: false,
      inFlight: 0,
      latency: [],
    };
    this.seconds.set(second, known);
    return known;
  }
}

function addTo(second: Second, news: EndpointNews): void {
  second.sent += news.sent;
  second.answered += news.answered;
  second.failed += news.failures.reduce((sum, item) => sum + item.count, 0);
  second.latency.push(news.latency);
}

import { cpus } from "node:os";
import type { Histogram } from "./histogram.ts";
import { mergeHistograms } from "./histogram.ts";
import type { LoadInputs } from "./inputs.ts";
import type { LoadResult } from "./load.ts";
import type { Counts } from "./measurement.ts";
import { type Judged, type Judgement, unitName } from "./verdict.ts";

/** Latency in milliseconds; null without samples. */
export interface Latency {
  readonly samples: number;
  readonly min: number | null;
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
}

/** The numbers of a histogram that people ask for. */
export function latencyOf(histogram: Histogram): Latency {
  const at = (percent: number) => rounded(histogram.percentile(percent));
  return {
    samples: histogram.count,
    min: rounded(histogram.min()),
    mean: rounded(histogram.mean()),
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
    max: rounded(histogram.max()),
  };
}

function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toFixed(3));
}

/** One second of the run. */
export interface SecondRow {
  /** From the start of the load, warm-up included. */
  readonly second: number;
  readonly measured: boolean;
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  readonly inFlight: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  /** Bucket, count, ...: for comparisons by the second. */
  readonly histogram: readonly number[];
}

/** One class of failures. */
export interface FailureRow {
  readonly class: string;
  readonly count: number;
  /** ISO times of the first and the last one. */
  readonly first: string;
  readonly last: string;
  readonly details: readonly string[];
}

/** The content of result.json, schema `goci/load-result/v1`. Holds no header and no body of a request. */
export interface ResultDocument {
  readonly schema: "goci/load-result/v1";
  readonly verdict: string;
  readonly reason: string;
  readonly url: string;
  readonly commit: string;
  readonly startedAt: string;
  readonly plan: {
    readonly engine: "builtin";
    readonly model: "open" | "closed";
    readonly rate: number | null;
    readonly users: number | null;
    readonly profile: string;
    readonly durationMs: number;
    readonly warmUpMs: number;
    readonly requestTimeoutMs: number;
    readonly maxRate: number;
  };
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    readonly platform: string;
  };
  /** From the start of the load to the first moment that counts. */
  readonly measuredFromMs: number;
  readonly measuredSeconds: number;
  readonly requests: number;
  readonly answered: number;
  readonly failed: number;
  readonly errorPercent: number | null;
  readonly rps: number;
  readonly bytes: number;
  readonly interrupted: number;
  readonly strayRedirects: number;
  /** From the moment each request was due to the end of its answer. */
  readonly latency: Latency;
  /** From the moment it was sent. */
  readonly service: Latency;
  readonly connect: Latency;
  readonly thresholds: readonly {
    readonly text: string;
    readonly implied: boolean;
    readonly outcome: string;
    readonly value: number | null;
    readonly limit: number;
    readonly unit: string;
    readonly marginPercent: number | null;
  }[];
  readonly failures: readonly FailureRow[];
  /** Spans of whole seconds in which requests failed. */
  readonly failureSpans: readonly { readonly from: string; readonly to: string; readonly failed: number }[];
  readonly endpoints: readonly {
    readonly name: string;
    readonly requests: number;
    readonly answered: number;
    readonly failed: number;
    readonly errorPercent: number | null;
    readonly latency: Latency;
    readonly failures: readonly FailureRow[];
  }[];
  readonly warmUp: {
    readonly requests: number;
    readonly failed: number;
    readonly p95: number | null;
    readonly failures: readonly FailureRow[];
  };
  readonly generator: {
    readonly workers: number;
    readonly achievedRateRatio: number | null;
    readonly lagP50: number | null;
    readonly lagP99: number | null;
    readonly busiest: number;
    readonly maxInFlight: number;
    readonly connections: number;
    readonly lost: readonly string[];
  };
  readonly seconds: readonly SecondRow[];
  /** Microseconds in log-linear buckets: bucket, count, bucket, count, ... */
  readonly histograms: { readonly latency: readonly number[]; readonly service: readonly number[] };
  readonly [extra: string]: unknown;
}

/** Puts everything that a run found into one document. */
export function documentOf(
  inputs: LoadInputs,
  load: LoadResult,
  judged: readonly Judged[],
  judgement: Judgement,
  about: { readonly commit: string; readonly workers: number },
): ResultDocument {
  const { measurement, measured, health } = load;
  const { total } = measurement;
  const iso = (monotonic: number) => new Date(load.toEpoch(monotonic)).toISOString();
  const seconds = secondRows(load);
  return {
    schema: "goci/load-result/v1",
    verdict: judgement.verdict,
    reason: judgement.reason,
    url: inputs.base.text,
    commit: about.commit,
    startedAt: new Date(load.startedAt).toISOString(),
    plan: planRow(inputs),
    machine: {
      cpu: cpus()[0]?.model ?? "",
      cores: cpus().length,
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
    },
    measuredFromMs: load.measuredFromMs,
    measuredSeconds: measured.seconds,
    requests: total.ended,
    answered: total.answered,
    failed: total.failed,
    errorPercent: total.errorPercent ?? null,
    rps: measured.seconds > 0 ? total.answered / measured.seconds : 0,
    bytes: total.bytes,
    interrupted: load.interrupted,
    strayRedirects: total.strayRedirects,
    latency: latencyOf(total.latency),
    service: latencyOf(measurement.service),
    connect: latencyOf(measurement.connect),
    thresholds: judged.map(thresholdRow),
    failures: failureRows(total, iso),
    failureSpans: failureSpans(seconds, load.startedAt),
    endpoints: inputs.endpoints.map(({ name }, i) =>
      endpointRow(name, measurement.endpoints[i] ?? total, iso),
    ),
    warmUp: {
      requests: measurement.warmUp.ended,
      failed: measurement.warmUp.failed,
      p95: rounded(measurement.warmUp.latency.percentile(95)),
      failures: failureRows(measurement.warmUp, iso),
    },
    generator: {
      workers: about.workers,
      achievedRateRatio: health.achievedRatio ?? null,
      lagP50: rounded(measurement.lag.percentile(50)),
      lagP99: rounded(health.lagP99),
      busiest: Number(measurement.busiest.toFixed(3)),
      maxInFlight: measurement.maxInFlight,
      connections: load.connections,
      lost: health.lost,
    },
    seconds,
    histograms: {
      latency: [...total.latency.data().pairs],
      service: [...measurement.service.data().pairs],
    },
  };
}

function planRow(inputs: LoadInputs): ResultDocument["plan"] {
  const { model } = inputs;
  return {
    engine: "builtin",
    model: model.kind,
    rate: model.kind === "open" ? model.rate : null,
    users: model.kind === "closed" ? model.users : null,
    profile: inputs.profileText,
    durationMs: inputs.durationMs,
    warmUpMs: inputs.warmUpMs,
    requestTimeoutMs: inputs.requestTimeoutMs,
    maxRate: inputs.maxRate,
  };
}

function thresholdRow(item: Judged): ResultDocument["thresholds"][number] {
  const { threshold, outcome, value, marginPercent } = item;
  return {
    text: threshold.text,
    implied: threshold.implied,
    outcome,
    value: value ?? null,
    limit: threshold.limit,
    unit: unitName(threshold.metric),
    marginPercent: rounded(marginPercent),
  };
}

function failureRows(counts: Counts, iso: (monotonic: number) => string): FailureRow[] {
  return [...counts.failures.values()]
    .sort((a, b) => b.count - a.count)
    .map((item) => ({
      class: item.failure,
      count: item.count,
      first: iso(item.firstAt),
      last: iso(item.lastAt),
      details: [...item.details],
    }));
}

function endpointRow(
  name: string,
  counts: Counts,
  iso: (monotonic: number) => string,
): ResultDocument["endpoints"][number] {
  return {
    name,
    requests: counts.ended,
    answered: counts.answered,
    failed: counts.failed,
    errorPercent: counts.errorPercent ?? null,
    latency: latencyOf(counts.latency),
    failures: failureRows(counts, iso),
  };
}

function secondRows(load: LoadResult): SecondRow[] {
  return load.measurement.series().map((item) => {
    const histogram = mergeHistograms(item.latency);
    const { second, measured, sent, answered, failed, inFlight } = item;
    const at = (percent: number) => rounded(histogram.percentile(percent));
    const pairs = [...histogram.data().pairs];
    return {
      second,
      measured,
      sent,
      answered,
      failed,
      inFlight,
      p50: at(50),
      p95: at(95),
      p99: at(99),
      histogram: pairs,
    };
  });
}

/** Neighbouring seconds with failures, as spans; a deployment's gap shows as one. */
function failureSpans(seconds: readonly SecondRow[], startedAt: number): ResultDocument["failureSpans"] {
  const spans: { start: number; end: number; failed: number }[] = [];
  for (const { second, failed } of seconds) {
    if (failed === 0) continue;
    const last = spans.at(-1);
    if (last && last.end === second) {
      last.end = second + 1;
      last.failed += failed;
    } else spans.push({ start: second, end: second + 1, failed });
  }
  const iso = (second: number) => new Date(startedAt + second * 1000).toISOString();
  return spans.map((span) => ({ from: iso(span.start), to: iso(span.end), failed: span.failed }));
}

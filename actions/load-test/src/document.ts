import { cpus } from "node:os";
import { type Histogram, mergeHistograms } from "./histogram.ts";
import type { LoadInputs } from "./inputs.ts";
import { type Judged, unitName } from "./judge.ts";
import type { LoadResult } from "./load.ts";
import type { Counts } from "./measurement.ts";
import type { FailureRow, Latency, ResultDocument, SecondRow } from "./result.ts";
import type { Judgement } from "./verdict.ts";

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

import type { Histogram } from "./histogram.ts";
import type { Counts, Measurement } from "./measurement.ts";
import { keeps, type Metric, type Threshold } from "./thresholds.ts";

/** One threshold, judged. */
export interface Judged {
  readonly threshold: Threshold;
  readonly outcome: "kept" | "broken" | "no-data";
  /** In the unit of the limit; undefined without data. */
  readonly value: number | undefined;
  /** Room left, percent of the limit; negative when broken; undefined without data or with limit 0. */
  readonly marginPercent: number | undefined;
}

/** The measured numbers that thresholds are held against. */
export interface Measured {
  readonly total: Counts;
  readonly service: Histogram;
  /** By endpoint name. */
  readonly endpoints: ReadonlyMap<string, Counts>;
  /** Seconds that answers came in; the measured time when that is longer. */
  readonly seconds: number;
}

/** Holds every threshold against the numbers. */
export function judgeThresholds(thresholds: readonly Threshold[], measured: Measured): Judged[] {
  return thresholds.map((threshold) => judgeOne(threshold, measured));
}

function judgeOne(threshold: Threshold, measured: Measured): Judged {
  const counts = threshold.endpoint === "" ? measured.total : measured.endpoints.get(threshold.endpoint);
  const value = counts ? measuredValue(threshold.metric, counts, measured) : undefined;
  if (value === undefined) return { threshold, outcome: "no-data", value, marginPercent: undefined };
  const { operator, limit } = threshold;
  const room = operator.startsWith("<") ? limit - value : value - limit;
  return {
    threshold,
    outcome: keeps(operator, value, limit) ? "kept" : "broken",
    value,
    marginPercent: limit === 0 ? undefined : (room / limit) * 100,
  };
}

function measuredValue(metric: Metric, counts: Counts, measured: Measured): number | undefined {
  switch (metric.kind) {
    case "percentile":
      return (metric.of === "service" ? measured.service : counts.latency).percentile(metric.percent);
    case "max":
      return counts.latency.max();
    case "mean":
      return counts.latency.mean();
    case "errors":
      return counts.errorPercent;
    case "rps":
      return counts.ended === 0 || measured.seconds <= 0 ? undefined : counts.answered / measured.seconds;
  }
}

/** `p95<300ms is broken: 412 ms`. */
export function describeJudged(item: Judged): string {
  const { threshold, value } = item;
  const name = `${threshold.text}${threshold.implied ? " (always on)" : ""}`;
  if (value === undefined) return `${name}: no data`;
  return `${name} is ${item.outcome}: ${formatValue(value, threshold.metric)}`;
}

/** A value in its metric's unit, three significant digits. */
export function formatValue(value: number, metric: Metric): string {
  const unit = unitName(metric);
  return `${threeDigits(value)}${unit === "/s" ? "" : " "}${unit}`;
}

/** The unit of a metric's values and limits. */
export function unitName(metric: Metric): "ms" | "%" | "/s" {
  if (metric.kind === "errors") return "%";
  return metric.kind === "rps" ? "/s" : "ms";
}

/** Three significant digits, never in exponents: 0.0412, 4.12, 41.2, 412, 41234. */
export function threeDigits(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return String(Number(value.toFixed(Math.min(6, digits))));
}

/** For callers that have a measurement. */
export function measuredOf(measurement: Measurement, names: readonly string[], seconds: number): Measured {
  const endpoints = new Map(names.map((name, i) => [name, measurement.endpoints[i] ?? measurement.total]));
  return { total: measurement.total, service: measurement.service, endpoints, seconds };
}

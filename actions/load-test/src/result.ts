import type { Comparison } from "./baseline.ts";

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
  /** Only with `baseline`. */
  readonly baseline?: Comparison;
  /** Only of profile find-max: the highest rate that kept the thresholds (0: none), and every load. */
  readonly maxRateFound?: number;
  readonly probes?: readonly {
    readonly rate: number;
    readonly verdict: string;
    readonly reason: string;
    readonly p95: number | null;
    readonly errorPercent: number | null;
  }[];
}

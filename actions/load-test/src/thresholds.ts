/** What a threshold looks at. Percentiles carry their rank. */
export type Metric =
  | { readonly kind: "percentile"; readonly percent: number; readonly of: "latency" | "service" }
  | { readonly kind: "max" | "mean" | "errors" | "rps" };

export type Operator = "<" | "<=" | ">" | ">=";

/** One line of the `thresholds` input. The limit is in milliseconds, percent, or requests a second. */
export interface Threshold {
  /** The line as it was written. */
  readonly text: string;
  /** Name of the endpoint it is about; "" for all requests. */
  readonly endpoint: string;
  readonly metric: Metric;
  readonly operator: Operator;
  readonly limit: number;
  /** Whether goci added it: a latency gate alone would pass on fast failures. */
  readonly implied: boolean;
}

/** What the grammar of one line is, for messages. */
const FORMS =
  "allowed are lines such as `p95<300ms`, `p99.9<=1s`, `max<2s`, `mean<100ms`, `errors<0.5%`, `rps>=480`, `GET /items p95<200ms`";

const TIME_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/** Reads the `thresholds` input; every bad line is a problem of its own. */
export function parseThresholds(
  text: string,
  endpoints: readonly string[],
): { readonly thresholds: readonly Threshold[]; readonly problems: readonly string[] } {
  const thresholds: Threshold[] = [];
  const problems: string[] = [];
  for (const line of text.split(/\r?\n/).map((item) => item.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const parsed = parseThreshold(line);
    if ("problem" in parsed) problems.push(parsed.problem);
    else if (parsed.endpoint !== "" && !endpoints.includes(parsed.endpoint)) {
      problems.push(
        `\`${line}\`: there is no request named \`${parsed.endpoint}\` (there is ${quoted(endpoints)})`,
      );
    } else thresholds.push(parsed);
  }
  const hasErrorGate = thresholds.some(isErrorGate);
  if (!hasErrorGate && problems.length === 0) thresholds.push({ ...IMPLIED });
  return { thresholds, problems };
}

/** Only an upper bound on all errors guards a latency gate: `errors>=0%` holds whatever happens. */
function isErrorGate({ metric, endpoint, operator }: Threshold): boolean {
  return metric.kind === "errors" && endpoint === "" && operator.startsWith("<");
}

const IMPLIED: Threshold = {
  text: "errors<1%",
  endpoint: "",
  metric: { kind: "errors" },
  operator: "<",
  limit: 1,
  implied: true,
};

/** Reads one line. */
export function parseThreshold(line: string): Threshold | { readonly problem: string } {
  const match = /^(?:(.*\S)\s+)?([a-z-]+[\d.]*)\s*(<=|>=|<|>)\s*([\d.]+)\s*([a-z%]*)$/i.exec(line);
  if (!match) return { problem: `\`${line}\` is not a threshold: ${FORMS}` };
  const [, endpoint = "", name = "", operator = "", amount = "", unit = ""] = match;
  const metric = readMetric(name.toLowerCase());
  if (!metric) return { problem: `\`${line}\`: \`${name}\` is not a metric; ${FORMS}` };
  if (endpoint !== "" && metric.kind === "percentile" && metric.of === "service") {
    return {
      problem: `\`${line}\`: latency from send is known of all requests together; leave the name out`,
    };
  }
  const limit = readLimit(metric, amount, unit.toLowerCase());
  if (typeof limit !== "number") return { problem: `\`${line}\`: ${limit.problem}` };
  return { text: line, endpoint, metric, operator: operator as Operator, limit, implied: false };
}

function readMetric(name: string): Metric | undefined {
  const rank = /^(service-)?p(\d{1,2}(?:\.\d{1,3})?|100)$/.exec(name);
  if (rank) {
    const percent = Number(rank[2]);
    return percent > 0 ? { kind: "percentile", percent, of: rank[1] ? "service" : "latency" } : undefined;
  }
  if (name === "avg") return { kind: "mean" };
  return (["max", "mean", "errors", "rps"] as const)
    .filter((kind) => kind === name)
    .map((kind) => ({ kind }))[0];
}

function readLimit(metric: Metric, amount: string, unit: string): number | { readonly problem: string } {
  const value = /^\d+(\.\d+)?$/.test(amount) ? Number(amount) : Number.NaN;
  if (Number.isNaN(value)) return { problem: `\`${amount}\` is not a number` };
  if (metric.kind === "errors") {
    if (unit !== "%") return { problem: "errors are given in percent, for example `errors<1%`" };
    return value <= 100 ? value : { problem: "errors go from 0% to 100%" };
  }
  if (metric.kind === "rps") return unit === "" ? value : { problem: "rps takes a number without a unit" };
  const factor = TIME_MS[unit];
  return factor === undefined ? { problem: "a time needs its unit: `us`, `ms`, `s` or `m`" } : value * factor;
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

/** Whether a value keeps a threshold. */
export function keeps(operator: Operator, value: number, limit: number): boolean {
  if (operator === "<") return value < limit;
  if (operator === "<=") return value <= limit;
  return operator === ">" ? value > limit : value >= limit;
}

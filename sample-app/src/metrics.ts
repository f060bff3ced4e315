/** Upper bounds of the duration histogram in seconds. */
export const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** Labels of one request; `route` is the pattern, never the path, so that their number stays bounded. */
export type RequestLabels = Readonly<{ method: string; route: string; status: number }>;

/** A number read at the moment of the scrape. */
export type Gauge = Readonly<{
  name: string;
  help: string;
  type?: "gauge" | "counter";
  read: () => number | ReadonlyArray<readonly [labels: Readonly<Record<string, string>>, value: number]>;
}>;

/** Counts requests and writes the Prometheus text format. */
export type Metrics = Readonly<{
  begin: () => void;
  end: (labels: RequestLabels, seconds: number) => void;
  inFlight: () => number;
  render: () => string;
}>;

type Series = RequestLabels & { buckets: Uint32Array; count: number; sum: number };

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Media type of {@link Metrics.render}. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Makes an empty set of metrics. */
export function createMetrics(gauges: readonly Gauge[]): Metrics {
  const series = new Map<string, Series>();
  let inFlight = 0;
  return {
    begin: () => {
      inFlight++;
    },
    end: (labels, seconds) => {
      inFlight--;
      // A caller may invent methods; each would be a new series for ever.
      const method = METHODS.has(labels.method) ? labels.method : "OTHER";
      const key = `${method} ${labels.status} ${labels.route}`;
      let entry = series.get(key);
      if (!entry) {
        entry = { ...labels, method, buckets: new Uint32Array(BUCKETS.length), count: 0, sum: 0 };
        series.set(key, entry);
      }
      entry.count++;
      entry.sum += seconds;
      const index = BUCKETS.findIndex((bound) => seconds <= bound);
      if (index >= 0) entry.buckets[index] = (entry.buckets[index] ?? 0) + 1;
    },
    inFlight: () => inFlight,
    render: () => {
      const own: Gauge = {
        name: "http_requests_in_flight",
        help: "Requests being answered.",
        read: () => inFlight,
      };
      return [...renderRequests([...series.values()]), ...[own, ...gauges].flatMap(renderGauge), ""].join(
        "\n",
      );
    },
  };
}

function renderRequests(series: readonly Series[]): string[] {
  const total = "http_requests_total";
  const duration = "http_request_duration_seconds";
  const lines = [`# HELP ${total} Requests answered.`, `# TYPE ${total} counter`];
  for (const entry of series) lines.push(`${total}${labelText(labelsOf(entry))} ${entry.count}`);
  lines.push(`# HELP ${duration} Time from request to end of answer.`, `# TYPE ${duration} histogram`);
  for (const entry of series) {
    const labels = labelsOf(entry);
    let below = 0;
    BUCKETS.forEach((bound, index) => {
      below += entry.buckets[index] ?? 0;
      lines.push(`${duration}_bucket${labelText({ ...labels, le: String(bound) })} ${below}`);
    });
    lines.push(`${duration}_bucket${labelText({ ...labels, le: "+Inf" })} ${entry.count}`);
    lines.push(`${duration}_sum${labelText(labels)} ${entry.sum}`);
    lines.push(`${duration}_count${labelText(labels)} ${entry.count}`);
  }
  return lines;
}

function labelsOf({ method, route, status }: Series): Record<string, string> {
  return { method, route, status: String(status) };
}

function renderGauge(gauge: Gauge): string[] {
  const value = gauge.read();
  const samples = typeof value === "number" ? [[{}, value] as const] : value;
  return [
    `# HELP ${gauge.name} ${gauge.help}`,
    `# TYPE ${gauge.name} ${gauge.type ?? "gauge"}`,
    ...samples.map(([labels, sample]) => `${gauge.name}${labelText(labels)} ${sample}`),
  ];
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

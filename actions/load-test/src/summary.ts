import { escapeMarkdown, table } from "../../../lib/summary.ts";
import { CLASS_TEXT, type FailureClass } from "./http/failure-class.ts";
import { threeDigits } from "./judge.ts";
import type { FailureRow, Latency, ResultDocument } from "./result.ts";

/** A percentile of fewer samples than this is the maximum by another name. */
const SAMPLES_FOR_P999 = 10_000;
/** More points make mermaid's axis unreadable. */
const CHART_POINTS = 60;

/** The action's part of the job summary: one screen. */
export function summaryOf(result: ResultDocument): string {
  return [
    headline(result),
    thresholdsTable(result),
    latencyTable(result),
    failuresTable(result),
    endpointsTable(result),
    probesTable(result),
    chart(result),
    generatorLine(result),
    ...notes(result).map((note) => `_${note}_\n`),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function headline(result: ResultDocument): string {
  const { plan } = result;
  const load =
    plan.model === "open"
      ? plan.profile === "constant"
        ? `${plan.rate} requests/s`
        : `profile ${plan.profile}`
      : `${plan.users} users, each waiting for its answer`;
  // A red run's reason stands above: the wrapper puts it there.
  const reason = result.verdict === "pass" ? `: ${escapeMarkdown(result.reason)}` : "";
  const parts = [
    `verdict **${result.verdict}**${reason}`,
    `${escapeMarkdown(result.url)}, ${load}, ${plan.durationMs / 1000} s`,
    `${count(result.requests)} requests, ${count(result.failed)} failed (${percent(result.errorPercent)}), ${threeDigits(result.rps)} answers/s`,
  ];
  return `${parts.join("<br>\n")}\n`;
}

function thresholdsTable(result: ResultDocument): string {
  if (result.thresholds.length === 0) return "";
  const rows = result.thresholds.map((item) => [
    `${escapeMarkdown(item.text)}${item.implied ? " (always on)" : ""}`,
    item.value === null ? "no data" : `${threeDigits(item.value)} ${item.unit}`,
    item.marginPercent === null
      ? ""
      : `${item.marginPercent >= 0 ? "+" : ""}${threeDigits(item.marginPercent)} %`,
    item.outcome === "kept" ? "kept" : `**${item.outcome}**`,
  ]);
  return table(["threshold", "measured", "margin", ""], rows);
}

function latencyTable(result: ResultDocument): string {
  const row = (name: string, latency: Latency) => [
    name,
    ms(latency.p50),
    ms(latency.p90),
    ms(latency.p95),
    ms(latency.p99),
    latency.samples < SAMPLES_FOR_P999 ? "few samples" : ms(latency.p999),
    ms(latency.max),
  ];
  const rows = [row("from due time", result.latency), row("from send", result.service)];
  if (result.connect.samples > 0) rows.push(row("connect", result.connect));
  return table(["latency (ms)", "p50", "p90", "p95", "p99", "p99.9", "max"], rows);
}

function failuresTable(result: ResultDocument): string {
  if (result.failures.length === 0) return "";
  const rows = result.failures.map((item) => [
    escapeMarkdown(classText(item)),
    count(item.count),
    clockTime(item.first),
    clockTime(item.last),
    escapeMarkdown(item.details.join(", ")),
  ]);
  return table(["failures", "count", "first (UTC)", "last (UTC)", "cause"], rows);
}

function classText(item: FailureRow): string {
  return CLASS_TEXT[item.class as FailureClass] ?? item.class;
}

function endpointsTable(result: ResultDocument): string {
  if (result.endpoints.length < 2) return "";
  const rows = result.endpoints.map((item) => [
    escapeMarkdown(item.name),
    count(item.requests),
    count(item.failed),
    ms(item.latency.p50),
    ms(item.latency.p95),
    ms(item.latency.p99),
  ]);
  return table(["request", "count", "failed", "p50", "p95", "p99"], rows);
}

function probesTable(result: ResultDocument): string {
  if (!result.probes) return "";
  const rows = [...result.probes]
    .sort((a, b) => a.rate - b.rate)
    .map((probe) => [
      count(probe.rate),
      probe.verdict,
      ms(probe.p95),
      percent(probe.errorPercent),
      escapeMarkdown(probe.reason),
    ]);
  return table(["requests/s", "verdict", "p95", "failed", ""], rows);
}

/** Latency over time; the renderer of job summaries has no legend, so the title says which line is which. */
function chart(result: ResultDocument): string {
  const points = thinned(result);
  if (points.length < 2) return "";
  const line = (values: readonly number[]) => `  line [${values.map(threeDigits).join(", ")}]`;
  const lines = [
    "```mermaid",
    "xychart-beta",
    `  title "p95 (upper line) and p50 (lower line) in ms by second"`,
    `  x-axis "second" ${points[0]?.second ?? 0} --> ${points.at(-1)?.second ?? 0}`,
    `  y-axis "ms"`,
    line(points.map((point) => point.p95 ?? 0)),
    line(points.map((point) => point.p50 ?? 0)),
    "```",
    "",
  ];
  return lines.join("\n");
}

/** At most `CHART_POINTS` seconds: of each span the one with the highest p95, because a chart must not hide the peak. */
function thinned(result: ResultDocument): ResultDocument["seconds"] {
  const seconds = result.seconds.filter((item) => item.p95 !== null);
  const span = Math.ceil(seconds.length / CHART_POINTS);
  if (span <= 1) return seconds;
  const picked: ResultDocument["seconds"][number][] = [];
  for (let i = 0; i < seconds.length; i += span) {
    const part = seconds.slice(i, i + span);
    const worst = part.reduce((a, b) => ((b.p95 ?? 0) > (a.p95 ?? 0) ? b : a));
    picked.push(worst);
  }
  return picked;
}

function generatorLine(result: ResultDocument): string {
  const { generator, warmUp } = result;
  const parts = [counted(generator.workers, "thread")];
  if (generator.achievedRateRatio !== null) {
    parts.push(`sent ${threeDigits(generator.achievedRateRatio * 100)} % of the planned requests`);
  }
  if (generator.lagP99 !== null) parts.push(`send lag p99 ${ms(generator.lagP99)} ms`);
  parts.push(`busiest second ${Math.round(generator.busiest * 100)} %`);
  parts.push(
    `at most ${count(generator.maxInFlight)} in flight on ${counted(generator.connections, "connection")}`,
  );
  if (warmUp.requests > 0)
    parts.push(`warm-up ${count(warmUp.requests)} requests, ${count(warmUp.failed)} failed`);
  return `Generator: ${parts.join(", ")}.\n`;
}

/** What a reader must know to read the numbers right. */
export function notes(result: ResultDocument): string[] {
  const found: string[] = [];
  if (result.plan.model === "closed") {
    found.push(
      "Closed model: while the target stalls, waiting users send nothing, so these percentiles hide stalls. Set `rate` to measure what independent visitors see.",
    );
  }
  const { maxRate } = result.plan;
  if (result.plan.model === "closed" && result.rps >= 0.98 * maxRate) {
    found.push(`The users were held back to the ${count(maxRate)} requests/s that \`max-rate\` allows.`);
  }
  if (result.strayRedirects > 0) {
    found.push(`${count(result.strayRedirects)} answers redirected to another host and were not followed.`);
  }
  if (result.baseline) found.push(baselineNote(result.baseline));
  if (result.interrupted > 0)
    found.push(`${count(result.interrupted)} requests in flight were interrupted at the end.`);
  return found;
}

function baselineNote(baseline: NonNullable<ResultDocument["baseline"]>): string {
  if (!baseline.compared) return `Not compared with the baseline: ${baseline.why}.`;
  const percent = (share: number) => `${share >= 0 ? "+" : ""}${(share * 100).toFixed(1)} %`;
  return `p95 against the baseline: ${percent(baseline.delta)} (99 % interval ${percent(baseline.low)} to ${percent(baseline.high)}).`;
}

function ms(value: number | null): string {
  return value === null ? "" : threeDigits(value);
}

function percent(value: number | null): string {
  return value === null ? "no data" : `${threeDigits(value)} %`;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

function clockTime(iso: string): string {
  return iso.slice(11, 23);
}

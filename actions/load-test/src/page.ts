import { CLASS_TEXT, type FailureClass } from "./http/failure-class.ts";
import { threeDigits } from "./judge.ts";
import { chartsOf } from "./page-charts.ts";
import type { FailureRow, Latency, ResultDocument } from "./result.ts";
import { notes } from "./summary.ts";

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #66707f; --line: #d9dee6; --paper: #fff; --p50: #2f7ed8; --p95: #d8742f; --bad: #c62828; --good: #2e7d32 }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --soft: #98a2b0; --line: #333b47; --paper: #14181e } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
p { margin: .3rem 0 } .soft { color: var(--soft) } .bad { color: var(--bad) } .good { color: var(--good) }
table { border-collapse: collapse; width: 100% } th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums }
th { color: var(--soft); font-weight: 500 } th:first-child, td:first-child { text-align: left }
svg { width: 100%; height: auto; display: block } svg text { fill: var(--soft); font-size: 11px }
.grid { stroke: var(--line) } .warm { fill: var(--line); opacity: .45 } .p50 { stroke: var(--p50) } .p95 { stroke: var(--p95) } .line { fill: none; stroke-width: 1.6 } .sent { fill: var(--p50); opacity: .55 } .failed { fill: var(--bad) }
`;

/** The whole result as one HTML file that loads nothing else. */
export function pageOf(result: ResultDocument): string {
  const verdictClass = result.verdict === "pass" ? "good" : "bad";
  const sections = [
    `<h1>Load test: <span class="${verdictClass}">${text(result.verdict)}</span></h1>`,
    `<p>${text(result.reason)}</p>`,
    `<p class="soft">${text(result.url)} · ${text(result.startedAt)} · ${text(planText(result))}${result.commit ? ` · commit ${text(result.commit.slice(0, 12))}` : ""}</p>`,
    section("Thresholds", thresholds(result)),
    section("Latency, milliseconds", latency(result)),
    ...chartsOf(result).map(({ title, svg }) => section(title, svg)),
    section("Failures", failures(result.failures)),
    section("Requests", endpoints(result)),
    section("Rates tried", probes(result)),
    section("Generator", generator(result)),
    ...notes(result).map((note) => `<p class="soft">${text(note)}</p>`),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Load test: ${text(result.verdict)}</title>
<style>${STYLE}</style>
</head>
<body>
${sections.filter((part) => part !== "").join("\n")}
</body>
</html>
`;
}

/** Text that can stand anywhere in HTML. */
function text(value: string): string {
  return value.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

function section(title: string, body: string): string {
  return body === "" ? "" : `<h2>${text(title)}</h2>\n${body}`;
}

function planText({ plan }: ResultDocument): string {
  const load =
    plan.model === "closed"
      ? `${plan.users} users (closed model)`
      : plan.profile === "constant"
        ? `${plan.rate} requests/s`
        : `profile ${plan.profile}`;
  return `${load}, ${plan.durationMs / 1000} s after ${plan.warmUpMs / 1000} s of warm-up`;
}

function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const cells = (tag: string, items: readonly string[]) =>
    `<tr>${items.map((item) => `<${tag}>${text(item)}</${tag}>`).join("")}</tr>`;
  return `<table>\n${[cells("th", head), ...rows.map((row) => cells("td", row))].join("\n")}\n</table>`;
}

function number(value: number | null): string {
  return value === null ? "–" : threeDigits(value);
}

function thresholds(result: ResultDocument): string {
  const rows = result.thresholds.map((item) => [
    `${item.text}${item.implied ? " (always on)" : ""}`,
    item.value === null ? "no data" : `${threeDigits(item.value)} ${item.unit}`,
    item.marginPercent === null ? "–" : `${threeDigits(item.marginPercent)} %`,
    item.outcome,
  ]);
  return htmlTable(["threshold", "measured", "margin", ""], rows);
}

function latency(result: ResultDocument): string {
  const row = (name: string, of: Latency) => [
    name,
    String(of.samples),
    ...[of.min, of.mean, of.p50, of.p90, of.p95, of.p99, of.p999, of.max].map(number),
  ];
  const rows = [
    row("from due time", result.latency),
    row("from send", result.service),
    row("connect", result.connect),
  ];
  return htmlTable(["", "samples", "min", "mean", "p50", "p90", "p95", "p99", "p99.9", "max"], rows);
}

function failures(rows: readonly FailureRow[]): string {
  return htmlTable(
    ["class", "count", "first (UTC)", "last (UTC)", "cause"],
    rows.map((item) => [
      CLASS_TEXT[item.class as FailureClass] ?? item.class,
      String(item.count),
      item.first.slice(11, 23),
      item.last.slice(11, 23),
      item.details.join(", "),
    ]),
  );
}

function endpoints(result: ResultDocument): string {
  const rows = result.endpoints.map((item) => [
    item.name,
    String(item.requests),
    String(item.failed),
    ...[item.latency.p50, item.latency.p95, item.latency.p99, item.latency.max].map(number),
  ]);
  return htmlTable(["request", "count", "failed", "p50", "p95", "p99", "max"], rows);
}

function probes(result: ResultDocument): string {
  const rows = (result.probes ?? []).map((item) => [
    `${item.rate}/s`,
    item.verdict,
    number(item.p95),
    number(item.errorPercent),
    item.reason,
  ]);
  return htmlTable(["rate", "verdict", "p95", "failed %", ""], rows);
}

function generator({ generator: found, machine, warmUp, interrupted }: ResultDocument): string {
  return htmlTable(
    ["", ""],
    [
      ["threads", String(found.workers)],
      [
        "sent of the planned requests",
        found.achievedRateRatio === null ? "–" : `${threeDigits(found.achievedRateRatio * 100)} %`,
      ],
      ["send lag p50 / p99", `${number(found.lagP50)} / ${number(found.lagP99)} ms`],
      ["busiest second of a thread", `${Math.round(found.busiest * 100)} %`],
      ["most requests in flight", String(found.maxInFlight)],
      ["connections opened", String(found.connections)],
      ["interrupted at the end", String(interrupted)],
      ["warm-up (not counted)", `${warmUp.requests} requests, ${warmUp.failed} failed`],
      ["machine", `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`],
    ],
  );
}

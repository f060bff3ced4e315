import { threeDigits } from "./judge.ts";
import type { ResultDocument, SecondRow } from "./result.ts";

const WIDTH = 960;
const HEIGHT = 220;
const LEFT = 56;
const BOTTOM = 24;
const TOP = 10;

/** One chart as SVG text. */
export interface Chart {
  readonly title: string;
  readonly svg: string;
}

/** Latency, and requests with failures, by second; none for runs too short to draw. */
export function chartsOf(result: ResultDocument): Chart[] {
  const { seconds } = result;
  if (seconds.length < 2) return [];
  const warm = warmUpArea(result);
  const highest = Math.max(1e-3, ...seconds.map((item) => item.p95 ?? 0));
  const busiest = Math.max(1, ...seconds.map((item) => Math.max(item.sent, item.failed)));
  const latency = [
    warm,
    axes(seconds, highest, "ms"),
    line(seconds, "p95", highest, (item) => item.p95),
    line(seconds, "p50", highest, (item) => item.p50),
  ];
  const requests = [
    warm,
    axes(seconds, busiest, ""),
    bars(seconds, "sent", busiest, (item) => item.sent),
    bars(seconds, "failed", busiest, (item) => item.failed),
  ];
  return [
    { title: "Latency by second: p95 (orange), p50 (blue), ms", svg: frame(latency) },
    { title: "Requests sent (blue) and failed (red) by second", svg: frame(requests) },
  ];
}

function frame(parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">\n${parts.join("\n")}\n</svg>`;
}

function x(second: number, seconds: readonly SecondRow[]): number {
  const first = seconds[0]?.second ?? 0;
  const last = seconds.at(-1)?.second ?? 0;
  return LEFT + ((second - first) / Math.max(1, last - first + 1)) * (WIDTH - LEFT - 8);
}

function y(value: number, top: number): number {
  return HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP);
}

function warmUpArea(result: ResultDocument): string {
  if (result.measuredFromMs <= 0) return "";
  const end = x(result.measuredFromMs / 1000, result.seconds);
  return `<rect class="warm" x="${LEFT}" y="${TOP}" width="${(end - LEFT).toFixed(1)}" height="${HEIGHT - BOTTOM - TOP}"><title>warm-up, not counted</title></rect>`;
}

function axes(seconds: readonly SecondRow[], top: number, unit: string): string {
  const rows = [0, 0.5, 1].map((share) => {
    const at = y(top * share, top).toFixed(1);
    const label = `${threeDigits(top * share)} ${unit}`.trim();
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - 8}" y1="${at}" y2="${at}"/><text x="${LEFT - 6}" y="${at}" text-anchor="end" dominant-baseline="middle">${label}</text>`;
  });
  const first = seconds[0]?.second ?? 0;
  const last = seconds.at(-1)?.second ?? 0;
  const step = Math.max(1, Math.ceil((last - first) / 10));
  for (let second = first; second <= last; second += step) {
    rows.push(`<text x="${x(second, seconds).toFixed(1)}" y="${HEIGHT - 6}">${second} s</text>`);
  }
  return rows.join("\n");
}

function line(
  seconds: readonly SecondRow[],
  name: string,
  top: number,
  value: (item: SecondRow) => number | null,
): string {
  const points = seconds.flatMap((item) => {
    const at = value(item);
    return at === null ? [] : `${x(item.second + 0.5, seconds).toFixed(1)},${y(at, top).toFixed(1)}`;
  });
  return `<polyline class="line ${name}" points="${points.join(" ")}"/>`;
}

function bars(
  seconds: readonly SecondRow[],
  name: string,
  top: number,
  value: (item: SecondRow) => number,
): string {
  const width = Math.max(0.5, x(1, seconds) - x(0, seconds) - 1);
  return seconds
    .filter((item) => value(item) > 0)
    .map((item) => {
      const at = y(value(item), top);
      const height = HEIGHT - BOTTOM - at;
      return `<rect class="${name}" x="${x(item.second, seconds).toFixed(1)}" y="${at.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}"/>`;
    })
    .join("\n");
}

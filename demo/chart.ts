import type { LoadSecond } from "./evidence.ts";

const WIDTH = 640;
const HEIGHT = 150;
const LEFT = 44;
const BOTTOM = 26;

/** One SVG: answered and failed requests as stacked bars a second, p95 as a line; the deployment's span behind them. */
export function loadChart(seconds: readonly LoadSecond[], deployment: readonly [number, number]): string {
  if (seconds.length === 0) return "";
  const last = Math.max(...seconds.map((item) => item.second)) + 1;
  const most = Math.max(1, ...seconds.map((item) => item.requests));
  const slowest = Math.max(1, ...seconds.map((item) => item.p95));
  const x = (second: number) => LEFT + (second / last) * (WIDTH - 2 * LEFT);
  const y = (share: number) => 8 + (1 - share) * (HEIGHT - BOTTOM - 8);
  const bar = (item: LoadSecond, from: number, to: number, colour: string) =>
    `<rect x="${x(item.second).toFixed(1)}" y="${y(to / most).toFixed(1)}" width="${Math.max(1, x(1) - x(0) - 1.5).toFixed(1)}" height="${(y(from / most) - y(to / most)).toFixed(1)}" fill="${colour}"/>`;
  const bars = seconds.flatMap((item) => [
    bar(item, 0, item.requests - item.failed, "#9ec5e8"),
    item.failed > 0 ? bar(item, item.requests - item.failed, item.requests, "#c0392b") : "",
  ]);
  const line = seconds.map(
    (item) => `${(x(item.second) + (x(1) - x(0)) / 2).toFixed(1)},${y(item.p95 / slowest).toFixed(1)}`,
  );
  const [from, to] = deployment.map((second) => Math.min(last, Math.max(0, second)));
  const span = `<rect x="${x(from ?? 0).toFixed(1)}" y="${HEIGHT - BOTTOM + 3}" width="${Math.max(2, x(to ?? 0) - x(from ?? 0)).toFixed(1)}" height="4" fill="#d9a441"/>`;
  const label = (atX: number, atY: number, text: string, anchor = "start") =>
    `<text x="${atX}" y="${atY}" text-anchor="${anchor}">${text}</text>`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="requests a second">${span}${bars.join("")}<polyline points="${line.join(" ")}" fill="none" stroke="#34495e" stroke-width="1.5"/>${label(LEFT - 6, 16, `${most}/s`, "end")}${label(WIDTH - LEFT + 6, 16, `${slowest.toFixed(0)} ms`)}${label(LEFT, HEIGHT - 3, "0 s")}${label(WIDTH - LEFT, HEIGHT - 3, `${last} s`, "end")}</svg><p class="legend"><b style="color:#9ec5e8">■</b> answered <b style="color:#c0392b">■</b> failed <b style="color:#34495e">—</b> p95 (right) <b style="color:#d9a441">▬</b> deployment</p>`;
}

/** A span of seconds on the timeline. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly colour: string;
}

/** One row a stage on a common axis of seconds. */
export function timeline(
  rows: readonly { readonly label: string; readonly spans: readonly Span[] }[],
): string {
  const end = Math.max(1, ...rows.flatMap((row) => row.spans.map((span) => span.to)));
  const x = (second: number) => 90 + (second / end) * 500;
  const lines = rows.map((row, index) => {
    const top = 6 + index * 24;
    const bars = row.spans.map((span) => {
      const [left, width] = [x(span.from), Math.max(2, x(span.to) - x(span.from))];
      // A label that does not fit into its bar stands behind it.
      const fits = width >= 26;
      const at = (fits ? left : left + width) + 4;
      return `<rect x="${left.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="17" rx="3" fill="${span.colour}"/><text x="${at.toFixed(1)}" y="${top + 13}" fill="${fits ? "#fff" : "#222"}">${(span.to - span.from).toFixed(0)} s</text>`;
    });
    return `<text x="0" y="${top + 13}">${row.label}</text>${bars.join("")}`;
  });
  return `<svg viewBox="0 0 640 ${rows.length * 24 + 10}" role="img" aria-label="timeline">${lines.join("")}</svg>`;
}

import type { LoadSecond } from "./evidence.ts";

const WIDTH = 640;
const HEIGHT = 150;
const LEFT = 44;
const BOTTOM = 22;

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
  const span = `<rect x="${x(from ?? 0).toFixed(1)}" y="8" width="${(x(to ?? 0) - x(from ?? 0)).toFixed(1)}" height="${HEIGHT - BOTTOM - 8}" fill="#f4ecd8"/>`;
  const label = (atX: number, atY: number, text: string, anchor = "start") =>
    `<text x="${atX}" y="${atY}" text-anchor="${anchor}">${text}</text>`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="requests a second">${span}${bars.join("")}<polyline points="${line.join(" ")}" fill="none" stroke="#34495e" stroke-width="1.5"/>${label(LEFT - 6, 16, `${most}/s`, "end")}${label(WIDTH - LEFT + 6, 16, `${slowest.toFixed(0)} ms`)}${label(LEFT, HEIGHT - 6, "0 s")}${label(WIDTH - LEFT, HEIGHT - 6, `${last} s`, "end")}</svg><p class="legend"><b style="color:#9ec5e8">■</b> answered <b style="color:#c0392b">■</b> failed <b style="color:#34495e">—</b> p95 (right) <b style="color:#e5d6ac">■</b> deployment</p>`;
}

/** One bar a stage on a common axis of seconds. */
export function timeline(
  bars: readonly { label: string; from: number; to: number; kept: boolean }[],
): string {
  const end = Math.max(1, ...bars.map((bar) => bar.to));
  const x = (second: number) => 110 + (second / end) * 510;
  const rows = bars.map((bar, index) => {
    const top = 6 + index * 24;
    return `<text x="0" y="${top + 13}">${bar.label}</text><rect x="${x(bar.from).toFixed(1)}" y="${top}" width="${Math.max(2, x(bar.to) - x(bar.from)).toFixed(1)}" height="17" rx="3" fill="${bar.kept ? "#5d9c6f" : "#c0392b"}"/><text x="${Math.min(600, x(bar.to) + 4).toFixed(1)}" y="${top + 13}">${(bar.to - bar.from).toFixed(1)} s</text>`;
  });
  return `<svg viewBox="0 0 640 ${bars.length * 24 + 10}" role="img" aria-label="timeline">${rows.join("")}</svg>`;
}

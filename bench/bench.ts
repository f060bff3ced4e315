/** One measurement; where there is something to compare with, it was measured in the same run. */
export interface Row {
  /** What was measured, for example `load-test, CPU per request`. */
  readonly what: string;
  readonly value: number;
  /** For example `ms`, `MB`, `us`. */
  readonly unit: string;
  /** What it is compared with, in the same unit. */
  readonly beside?: { readonly what: string; readonly value: number };
  /** The most that is aimed at: of the ratio `value / beside.value`, or of `value` where nothing is beside it. */
  readonly aim?: number;
  /** Why there is no value, or what to know about it. */
  readonly note?: string;
}

/** A benchmark module exports one as `bench`; it needs at most about 20 s and cleans up after itself. */
export interface Bench {
  readonly name: string;
  run(): Promise<Row[]>;
}

/** What the row is judged by: the ratio where something is beside it, else the value. */
export function figure(row: Row): number {
  return row.beside ? row.value / row.beside.value : row.value;
}

/** Rows as a table for the terminal: measured, beside, ratio, aim and whether it was met. */
export function renderRows(rows: readonly Row[]): string {
  const head = ["what", "measured", "beside", "ratio", "aim", ""];
  const lines = rows.map((row) => [
    row.what,
    Number.isNaN(row.value) ? "-" : `${short(row.value)} ${row.unit}`,
    row.beside ? `${row.beside.what} ${short(row.beside.value)} ${row.unit}` : "",
    row.beside && !Number.isNaN(row.value) ? `${figure(row).toFixed(2)} x` : "",
    row.aim === undefined ? "" : `<= ${row.aim}${row.beside ? " x" : ` ${row.unit}`}`,
    [verdict(row), row.note].filter(Boolean).join(", "),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]?.length ?? 0)));
  const render = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  return [render(head), render(widths.map((width) => "-".repeat(width))), ...lines.map(render)].join("\n");
}

function verdict(row: Row): string {
  if (row.aim === undefined || Number.isNaN(row.value)) return "";
  return figure(row) <= row.aim ? "met" : "missed";
}

function short(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

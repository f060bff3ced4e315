import type { Shown } from "./shown.ts";

const HEAD = ["stage", "promised", "outcome", "seconds", "requests", "failed", "p95"];

/** The cells of one stage; pure. */
export function cells(stage: Shown): string[] {
  const { load } = stage;
  return [
    `${stage.key}: ${stage.title}`,
    stage.promised,
    stage.broken.length === 0 ? stage.outcome : `${stage.outcome} ✗`,
    stage.seconds.toFixed(1),
    load ? String(load.requests) : "-",
    load ? String(load.failed) : "-",
    load ? `${load.p95.toFixed(1)} ms` : "-",
  ];
}

/** The closing table for a terminal, with a line below each red stage that says why. */
export function renderTable(stages: readonly Shown[]): string {
  const rows = stages.map(cells);
  const widths = HEAD.map((head, column) =>
    Math.max(...[HEAD, ...rows].map((row) => (row[column] ?? head).length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ");
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  const lines = [line(HEAD), rule];
  for (const [index, stage] of stages.entries()) {
    lines.push(line(rows[index] ?? []));
    if (stage.reason !== "") lines.push(`    ${stage.reason}`);
    for (const problem of stage.broken) lines.push(`    NOT AS PROMISED: ${problem}`);
  }
  return lines.join("\n");
}

import type { StageEvidence } from "./evidence.ts";

const HEAD = ["stage", "promised", "outcome", "seconds", "requests", "failed", "p95"];

/** The cells of one stage; pure. */
export function cells(evidence: StageEvidence): string[] {
  const { stage, load } = evidence;
  return [
    `${stage.key}: ${stage.title}`,
    stage.promised,
    evidence.broken.length === 0 ? evidence.outcome : `${evidence.outcome} ✗`,
    evidence.seconds.toFixed(1),
    load ? String(load.requests) : "-",
    load ? String(load.failed) : "-",
    load ? `${load.p95.toFixed(1)} ms` : "-",
  ];
}

/** The closing table for a terminal, with a line below each red stage that says why. */
export function renderTable(stages: readonly StageEvidence[]): string {
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
  for (const [index, evidence] of stages.entries()) {
    lines.push(line(rows[index] ?? []));
    if (evidence.reason !== "") lines.push(`    ${evidence.reason}`);
    for (const problem of evidence.broken) lines.push(`    NOT AS PROMISED: ${problem}`);
  }
  return lines.join("\n");
}

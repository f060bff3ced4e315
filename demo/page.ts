import { loadChart, timeline } from "./chart.ts";
import { escapeHtml, renderMarkdown } from "./markdown.ts";
import type { Shown } from "./shown.ts";
import { cells } from "./table.ts";

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: .5rem 0; } td, th { border: 1px solid #ddd; padding: .25rem .6rem; text-align: left; }
.overview td:nth-child(n + 4) { white-space: nowrap; text-align: right; }
th { background: #f5f5f2; } pre { background: #f5f5f2; padding: .6rem; overflow-x: auto; font-size: 13px; }
svg { width: 100%; max-width: 640px; font: 11px system-ui, sans-serif; } .legend { font-size: 12px; margin: 0; }
section { border-top: 2px solid #eee; margin-top: 2rem; } .kept { color: #2e7d4f; } .broken { color: #c0392b; }
details { margin: .5rem 0; } summary { cursor: pointer; } h1 { font-weight: 600; }
`;

/** The whole page: one file, nothing loaded from anywhere. */
export function renderPage(stages: readonly Shown[]): string {
  const start = Math.min(...stages.map((stage) => stage.pushedAt));
  const seconds = (at: number) => (at - start) / 1000;
  const rows = stages.map((stage) => ({
    label: stage.key,
    spans: [
      { from: seconds(stage.pushedAt), to: seconds(stage.builtAt), colour: "#8aa4bd" },
      ...(stage.endedAt > stage.startedAt + 500
        ? [
            {
              from: seconds(stage.startedAt),
              to: seconds(stage.endedAt),
              colour: stage.broken.length === 0 ? "#5d9c6f" : "#c0392b",
            },
          ]
        : []),
    ],
  }));
  const run = stages.filter((stage) => stage.outcome !== "skipped");
  const kept = run.filter((stage) => stage.broken.length === 0).length;
  const skipped = run.length < stages.length ? ` ${stages.length - run.length} were skipped.` : "";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>goci demo</title><style>${STYLE}</style></head><body>
<h1>From commits to proven deployments</h1>
<p>Commits of one team, carried by goci's workflows. <strong class="${kept === run.length ? "kept" : "broken"}">${kept} of ${run.length} stages ended as promised.</strong>${skipped}</p>
${overview(stages)}
<h2>Timeline</h2>${timeline(rows)}<p class="legend"><b style="color:#8aa4bd">■</b> pipeline <b style="color:#5d9c6f">■</b> deployment, after its approval</p>
${stages.map(section).join("\n")}
</body></html>
`;
}

function overview(stages: readonly Shown[]): string {
  const head = ["stage", "promised", "outcome", "seconds", "requests", "failed requests", "p95"];
  const row = (list: readonly string[], tag: string) =>
    `<tr>${list.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join("")}</tr>`;
  return `<table class="overview">${row(head, "th")}${stages.map((stage) => row(cells(stage), "td")).join("")}</table>`;
}

function section(stage: Shown): string {
  const { load, delivery } = stage;
  const summaries = [...(delivery?.summaries ?? []), ...(load?.result.summaries ?? [])].map(
    (summary) =>
      `<details><summary>${escapeHtml(summary.job)}</summary>${renderMarkdown(summary.markdown)}</details>`,
  );
  const span: [number, number] = load
    ? [(stage.startedAt - load.startedAt) / 1000, (stage.endedAt - load.startedAt) / 1000]
    : [0, 0];
  return `<section><h2>${escapeHtml(`${stage.key}: ${stage.title}`)}</h2>
<p>${escapeHtml(stage.story)}. Promised: ${escapeHtml(stage.promised)}. Ended: <strong class="${stage.broken.length === 0 ? "kept" : "broken"}">${escapeHtml(stage.outcome)}</strong>.
${escapeHtml(stage.afterwards)}.</p>
${stage.reason ? `<p>Why: ${escapeHtml(stage.reason)}</p>` : ""}
${stage.broken.map((problem) => `<p class="broken">Not as promised: ${escapeHtml(problem)}</p>`).join("")}
${load ? loadChart(load.seconds, span) : ""}
${summaries.join("\n")}</section>`;
}

import { formatDuration } from "../../../lib/clock.ts";
import { codeBlock, escapeMarkdown, table } from "../../../lib/summary.ts";
import { type TestCase, titleOf } from "./reports/test-report.ts";
import type { Counts } from "./reports/write-reports.ts";
import type { Gate } from "./verdict.ts";

/** What the summary shows. */
export interface SummaryParts {
  readonly counts: Counts;
  readonly ms: number;
  readonly failed: readonly TestCase[];
  readonly quarantined: readonly TestCase[];
  readonly flaky: readonly TestCase[];
  readonly gates: readonly Gate[];
  /** Lines about the database and the artifact, Markdown. */
  readonly facts: readonly string[];
}

const FAILURES_SHOWN = 50;

/** The job summary: failures first, the details folded. */
export function renderSummary(parts: SummaryParts): string {
  const { counts } = parts;
  const out = [
    table(
      ["Tests", "Passed", "Failed", "Skipped", "Flaky", "Time"],
      [
        [counts.total, counts.passed, counts.failed, counts.skipped, counts.flaky]
          .map(String)
          .concat(formatDuration(parts.ms)),
      ],
    ),
  ];
  for (const test of parts.failed.slice(0, FAILURES_SHOWN)) out.push(renderFailure(test));
  const more = parts.failed.length - FAILURES_SHOWN;
  if (more > 0) out.push(`and ${more} more failed tests: see the JUnit file\n`);
  out.push(
    ...renderList("Quarantined failures", parts.quarantined),
    ...renderList("Flaky tests", parts.flaky),
  );
  if (parts.gates.length > 0) {
    const rows = parts.gates.map((gate) =>
      [gate.gate, gate.limit, gate.value, mark(gate.verdict)].map(escapeMarkdown),
    );
    out.push(table(["Gate", "Limit", "Value", "Verdict"], rows));
  }
  out.push(...parts.facts.map((fact) => `- ${fact}`));
  return out.join("\n");
}

function renderFailure(test: TestCase): string {
  const head = `❌ ${escapeMarkdown(titleOf(test))}${test.message ? `: ${escapeMarkdown(test.message)}` : ""}`;
  if (test.detail === "") return `${head}\n`;
  return `<details><summary>${head}</summary>\n\n${codeBlock(test.detail.slice(0, 4000))}\n</details>\n`;
}

function renderList(title: string, tests: readonly TestCase[]): string[] {
  if (tests.length === 0) return [];
  const lines = tests.slice(0, FAILURES_SHOWN).map((test) => `- ${escapeMarkdown(titleOf(test))}`);
  return [`**${title}** (${tests.length})\n\n${lines.join("\n")}\n`];
}

function mark(verdict: Gate["verdict"]): string {
  return { passed: "✅ passed", failed: "❌ failed", skipped: "➖ skipped", warning: "⚠️ warning" }[verdict];
}

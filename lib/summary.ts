import { appendFileSync } from "node:fs";

/** The runner drops a summary over 1 MiB whole; contracts promise at most 900 KB. */
export const SUMMARY_LIMIT = 900_000;

/** Escapes untrusted text for a place inside Markdown: no HTML, no tables broken, no mentions, no ANSI colours. */
export function escapeMarkdown(text: string): string {
  return stripAnsi(text)
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/[\\`*_{}[\]|~]/g, (char) => `&#${char.charCodeAt(0)};`)
    .replace(/@/g, "&#64;")
    .replace(/\r?\n/g, " ");
}

/** A fenced block whose fence is longer than any run of backticks in the text. */
export function codeBlock(text: string, language = ""): string {
  const clean = stripAnsi(text);
  const longest = Math.max(2, ...[...clean.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${clean}\n${fence}\n`;
}

/** A Markdown table; cells are written as they are: escape untrusted ones first. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return `${[line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")}\n`;
}

/** Removes terminal colours and other escape sequences. */
export function stripAnsi(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are control characters
  return text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "").replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "");
}

/** The text cut to `limit` bytes of UTF-8 at a line end, with a last line that says so and open fences closed. */
export function fitBytes(text: string, limit = SUMMARY_LIMIT): string {
  if (Buffer.byteLength(text) <= limit) return text;
  const note = "\n\n_The rest was left out: the summary would be too large._\n";
  let cut = Buffer.from(text)
    .subarray(0, limit - Buffer.byteLength(note) - 16)
    .toString("utf8");
  cut = cut.slice(0, cut.lastIndexOf("\n") + 1);
  const fences = [...cut.matchAll(/^(`{3,})/gm)];
  const open = fences.length % 2 === 1 ? `${fences.at(-1)?.[1] ?? "```"}\n` : "";
  return `${cut}${open}${note}`;
}

/** Appends to the job summary; a runner without one (a laptop) is no error. */
export function writeSummary(markdown: string, file: string | undefined): void {
  if (!file || markdown === "") return;
  try {
    appendFileSync(file, fitBytes(`${markdown}\n`));
  } catch {
    // The summary is a courtesy: the verdict does not depend on it.
  }
}

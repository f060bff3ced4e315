import { appendFileSync } from "node:fs";
import { Failure } from "./errors.ts";

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

/** The evidence of a failure as a block: what the failed thing said last is what most readers come for. "" without any. */
export function evidenceBlock(error: unknown): string {
  return error instanceof Failure && error.evidence.length > 0
    ? `\n${codeBlock(error.evidence.join("\n"))}`
    : "";
}

/** A Markdown table; cells are written as they are: escape untrusted ones first. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return `${[line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")}\n`;
}

/** Terminal colours and cursor moves, and sequences that set titles or links. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are control characters
const ESCAPES = /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;

/** Control characters but tab and newline, and marks that turn the direction of what follows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Removes terminal colours and other escape sequences, and characters that act instead of showing. */
export function stripAnsi(text: string): string {
  return text.replace(ESCAPES, "").replace(CONTROLS, "");
}

/** The text cut to `limit` bytes of UTF-8 at a line end, with a last line that says so and open fences closed. */
export function fitBytes(text: string, limit = SUMMARY_LIMIT): string {
  if (Buffer.byteLength(text) <= limit) return text;
  const note = "\n\n_The rest was left out: the summary would be too large._\n";
  let room = limit - Buffer.byteLength(note);
  for (;;) {
    const whole = Buffer.from(text).subarray(0, Math.max(0, room)).toString("utf8");
    const cut = whole.slice(0, whole.lastIndexOf("\n") + 1);
    const fence = openFence(cut);
    const result = `${cut}${fence === "" ? "" : `${fence}\n`}${note}`;
    const over = Buffer.byteLength(result) - limit;
    if (over <= 0 || cut === "") return result;
    room -= over;
  }
}

/** The fence of a code block that is still open at the end of the text, "" when none is. */
function openFence(text: string): string {
  let open = "";
  for (const [, run = "", rest = ""] of text.matchAll(/^(`{3,})(.*)$/gm)) {
    if (open === "") open = run;
    else if (run.length >= open.length && rest.trim() === "") open = "";
  }
  return open;
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

import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { messageOf } from "../../../../lib/errors.ts";
import { isCtrf, parseCtrf } from "./ctrf.ts";
import { GoTestReader, parseGoEvent } from "./go-test-json.ts";
import { isJestJson, parseJestJson } from "./jest-json.ts";
import { TapReader } from "./tap.ts";
import { type ParsedReport, type ReportFormat, ReportProblem, type TestCase } from "./test-report.ts";

/** A report file that could not be read whole. */
export interface Unreadable {
  readonly file: string;
  readonly why: string;
}

/** All reports of a run together. */
export interface Reports {
  readonly tests: readonly TestCase[];
  /** The files that were read, with their formats. */
  readonly read: readonly { readonly file: string; readonly format: ReportFormat; readonly tests: number }[];
  readonly unreadable: readonly Unreadable[];
  /** Files that are no test reports; only looked past where the globs are ours. */
  readonly ignored: readonly string[];
}

/**
 * Reads report files, each in the format that its content shows. `lenient`:
 * a file of another kind is no error (the globs are our guess); a damaged
 * report is one always.
 */
export async function readReports(
  root: string,
  files: readonly string[],
  lenient: boolean,
): Promise<Reports> {
  const tests: TestCase[] = [];
  const read: { file: string; format: ReportFormat; tests: number }[] = [];
  const unreadable: Unreadable[] = [];
  const ignored: string[] = [];
  for (const file of files) {
    try {
      const report = await readReport(resolve(root, file));
      if (report) {
        for (const test of report.tests) tests.push(test);
        read.push({ file, format: report.format, tests: report.tests.length });
      } else if (lenient) ignored.push(file);
      else unreadable.push({ file, why: "it is neither JUnit XML, `go test -json`, TAP nor CTRF" });
    } catch (error) {
      unreadable.push({ file, why: messageOf(error) });
    }
  }
  return { tests, read, unreadable, ignored };
}

/** One report; undefined when the content is of no known format. Throws for a damaged one. */
export async function readReport(path: string): Promise<ParsedReport | undefined> {
  const head = await readHead(path);
  if (head.bytes === 0) throw new ReportProblem("it is empty");
  const kind = tellFormat(head.text);
  if (kind === undefined) return undefined;
  if (kind === "junit") return readJUnit(path, head.encoding);
  if (kind === "json") return readJson(path, head.encoding);
  const reader = kind === "tap" ? new TapReader() : new GoTestReader();
  for await (const { line, isWhole } of linesOf(path, head.encoding)) reader.line(line, isWhole);
  return reader.end();
}

/** What the first bytes of a file say it is; undefined when it is none of ours. */
export function tellFormat(head: string): ReportFormat | "json" | undefined {
  const text = head.trimStart();
  if (text.startsWith("<")) {
    const root = /<([A-Za-z_][\w:.-]*)/.exec(text.replace(/<!--[\s\S]*?-->/g, ""))?.[1];
    // A document cut off before its root may be a report: reading it says what is wrong.
    return root === undefined || /^testsuites?$/.test(root) || root.length + 1 === text.length
      ? "junit"
      : undefined;
  }
  const lines = text.split(/\r?\n/);
  if (lines.some((line) => parseGoEvent(line) !== undefined)) return "go-test-json";
  if (/^\{"(?:Time|Action)":/.test(text)) return "go-test-json";
  if (lines.some((line) => /^(?:TAP version 1[34]|1\.\.\d+|(?:not )?ok \d+\b)/.test(line))) return "tap";
  return text.startsWith("{") ? "json" : undefined;
}

async function readHead(path: string): Promise<{ bytes: number; text: string; encoding: string }> {
  const handle = await open(path, "r");
  try {
    const buffer = Buffer.alloc(65_536);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
    const bytes = buffer.subarray(0, bytesRead);
    const encoding = encodingOf(bytes);
    return { bytes: bytesRead, text: new TextDecoder(encoding).decode(bytes), encoding };
  } finally {
    await handle.close();
  }
}

/** By byte order mark, by the zero bytes of UTF-16 ASCII, then by the XML declaration. */
function encodingOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  if (bytes[0] === 0x3c && bytes[1] === 0) return "utf-16le";
  if (bytes[0] === 0 && bytes[1] === 0x3c) return "utf-16be";
  const declared = /^\s*<\?xml[^>]*encoding=["']([\w-]+)["']/.exec(bytes.toString("latin1", 0, 200))?.[1];
  try {
    return declared && !/^utf-?16/i.test(declared) ? new TextDecoder(declared).encoding : "utf-8";
  } catch {
    throw new ReportProblem(`its encoding \`${declared}\` is unknown`);
  }
}

async function readJUnit(path: string, encoding: string): Promise<ParsedReport> {
  const { JUnitReader } = await import("./junit.ts");
  const reader = new JUnitReader();
  for await (const text of textOf(path, encoding)) {
    // Test output holds control characters that XML forbids; they say nothing about a result.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to replace
    reader.write(text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "\ufffd"));
  }
  return reader.end();
}

async function readJson(path: string, encoding: string): Promise<ParsedReport | undefined> {
  let text = "";
  for await (const piece of textOf(path, encoding)) text += piece;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ReportProblem("it is not complete JSON");
  }
  if (isJestJson(value)) return parseJestJson(value);
  return isCtrf(value) ? parseCtrf(value) : undefined;
}

async function* textOf(path: string, encoding: string): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of createReadStream(path)) yield decoder.decode(chunk as Buffer, { stream: true });
  yield decoder.decode();
}

async function* linesOf(path: string, encoding: string): AsyncGenerator<{ line: string; isWhole: boolean }> {
  let rest = "";
  for await (const text of textOf(path, encoding)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield { line: line.replace(/\r$/, ""), isWhole: true };
  }
  if (rest !== "") yield { line: rest, isWhole: false };
}

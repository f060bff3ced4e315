import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stripAnsi } from "../../../../lib/summary.ts";
import type { TestCase } from "./test-report.ts";

/** Counts of a run's tests. */
export interface Counts {
  readonly total: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly flaky: number;
}

/** Counts tests; a flaky one counts as passed too. */
export function countTests(tests: readonly TestCase[]): Counts {
  const of = (status: TestCase["status"]) => tests.filter((test) => test.status === status).length;
  return {
    total: tests.length,
    passed: of("passed"),
    failed: of("failed"),
    skipped: of("skipped"),
    flaky: tests.filter((test) => test.flaky).length,
  };
}

/** Writes all tests as one JUnit file and one CTRF file, whatever formats they came in. */
export async function writeReports(
  folder: string,
  tests: readonly TestCase[],
  ms: number,
): Promise<{ readonly junit: string; readonly ctrf: string }> {
  await mkdir(folder, { recursive: true });
  const paths = { junit: join(folder, "junit.xml"), ctrf: join(folder, "ctrf.json") };
  await writeFile(paths.junit, inBlocks(junitPieces(tests, ms)));
  await writeFile(paths.ctrf, inBlocks(ctrfPieces(tests, ms)));
  return paths;
}

/** Pieces put together to writes of a useful size: a report may be large, and is never held as one text. */
function* inBlocks(pieces: Iterable<string>): Generator<string> {
  let block = "";
  for (const piece of pieces) {
    block += piece;
    if (block.length < 65_536) continue;
    yield block;
    block = "";
  }
  if (block !== "") yield block;
}

/** The tests as JUnit XML, one suite for each suite path. */
export function toJUnit(tests: readonly TestCase[], ms: number): string {
  return [...junitPieces(tests, ms)].join("");
}

function* junitPieces(tests: readonly TestCase[], ms: number): Generator<string> {
  const suites = new Map<string, TestCase[]>();
  for (const test of tests) {
    const list = suites.get(test.suite);
    if (list) list.push(test);
    else suites.set(test.suite, [test]);
  }
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${totals(tests)} time="${ms / 1000}">\n`;
  for (const [suite, list] of suites) {
    yield `  <testsuite name="${escapeXml(suite)}" ${totals(list)}>\n`;
    for (const test of list) yield `${toElement(test)}\n`;
    yield "  </testsuite>\n";
  }
  yield "</testsuites>\n";
}

function totals(tests: readonly TestCase[]): string {
  const counts = countTests(tests);
  return `tests="${counts.total}" failures="${counts.failed}" errors="0" skipped="${counts.skipped}"`;
}

function toElement(test: TestCase): string {
  const place = test.file ? ` file="${escapeXml(test.file)}"${test.line ? ` line="${test.line}"` : ""}` : "";
  const head = `    <testcase name="${escapeXml(test.name)}" classname="${escapeXml(test.classname)}" time="${test.ms / 1000}"${place}`;
  const message = `message="${escapeXml(test.message)}"`;
  if (test.status === "failed")
    return `${head}><failure ${message}>${escapeXml(test.detail)}</failure></testcase>`;
  if (test.status === "skipped") return `${head}><skipped ${message}/></testcase>`;
  return test.flaky ? `${head}><flakyFailure ${message}/></testcase>` : `${head}/>`;
}

function escapeXml(text: string): string {
  return stripAnsi(text)
    .replace(
      /[\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      "\ufffd",
    )
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");
}

/** The tests as a CTRF document, https://ctrf.io */
export function toCtrf(tests: readonly TestCase[], ms: number): string {
  return [...ctrfPieces(tests, ms)].join("");
}

function* ctrfPieces(tests: readonly TestCase[], ms: number): Generator<string> {
  const { total, passed, failed, skipped } = countTests(tests);
  const summary = {
    tests: total,
    passed,
    failed,
    pending: 0,
    skipped,
    other: 0,
    start: 0,
    stop: Math.round(ms),
  };
  yield '{"reportFormat":"CTRF","specVersion":"0.0.0","results":{"tool":{"name":"goci build-test"},';
  yield `"summary":${JSON.stringify(summary)},"tests":[`;
  for (const [index, test] of tests.entries())
    yield `${index === 0 ? "" : ","}\n${JSON.stringify(toCtrfTest(test))}`;
  yield "\n]}}\n";
}

function toCtrfTest(test: TestCase): object {
  return {
    name: test.name,
    status: test.status,
    duration: Math.round(test.ms),
    ...(test.suite ? { suite: test.suite.split(" > ") } : {}),
    ...(test.message ? { message: test.message } : {}),
    ...(test.detail ? { trace: test.detail } : {}),
    ...(test.file ? { filePath: test.file } : {}),
    ...(test.line ? { line: test.line } : {}),
    ...(test.flaky ? { flaky: true } : {}),
  };
}

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readReport } from "../src/reports/read-reports.ts";
import type { ParsedReport, TestCase } from "../src/reports/test-report.ts";

/** Reads a report given as text or bytes, through a file as the action does. */
export async function read(content: string | Uint8Array): Promise<ParsedReport | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "goci-report-"));
  try {
    const path = join(folder, "report");
    writeFileSync(path, content);
    return await readReport(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The tests of a report that must be readable. */
export async function tests(content: string | Uint8Array): Promise<readonly TestCase[]> {
  const report = await read(content);
  if (!report) throw new Error("the content was not recognised");
  return report.tests;
}

/** `name=status` of each test, in order. */
export async function statuses(content: string | Uint8Array): Promise<string[]> {
  return (await tests(content)).map((test) => `${test.name}=${test.status}`);
}

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TOOLS } from "./repository.ts";

/** What a run of tests or checks came to; `.ci/run` adds these up. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Leaves the counts where `.ci/run` looks for them, and makes the process red when anything failed. */
export function leaveCounts(name: string, counts: Counts): void {
  const folder = join(TOOLS, "results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(counts)}\n`);
  console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  if (counts.failed > 0) process.exitCode = 1;
}

/**
 * Counts from jest's JSON result. A file that could not be run counts as one
 * failure, and so does a run that is red for a reason of its own.
 */
export function countsOfJest(result: unknown, exitCode: number): Counts {
  const read = (name: string) => {
    const value = typeof result === "object" && result !== null ? Reflect.get(result, name) : undefined;
    return typeof value === "number" ? value : 0;
  };
  const failed = read("numFailedTests") + read("numRuntimeErrorTestSuites");
  return {
    passed: read("numPassedTests"),
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: read("numPendingTests") + read("numTodoTests"),
  };
}

/** Counts from the comments at the end of node:test's JUnit report; no report is one failure. */
export function countsOfNodeTest(junit: string, exitCode: number): Counts {
  const read = (name: string) => {
    const found = new RegExp(`<!-- ${name} (\\d+) -->`).exec(junit);
    return found ? Number(found[1]) : 0;
  };
  const failed = read("fail") + read("cancelled");
  const nothing = read("tests") === 0;
  return {
    passed: read("pass"),
    failed: failed === 0 && (exitCode !== 0 || nothing) ? 1 : failed,
    skipped: read("skipped") + read("todo"),
  };
}

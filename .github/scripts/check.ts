import { availableParallelism } from "node:os";
import { CHECKS, type Check, type Verdict } from "./checks.ts";
import { leaveCounts } from "./counts.ts";
import { inParallel } from "./spawn.ts";

/*
 * Runs every check, prints one line for each (and what is wrong below it), and
 * is red when any failed. Names given as arguments pick checks.
 */
const wanted = process.argv.slice(2);
const chosen = CHECKS.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word)));

const verdicts = await inParallel(chosen, Math.min(2, availableParallelism()), async (check) => {
  const startedAt = performance.now();
  const verdict = await attempt(check);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const word = { passed: "ok  ", failed: "FAIL", skipped: "skip" }[verdict.kind];
  console.log(
    `${word} ${check.name} (${seconds} s)${verdict.lines.map((line) => `\n     ${line}`).join("")}`,
  );
  return verdict;
});

const count = (kind: Verdict["kind"]) => verdicts.filter((verdict) => verdict.kind === kind).length;
leaveCounts("check", { passed: count("passed"), failed: count("failed"), skipped: count("skipped") });

async function attempt(check: Check): Promise<Verdict> {
  try {
    return await check.run();
  } catch (error) {
    return {
      kind: "failed",
      lines: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
    };
  }
}

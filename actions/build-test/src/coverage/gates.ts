import type { CoverageInputs } from "../inputs.ts";
import type { Gate, Problem } from "../verdict.ts";
import { branchShare, type Coverage, lineShare, percentOf, showPercent, sumShares } from "./coverage.ts";

/** What the coverage gates say, and the two numbers of the outputs. */
export interface CoverageVerdict {
  readonly gates: readonly Gate[];
  readonly problems: readonly Problem[];
  /** Unrounded percent; undefined when it is unknown. */
  readonly line: number | undefined;
  readonly branch: number | undefined;
  /** A line for the log when gates were skipped. */
  readonly notice: string;
}

/** Judges all coverage gates on unrounded values. `isThere`: a coverage file was read. */
export function judgeCoverage(coverage: Coverage, isThere: boolean, inputs: CoverageInputs): CoverageVerdict {
  const files = [...coverage];
  const line = percentOf(sumShares(files.map(([, file]) => lineShare(file))));
  const branch = percentOf(sumShares(files.map(([, file]) => branchShare(file))));
  const isWanted = Array.isArray(inputs.paths);
  const limits = [
    { gate: "coverage-line", limit: inputs.minLine, value: line },
    { gate: "coverage-branch", limit: inputs.minBranch, value: branch },
    { gate: "coverage-file", limit: inputs.minFile, value: lowestFile(coverage).percent },
  ];
  const gates: Gate[] = [];
  const problems: Problem[] = [];
  for (const { gate, limit, value } of limits) {
    if (limit === 0) continue;
    const isSkipped = !isThere && !isWanted;
    const isMet = value !== undefined && value >= limit;
    gates.push({
      gate,
      limit: String(limit),
      value: showPercent(value),
      verdict: isSkipped ? "skipped" : isMet ? "passed" : "failed",
    });
    if (!isSkipped && !isMet) problems.push(problemOf(gate, limit, value, coverage, inputs));
  }
  const skipped = gates.filter((gate) => gate.verdict === "skipped").map((gate) => gate.gate);
  const notice =
    skipped.length === 0
      ? ""
      : `${skipped.join(", ")}: skipped, no coverage file of this run was found (set \`coverage-paths\` to make it count)`;
  return { gates, problems, line, branch, notice };
}

function problemOf(
  gate: string,
  limit: number,
  value: number | undefined,
  coverage: Coverage,
  inputs: CoverageInputs,
): Problem {
  const lowest = [...coverage]
    .map(([name, file]) => ({ name, percent: percentOf(lineShare(file)) ?? 100 }))
    .sort((a, b) => a.percent - b.percent)
    .slice(0, 5);
  const what = gate.replace("coverage-", "");
  const names = gate === "coverage-file" ? ` (${lowestFile(coverage).name})` : "";
  const isUnknown = value === undefined;
  return {
    code: "COVERAGE_LOW",
    message: isUnknown
      ? `the ${what} coverage is unknown: ${coverage.size === 0 ? "no coverage file of this run holds a source file" : "the coverage files do not tell it"}; at least ${limit} % is wanted`
      : `the ${what} coverage is ${showPercent(value)} %${names}, at least ${limit} % is wanted`,
    fix: isUnknown
      ? `let the tests write coverage to ${Array.isArray(inputs.paths) ? inputs.paths.join(", ") : "a file that `coverage-paths` names"}, or set \`coverage-min-${what}\` to \`0\``
      : `test what is not covered, or lower \`coverage-min-${what}\``,
    evidence: lowest.map(({ name, percent }) => `${name}: ${showPercent(percent)} %`),
  };
}

function lowestFile(coverage: Coverage): { readonly name: string; readonly percent: number | undefined } {
  let lowest: { name: string; percent: number | undefined } = { name: "", percent: undefined };
  for (const [name, file] of coverage) {
    const percent = percentOf(lineShare(file));
    if (percent !== undefined && (lowest.percent === undefined || percent < lowest.percent))
      lowest = { name, percent };
  }
  return lowest;
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../../lib/errors.ts";
import type { SarifInputs } from "./inputs.ts";
import type { Gate, Problem } from "./verdict.ts";

/** One finding of a scanner. */
export interface Finding {
  readonly tool: string;
  readonly rule: string;
  readonly level: "error" | "warning" | "note" | "none";
  /** CVSS-like, 0 to 10; undefined when the rule has none. */
  readonly severity: number | undefined;
  readonly message: string;
  /** `file:line` */
  readonly place: string;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a SARIF 2.1 log. Suppressed results and results that are no failure
 * (`kind` pass, notApplicable, ...) or are gone since the baseline are no findings.
 * Throws when it is no SARIF, and when the scanner says that it failed.
 * https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export function parseSarif(text: string): Finding[] {
  const log: unknown = JSON.parse(text.replace(/^\ufeff/, ""));
  const runs = list(log, "runs");
  if (!runs) throw new Error("it has no `runs`");
  const findings: Finding[] = [];
  for (const run of runs) {
    if ((list(run, "invocations") ?? []).some((one) => flag(one, "executionSuccessful") === false))
      throw new Error("its scanner says that it did not run to its end (`executionSuccessful` is false)");
    const driver = object(object(run, "tool"), "driver");
    const extensions = list(object(run, "tool"), "extensions") ?? [];
    const rules = [driver, ...extensions].flatMap((part) => list(part, "rules") ?? []);
    for (const result of list(run, "results") ?? []) {
      const kind = textOf(result, "kind") || "fail";
      const isGone = textOf(result, "baselineState") === "absent";
      if (kind !== "fail" || isGone || isSuppressed(result)) continue;
      findings.push(toFinding(result, rules, list(driver, "rules") ?? [], textOf(driver, "name")));
    }
  }
  return findings;
}

function toFinding(
  result: unknown,
  rules: readonly unknown[],
  own: readonly unknown[],
  tool: string,
): Finding {
  const id = textOf(result, "ruleId") || textOf(object(result, "rule"), "id");
  const index = number(result, "ruleIndex") ?? number(object(result, "rule"), "index");
  const rule =
    rules.find((candidate) => textOf(candidate, "id") === id) ??
    (index === undefined ? undefined : own[index]);
  const level = textOf(result, "level") || textOf(object(rule, "defaultConfiguration"), "level") || "warning";
  const severity = severityOf(object(result, "properties")) ?? severityOf(object(rule, "properties"));
  const physical = object(list(result, "locations")?.[0], "physicalLocation");
  const line = number(object(physical, "region"), "startLine");
  const uri = textOf(object(physical, "artifactLocation"), "uri");
  return {
    tool,
    rule: id || textOf(rule, "id"),
    level: level === "error" || level === "note" || level === "none" ? level : "warning",
    severity,
    message: textOf(object(result, "message"), "text").split("\n")[0] ?? "",
    place: line === undefined ? uri : `${uri}:${line}`,
  };
}

function severityOf(properties: Json | undefined): number | undefined {
  const value = properties?.["security-severity"];
  const severity = typeof value === "string" || typeof value === "number" ? Number(value) : Number.NaN;
  return Number.isFinite(severity) ? severity : undefined;
}

/** A suppression counts unless it was only asked for or was turned down. */
function isSuppressed(result: unknown): boolean {
  const suppressions = list(result, "suppressions") ?? [];
  return suppressions.some((one) => !/^(underReview|rejected)$/.test(textOf(one, "status")));
}

const RANK = { none: 0, note: 1, warning: 2, error: 3 } as const;

/** Whether a finding is one that fails the run. A finding without a severity is judged by its level then. */
export function isBlocking(finding: Finding, failOn: SarifInputs["failOn"]): boolean {
  if (failOn === "none") return false;
  if (typeof failOn === "number") return (finding.severity ?? (finding.level === "error" ? 10 : 0)) >= failOn;
  return RANK[finding.level] >= RANK[failOn];
}

/** Reads the files and judges their findings. Globs without a file are failures: nothing was proven there. */
export function judgeFindings(
  root: string,
  files: readonly string[],
  inputs: SarifInputs,
  empty: readonly string[] = files.length === 0 ? inputs.paths : [],
): { readonly gate: Gate; readonly problems: readonly Problem[]; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const problems: Problem[] = [];
  const unreadable = (message: string): Problem => ({
    code: "REPORT_UNREADABLE",
    message,
    fix: "let the scanner write SARIF 2.1 before this step, or correct `sarif-paths`",
    evidence: [],
  });
  if (empty.length > 0) problems.push(unreadable(`\`sarif-paths\` matches no file: ${empty.join(", ")}`));
  for (const file of files) {
    try {
      findings.push(...parseSarif(readFileSync(join(root, file), "utf8")));
    } catch (error) {
      problems.push(unreadable(`the SARIF file ${file} cannot be read: ${messageOf(error)}`));
    }
  }
  const blocking = findings.filter((finding) => isBlocking(finding, inputs.failOn));
  const [first] = blocking;
  if (first) {
    problems.push({
      code: "FINDINGS",
      message:
        `${blocking.length} of ${findings.length} findings reach \`${inputs.failOn}\`: ${first.rule} ${first.place} ${first.message}`.trim(),
      fix: "correct them, suppress them in the SARIF, or change `sarif-fail-on`",
      evidence: blocking
        .slice(0, 20)
        .map((one) => `${one.level} ${one.tool} ${one.rule} ${one.place}: ${one.message}`),
    });
  }
  const gate: Gate = {
    gate: "findings",
    limit: String(inputs.failOn),
    value: `${blocking.length} of ${findings.length}`,
    verdict: problems.length > 0 ? "failed" : "passed",
  };
  return { gate, problems, findings };
}

function object(value: unknown, name: string): Json | undefined {
  const found = typeof value === "object" && value !== null ? (value as Json)[name] : undefined;
  return typeof found === "object" && found !== null ? (found as Json) : undefined;
}

function list(value: unknown, name: string): readonly unknown[] | undefined {
  const found = typeof value === "object" && value !== null ? (value as Json)[name] : undefined;
  return Array.isArray(found) ? found : undefined;
}

function textOf(value: unknown, name: string): string {
  const found = typeof value === "object" && value !== null ? (value as Json)[name] : undefined;
  return typeof found === "string" ? found : "";
}

function number(value: unknown, name: string): number | undefined {
  const found = typeof value === "object" && value !== null ? (value as Json)[name] : undefined;
  return typeof found === "number" ? found : undefined;
}

function flag(value: unknown, name: string): boolean | undefined {
  const found = typeof value === "object" && value !== null ? (value as Json)[name] : undefined;
  return typeof found === "boolean" ? found : undefined;
}

import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";

const SCHEMA = JSON.parse(
  readFileSync(new URL("../../docs/report.schema.json", import.meta.url), "utf8"),
) as Record<string, unknown>;

const validate = new Ajv2020({ allErrors: true, strict: true, strictTypes: false }).compile(SCHEMA);

/** What in the value breaks docs/report.schema.json, one line each; empty when nothing does. */
export function reportProblems(report: unknown): string[] {
  if (validate(report)) return [];
  return (validate.errors ?? []).map(
    (error) =>
      `${error.instancePath || "the report"} ${error.message ?? "is wrong"} ${JSON.stringify(error.params)}`,
  );
}

/** Throws when the report (as `StepResult.report` gives it) is missing or breaks docs/report.schema.json. */
export function expectValidReport(report: unknown): void {
  if (report === undefined) throw new Error("the step left no report");
  const problems = reportProblems(report);
  if (problems.length > 0) {
    throw new Error(
      `the report breaks its schema:\n  ${problems.join("\n  ")}\n${JSON.stringify(report, null, 2)}`,
    );
  }
}

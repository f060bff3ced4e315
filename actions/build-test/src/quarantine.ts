import { UserError } from "../../../lib/errors.ts";
import { parseYaml } from "../../../lib/yaml.ts";
import { type TestCase, titleOf } from "./reports/test-report.ts";
import type { Gate, Problem } from "./verdict.ts";

/** A test whose failure is tolerated for a while. */
export interface QuarantineEntry {
  /** Name, `class.name` or `suite > class > name`; `*` stands for anything. */
  readonly test: string;
  readonly owner: string;
  readonly reason: string;
  /** `YYYY-MM-DD`: the last day on which it counts. */
  readonly expires: string;
}

/** Reads a quarantine file. Throws a `UserError` that names every wrong entry. */
export function parseQuarantine(text: string, file: string): QuarantineEntry[] {
  let value: unknown;
  try {
    value = parseYaml(text, { schema: "failsafe" });
  } catch (error) {
    throw new UserError([
      `\`quarantine-file\` ${file} is no YAML: ${error instanceof Error ? error.message : ""}`,
    ]);
  }
  if (value === null || value === "") return [];
  if (!Array.isArray(value)) throw new UserError([`\`quarantine-file\` ${file} is no list of entries`]);
  const problems: string[] = [];
  const entries = value.map((item, index) =>
    readEntry(item, `entry ${index + 1} of \`quarantine-file\` ${file}`, problems),
  );
  if (problems.length > 0) throw new UserError(problems);
  return entries;
}

function readEntry(item: unknown, where: string, problems: string[]): QuarantineEntry {
  const fields = typeof item === "object" && item !== null ? (item as Record<string, unknown>) : {};
  const read = (name: string) => {
    const value = fields[name];
    const text = typeof value === "string" ? value.trim() : "";
    if (text === "") problems.push(`${where} has no \`${name}\``);
    return text;
  };
  const entry = {
    test: read("test"),
    owner: read("owner"),
    reason: read("reason"),
    expires: read("expires"),
  };
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(entry.expires) && !Number.isNaN(Date.parse(entry.expires));
  if (entry.expires !== "" && !isDate)
    problems.push(`${where} expires on \`${entry.expires}\`: write YYYY-MM-DD`);
  return entry;
}

/** Tells quarantined failures from those that count, and entries that are past their day. */
export function applyQuarantine(
  tests: readonly TestCase[],
  entries: readonly QuarantineEntry[],
  today: string,
): {
  readonly counted: readonly TestCase[];
  readonly quarantined: readonly TestCase[];
  readonly expired: readonly QuarantineEntry[];
} {
  const expired = entries.filter((entry) => entry.expires < today);
  const live = entries.filter((entry) => entry.expires >= today).map((entry) => matcherOf(entry.test));
  const isQuarantined = (test: TestCase) => test.status === "failed" && live.some((matches) => matches(test));
  const quarantined = tests.filter(isQuarantined);
  return {
    counted: quarantined.length === 0 ? tests : tests.filter((test) => !isQuarantined(test)),
    quarantined,
    expired,
  };
}

function matcherOf(pattern: string): (test: TestCase) => boolean {
  // Only `*` is special: test names are full of brackets and question marks.
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const regex = new RegExp(`^${parts.join(".*")}$`, "s");
  return (test) =>
    [test.name, `${test.classname}.${test.name}`, `${test.suite}.${test.name}`, titleOf(test)].some((name) =>
      regex.test(name),
    );
}

/** The gate of the quarantine: an expired entry fails the run. */
export function judgeQuarantine(
  entries: readonly QuarantineEntry[],
  expired: readonly QuarantineEntry[],
): { readonly gate: Gate; readonly problems: readonly Problem[] } {
  const [first] = expired;
  const gate: Gate = {
    gate: "quarantine",
    limit: "0 expired",
    value: `${expired.length} of ${entries.length}`,
    verdict: first ? "failed" : "passed",
  };
  if (!first) return { gate, problems: [] };
  const message = `the quarantine of \`${first.test}\` (owner ${first.owner}) expired on ${first.expires}`;
  return {
    gate,
    problems: [
      {
        code: "QUARANTINE_EXPIRED",
        message: expired.length > 1 ? `${message}, and ${expired.length - 1} more expired` : message,
        fix: "repair the test and take the entry out, or give it a new date",
        evidence: expired.map(
          (entry) => `${entry.test}: ${entry.reason} (owner ${entry.owner}, expired ${entry.expires})`,
        ),
      },
    ],
  };
}

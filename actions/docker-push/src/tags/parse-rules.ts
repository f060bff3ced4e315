import { expressionProblem } from "./expressions.ts";
import { RULE_TYPES, type Rule, type RuleType } from "./rules.ts";

/** Which rule is asked first; the values are those of docker/metadata-action. */
const PRIORITIES: Readonly<Record<RuleType, number>> = {
  schedule: 1000,
  semver: 900,
  match: 800,
  edge: 700,
  ref: 600,
  raw: 200,
  sha: 100,
};

/** Attributes of each type beside those that all have. */
const ATTRIBUTES: Readonly<Record<RuleType, readonly string[]>> = {
  schedule: ["pattern"],
  semver: ["pattern", "value"],
  match: ["pattern", "group", "value"],
  edge: ["branch"],
  ref: ["event"],
  raw: ["value"],
  sha: ["format"],
};
const SHARED = ["type", "enable", "priority", "prefix", "suffix"];

/** Rules and what is wrong with the lines that are none. */
export interface ParsedRules {
  readonly rules: readonly Rule[];
  readonly problems: readonly string[];
}

/** Reads the lines of the `tags` input: rules `type=...,...` and plain tags. */
export function parseRules(lines: readonly string[]): ParsedRules {
  const rules: Rule[] = [];
  const problems: string[] = [];
  for (const line of lines.filter(isContent)) {
    const fields = splitFields(line);
    const found = fields.every((field) => !/^[a-z]+=/.test(field))
      ? fields.filter((field) => field !== "").map(plainTag)
      : [readRule(fields)];
    for (const item of found) {
      if (typeof item === "string") problems.push(`\`${line}\` ${item}`);
      else rules.push(item);
    }
  }
  return { rules, problems };
}

function plainTag(value: string): Rule | string {
  if (/[/:@]/.test(value.replace(/\{\{.*?\}\}/g, ""))) {
    return "is no tag: a tag holds no `/`, `:` or `@`, and repositories belong into `images`";
  }
  return readRule(["type=raw", `value=${value}`]);
}

function readRule(fields: readonly string[]): Rule | string {
  const attributes = new Map<string, string>();
  for (const field of fields) {
    const split = field.indexOf("=");
    const name = split < 0 ? "value" : field.slice(0, split).trim();
    if (attributes.has(name)) return `gives \`${name}\` twice`;
    attributes.set(name, split < 0 ? field : field.slice(split + 1).trim());
  }
  const given = attributes.get("type") ?? "raw";
  const type = RULE_TYPES.find((known) => known === given);
  if (!type) {
    return `has the unknown type \`${given}\`: allowed are ${RULE_TYPES.map((known) => `\`${known}\``).join(", ")}`;
  }
  const allowed = [...SHARED, ...ATTRIBUTES[type]];
  const strange = [...attributes.keys()].find((name) => !allowed.includes(name));
  if (strange !== undefined) {
    return `has the unknown attribute \`${strange}\`: \`type=${type}\` takes ${allowed.slice(1).map(quoted).join(", ")}`;
  }
  const rule = ruleOf(type, attributes);
  return problemOf(rule, attributes) || rule;
}

const quoted = (name: string) => `\`${name}\``;

/** The prefix that a type has unless the rule gives one. */
function usualPrefix(type: RuleType, event: string | undefined): string | undefined {
  if (type === "sha") return "sha-";
  return type === "ref" && event === "pr" ? "pr-" : undefined;
}

function ruleOf(type: RuleType, attributes: ReadonlyMap<string, string>): Rule {
  const event = attributes.get("event");
  return {
    type,
    enable: attributes.get("enable") ?? "true",
    priority: Number(attributes.get("priority") ?? PRIORITIES[type]),
    prefix: attributes.get("prefix") ?? usualPrefix(type, event),
    suffix: attributes.get("suffix"),
    pattern: attributes.get("pattern") ?? (type === "schedule" ? "nightly" : ""),
    value: attributes.get("value") ?? "",
    event: event === "tag" || event === "pr" ? event : "branch",
    group: Number(attributes.get("group") ?? 0),
    branch: attributes.get("branch") ?? "",
    format: attributes.get("format") === "long" ? "long" : "short",
  };
}

function problemOf(rule: Rule, attributes: ReadonlyMap<string, string>): string {
  const { type } = rule;
  const event = attributes.get("event") ?? "";
  const format = attributes.get("format") ?? "short";
  if (type === "ref" && !["branch", "tag", "pr"].includes(event))
    return `has the event \`${event}\`: allowed are \`branch\`, \`tag\`, \`pr\``;
  if (type === "sha" && format !== "short" && format !== "long")
    return `has the format \`${format}\`: allowed are \`short\`, \`long\``;
  if ((type === "semver" || type === "match") && rule.pattern === "") return "lacks its `pattern`";
  if (type === "raw" && rule.value === "") return "lacks its `value`";
  if (!Number.isInteger(rule.priority) || rule.priority < 0)
    return `has the priority \`${attributes.get("priority")}\`: allowed is a whole number`;
  if (!Number.isInteger(rule.group) || rule.group < 0)
    return `has the group \`${attributes.get("group")}\`: allowed is a whole number`;
  if (!/^(true|false|\{\{.*\}\})$/.test(rule.enable))
    return `has \`enable=${rule.enable}\`: allowed is \`true\`, \`false\` or an expression`;
  if (type === "match") {
    const why = patternProblem(rule);
    if (why !== "") return why;
  }
  return expressionsProblem(rule);
}

function expressionsProblem(rule: Rule): string {
  const texts = [rule.enable, rule.prefix ?? "", rule.suffix ?? "", rule.value, rule.branch];
  if (rule.type !== "match") texts.push(rule.pattern);
  for (const text of texts) {
    const problem = expressionProblem(text, rule.type === "semver" && text === rule.pattern);
    if (problem !== "") return problem;
  }
  return "";
}

function patternProblem(rule: Rule): string {
  try {
    const groups = (new RegExp(`${matchPattern(rule.pattern).source}|`).exec("")?.length ?? 1) - 1;
    return rule.group > groups ? `asks for group ${rule.group}, and its pattern has ${groups}` : "";
  } catch {
    return `has a pattern that is no regular expression: \`${rule.pattern}\``;
  }
}

/** The pattern of a `match` rule: `/.../i` or the bare text of a regular expression. Throws a SyntaxError. */
export function matchPattern(pattern: string): RegExp {
  const found = /^\/(.+)\/([a-z]*)$/s.exec(pattern);
  return found ? new RegExp(found[1] ?? "", (found[2] ?? "").replace(/[gy]/g, "")) : new RegExp(pattern);
}

/** Whether a line of a list says something; one that starts with `#` is a comment, as in docker/metadata-action. */
export function isContent(line: string): boolean {
  return !line.trimStart().startsWith("#");
}

/** Splits at commas; a field in double quotes keeps its commas, and a doubled quote in it is one. */
export function splitFields(line: string): string[] {
  const fields: string[] = [];
  let field = "";
  let inQuotes = false;
  for (let index = 0; index < line.length; index++) {
    const char = line[index] ?? "";
    if (inQuotes && char === '"' && line[index + 1] === '"') {
      field += char;
      index++;
    } else if (char === '"' && (inQuotes || field.trim() === "")) {
      inQuotes = !inQuotes;
      if (inQuotes) field = "";
    } else if (char === "," && !inQuotes) {
      fields.push(field.trim());
      field = "";
    } else {
      field += char;
    }
  }
  fields.push(field.trim());
  return fields;
}

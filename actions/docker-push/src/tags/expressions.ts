import { formatDate } from "./dates.ts";
import { branchOf, type Facts, gitTagOf, isDefaultBranch } from "./facts.ts";
import type { Version } from "./versions.ts";

const EXPRESSION = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** Names that an expression may hold. */
const NAMES = new Set([
  "branch",
  "tag",
  "sha",
  "base_ref",
  "is_default_branch",
  "is_not_default_branch",
  "date",
  "commit_date",
]);
const VERSION_NAMES = new Set(["raw", "version", "major", "minor", "patch"]);

/** What is wrong with the expressions of a text, "" when nothing is. `semver` allows those about a version too. */
export function expressionProblem(text: string, semver: boolean): string {
  if (/\{\{|\}\}/.test(text.replace(EXPRESSION, ""))) return "holds `{{` or `}}` without its other half";
  for (const [whole, inner = ""] of text.matchAll(EXPRESSION)) {
    const call = readCall(inner);
    if (!call) return `holds \`${whole}\`, which cannot be read`;
    const known = NAMES.has(call.name) || (semver && VERSION_NAMES.has(call.name));
    if (!known) return `holds \`${whole}\`: allowed are ${allowedNames(semver)}`;
    const isDate = call.name === "date" || call.name === "commit_date";
    if (!isDate && (call.format !== undefined || call.zone !== undefined))
      return `holds \`${whole}\`: only dates take a format`;
    if (!isZone(call.zone)) return `holds \`${whole}\`: \`${call.zone}\` is no time zone`;
  }
  return "";
}

function allowedNames(semver: boolean): string {
  return [...(semver ? VERSION_NAMES : []), ...NAMES].map((name) => `\`{{${name}}}\``).join(", ");
}

/** The text with its expressions replaced; what is unknown in this run becomes empty. */
export function renderExpressions(
  text: string,
  facts: Facts,
  version?: { readonly raw: string; readonly version: Version },
): string {
  return text.replace(EXPRESSION, (_whole, inner: string) => {
    const call = readCall(inner);
    return call ? expressionValue(call, facts, version) : "";
  });
}

/** Whether a pattern names a version down to its last number, so that it never moves. */
export function namesWholeVersion(pattern: string): boolean {
  const names = [...pattern.matchAll(EXPRESSION)].map(([, inner = ""]) => readCall(inner)?.name ?? "");
  return names.some((name) => name === "version" || name === "raw" || name === "patch" || name === "sha");
}

/** Whether a pattern holds the expression of that name. */
export function holdsExpression(pattern: string, name: string): boolean {
  return [...pattern.matchAll(EXPRESSION)].some(([, inner = ""]) => readCall(inner)?.name === name);
}

interface Call {
  readonly name: string;
  readonly format: string | undefined;
  readonly zone: string | undefined;
}

function readCall(inner: string): Call | undefined {
  const found =
    /^([a-z_]+)(?:\s+(?:'([^']*)'|"([^"]*)"))?(?:\s+tz=(?:'([^']*)'|"([^"]*)"|([^\s'"]+)))?$/.exec(inner);
  if (!found) return undefined;
  return { name: found[1] ?? "", format: found[2] ?? found[3], zone: found[4] ?? found[5] ?? found[6] };
}

function isZone(zone: string | undefined): boolean {
  if (zone === undefined) return true;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function expressionValue(
  call: Call,
  facts: Facts,
  given: { readonly raw: string; readonly version: Version } | undefined,
): string {
  switch (call.name) {
    case "branch":
      return branchOf(facts);
    case "tag":
      return gitTagOf(facts);
    case "sha":
      return facts.sha.slice(0, 7);
    case "base_ref":
      return facts.baseRef;
    case "is_default_branch":
      return String(isDefaultBranch(facts));
    case "is_not_default_branch":
      return String(!isDefaultBranch(facts));
    case "date":
      return formatDate(facts.now, call.format ?? "YYYYMMDD", call.zone);
    case "commit_date":
      return formatDate(facts.commitTime, call.format ?? "YYYYMMDD", call.zone);
    default:
      return given ? versionPart(call.name, given) : "";
  }
}

function versionPart(name: string, given: { readonly raw: string; readonly version: Version }): string {
  const { raw, version } = given;
  if (name === "raw") return raw;
  if (name === "version") return version.text;
  if (name === "major") return String(version.major);
  return name === "minor" ? String(version.minor) : String(version.patch);
}

import { SEVERITIES, type Severity } from "../inputs/model.ts";

/** One vulnerability as a scanner reported it. */
export interface Finding {
  readonly id: string;
  readonly severity: Severity;
  /** Name and version of the package, "" when the report does not tell. */
  readonly where: string;
  /** The version that repairs it, "" when there is none; undefined when the report does not tell. */
  readonly fixedIn: string | undefined;
}

/** A report that was understood, or why it was not. */
export type ReadReport =
  | { readonly ok: true; readonly format: "SARIF" | "Trivy" | "Grype"; readonly findings: readonly Finding[] }
  | { readonly ok: false; readonly problem: string };

/** Reads a scanner's report; one that tells of an error of the scan is none. */
export function readReport(text: string): ReadReport {
  if (text.trim() === "") return { ok: false, problem: "it is empty" };
  let report: unknown;
  try {
    report = JSON.parse(text);
  } catch {
    return { ok: false, problem: "it is no JSON, or it is cut off" };
  }
  if (!isObject(report)) return { ok: false, problem: "it is no report of SARIF, Trivy or Grype" };
  if (Array.isArray(report["runs"])) return readSarif(report["runs"]);
  if (Array.isArray(report["matches"])) return readGrype(report["matches"]);
  if (report["SchemaVersion"] !== undefined) return readTrivy(report["Results"]);
  return { ok: false, problem: "it is no report of SARIF, Trivy or Grype" };
}

function readTrivy(results: unknown): ReadReport {
  const findings = listOf(results).flatMap((result) =>
    listOf(result["Vulnerabilities"]).map((item) => ({
      id: textOf(item["VulnerabilityID"]),
      severity: severityOf(textOf(item["Severity"])),
      where: `${textOf(item["PkgName"])} ${textOf(item["InstalledVersion"])}`.trim(),
      fixedIn: textOf(item["FixedVersion"]),
    })),
  );
  return { ok: true, format: "Trivy", findings };
}

function readGrype(matches: readonly unknown[]): ReadReport {
  const findings = listOf(matches).map((match) => {
    const vulnerability = objectOf(match["vulnerability"]);
    const artifact = objectOf(match["artifact"]);
    const fix = objectOf(vulnerability["fix"]);
    const versions = Array.isArray(fix["versions"]) ? fix["versions"].map(textOf).filter(Boolean) : [];
    return {
      id: textOf(vulnerability["id"]),
      severity: severityOf(textOf(vulnerability["severity"])),
      where: `${textOf(artifact["name"])} ${textOf(artifact["version"])}`.trim(),
      fixedIn: versions.join(", "),
    };
  });
  return { ok: true, format: "Grype", findings };
}

/** https://docs.oasis-open.org/sarif/sarif/v2.1.0/ */
function readSarif(runs: readonly unknown[]): ReadReport {
  if (runs.length === 0) return { ok: false, problem: "it holds no run of a scanner" };
  const findings: Finding[] = [];
  for (const run of listOf(runs)) {
    const failed = listOf(run["invocations"]).find((item) => item["executionSuccessful"] === false);
    if (failed) return { ok: false, problem: "it says that the scan did not succeed" };
    const driver = objectOf(objectOf(run["tool"])["driver"]);
    const rules = listOf(driver["rules"]);
    for (const result of listOf(run["results"])) {
      if (isSuppressed(result)) continue;
      findings.push(sarifFinding(result, rules));
    }
  }
  return { ok: true, format: "SARIF", findings };
}

function isSuppressed(result: Fields): boolean {
  const suppressions = listOf(result["suppressions"]);
  return suppressions.length > 0 && suppressions.every((item) => item["status"] !== "rejected");
}

function sarifFinding(result: Fields, rules: readonly Fields[]): Finding {
  const id = textOf(result["ruleId"]) || textOf(objectOf(result["rule"])["id"]);
  const index = result["ruleIndex"];
  const rule =
    (typeof index === "number" ? rules[index] : undefined) ?? rules.find((item) => item["id"] === id) ?? {};
  const properties = { ...objectOf(rule["properties"]), ...objectOf(result["properties"]) };
  const level =
    textOf(result["level"]) || textOf(objectOf(rule["defaultConfiguration"])["level"]) || "warning";
  const score = Number(textOf(properties["security-severity"]) || "none");
  const message = textOf(objectOf(result["message"])["text"]);
  return {
    id: id || textOf(rule["id"]),
    severity: Number.isFinite(score) ? ofScore(score) : (ofTags(properties["tags"]) ?? ofLevel(level)),
    where: field(message, "Package")
      ? `${field(message, "Package")} ${field(message, "Installed Version")}`.trim()
      : (message.split("\n")[0] ?? "").slice(0, 120),
    fixedIn: /Fixed Version:/.test(message) ? field(message, "Fixed Version") : undefined,
  };
}

/** Trivy writes what it knows of a package into the message, one `Name: value` a line. */
function field(message: string, name: string): string {
  return new RegExp(`^${name}:[^\\S\\n]*(.*)$`, "m").exec(message)?.[1]?.trim() ?? "";
}

/** Bands of CVSS 3. https://nvd.nist.gov/vuln-metrics/cvss */
function ofScore(score: number): Severity {
  if (score >= 9) return "critical";
  if (score >= 7) return "high";
  if (score >= 4) return "medium";
  return score > 0 ? "low" : "negligible";
}

function ofTags(tags: unknown): Severity | undefined {
  const words = Array.isArray(tags) ? tags.map((tag) => textOf(tag).toLowerCase()) : [];
  return [...SEVERITIES].reverse().find((severity) => words.includes(severity));
}

function ofLevel(level: string): Severity {
  if (level === "error") return "high";
  if (level === "warning") return "medium";
  return level === "note" ? "low" : "negligible";
}

/** What nobody rated may be anything: it counts as medium. */
function severityOf(text: string): Severity {
  const word = text.toLowerCase();
  return SEVERITIES.find((severity) => severity === word) ?? "medium";
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

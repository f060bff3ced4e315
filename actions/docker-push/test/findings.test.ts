import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { systemClock } from "../../../lib/clock.ts";
import { RecordingLog } from "../../../lib/log.ts";
import { readReport } from "../src/gates/findings.ts";
import { readIgnoreFile } from "../src/gates/ignore-file.ts";
import { judgeFindings, weigh } from "../src/gates/vulnerabilities.ts";
import type { GateInputs } from "../src/inputs/model.ts";
import { scannerEnv } from "../src/phases/scanner.ts";
import { failureOf } from "./failures.ts";
import { temporaryFolder } from "./inputs.ts";

describe("reports of scanners", () => {
  const trivy = (item: object) => ({
    SchemaVersion: 2,
    Results: [{ Target: "os" }, { Vulnerabilities: [item] }],
  });
  const sarif = (result: object, rule: object = {}, run: object = {}) => ({
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "x", rules: [{ id: "CVE-1", ...rule }] } },
        results: [{ ruleId: "CVE-1", ruleIndex: 0, ...result }],
        ...run,
      },
    ],
  });

  test.each<[string, object, string, string | undefined]>([
    [
      "Trivy",
      trivy({ VulnerabilityID: "CVE-1", Severity: "HIGH", PkgName: "a", FixedVersion: "2" }),
      "high",
      "2",
    ],
    [
      "Trivy without a fix",
      trivy({ VulnerabilityID: "CVE-1", Severity: "CRITICAL", PkgName: "a" }),
      "critical",
      "",
    ],
    ["Trivy of unknown severity", trivy({ VulnerabilityID: "CVE-1", Severity: "UNKNOWN" }), "medium", ""],
    [
      "Grype",
      {
        matches: [
          {
            vulnerability: { id: "CVE-1", severity: "Negligible", fix: { versions: ["3"] } },
            artifact: { name: "a" },
          },
        ],
      },
      "negligible",
      "3",
    ],
    [
      "SARIF with a score",
      sarif({ level: "note" }, { properties: { "security-severity": "9.8" } }),
      "critical",
      undefined,
    ],
    ["SARIF with tags", sarif({}, { properties: { tags: ["security", "HIGH"] } }), "high", undefined],
    ["SARIF with a level", sarif({ level: "error" }), "high", undefined],
    ["SARIF with the rule's level", sarif({}, { defaultConfiguration: { level: "note" } }), "low", undefined],
    [
      "SARIF of Trivy",
      sarif({ message: { text: "Package: zlib\nInstalled Version: 1\nFixed Version: \nLink: x" } }),
      "medium",
      "",
    ],
  ])("%s", (_name, report, severity, fixedIn) => {
    const read = readReport(JSON.stringify(report));
    expect(read).toMatchObject({ ok: true, findings: [{ id: "CVE-1", severity }] });
    expect(read.ok && read.findings[0]?.fixedIn).toBe(fixedIn);
  });

  test.each([
    ["", "empty"],
    ['{"SchemaVersion": 2, "Results": [', "cut off"],
    ["[]", "no report"],
    ["{}", "no report"],
    ['{"error": "no database"}', "no report"],
    ['{"runs": []}', "no run"],
    [JSON.stringify(sarif({}, {}, { invocations: [{ executionSuccessful: false }] })), "did not succeed"],
  ])("%s is none", (text, why) => {
    expect(readReport(text)).toEqual({ ok: false, problem: expect.stringContaining(why) });
  });

  test("a clean report is one with no findings, and suppressed results do not count", () => {
    expect(readReport('{"SchemaVersion": 2, "Results": null}')).toMatchObject({ ok: true, findings: [] });
    expect(readReport(JSON.stringify(sarif({ suppressions: [{ kind: "external" }] })))).toMatchObject({
      findings: [],
    });
    expect(readReport(JSON.stringify(sarif({ suppressions: [{ status: "rejected" }] })))).toMatchObject({
      findings: [{}],
    });
  });

  test("threshold, fixes and exceptions", () => {
    const findings = [
      { id: "CVE-1", severity: "critical", where: "", fixedIn: "2" },
      { id: "CVE-2", severity: "critical", where: "", fixedIn: "" },
      { id: "CVE-3", severity: "high", where: "", fixedIn: undefined },
    ] as const;
    const blocking = (gates: Partial<GateInputs>, ignored: readonly string[] = []) =>
      weigh(
        findings,
        { failOn: "critical", ignoreUnfixed: false, ...gates },
        ignored.map((id) => ({ id })),
      ).blocking.map(({ id }) => id);
    expect(blocking({})).toEqual(["CVE-1", "CVE-2"]);
    expect(blocking({ failOn: "low" })).toEqual(["CVE-1", "CVE-2", "CVE-3"]);
    expect(blocking({ ignoreUnfixed: true, failOn: "high" })).toEqual(["CVE-1", "CVE-3"]);
    expect(blocking({}, ["cve-1"])).toEqual(["CVE-2"]);
    expect(blocking({ failOn: "none" })).toEqual([]);
  });
});

describe("exceptions", () => {
  const today = new Date("2026-03-31T23:59:00Z");
  const read = (text: string) => {
    const path = join(temporaryFolder(), "ignore.yml");
    writeFileSync(path, text);
    return failureOf(() => readIgnoreFile(path, today));
  };
  const entry = (expires: string) => `- id: CVE-1\n  reason: not reachable\n  expires: ${expires}\n`;

  test("hold until the end of their last day", async () => {
    expect(await read(entry("2026-03-31"))).toBe("");
    expect(await read(entry("2026-03-30"))).toMatch(/^FINDINGS: .*CVE-1 \(until 2026-03-30\)/);
  });

  test.each([
    ["- id: CVE-1\n  expires: 2027-01-01\n", "CVE-1 has no `reason`"],
    ["- id: CVE-1\n  reason: x\n", "CVE-1 has no `expires`"],
    ["- reason: x\n  expires: 2027-01-01\n", "entry 1 has no `id`"],
    [entry("2026-02-30"), "which is no day"],
    [entry("never"), "which is no day"],
    ["id: CVE-1\n", "no YAML list"],
    ["- [", "no YAML list"],
  ])("%j is refused", async (text, why) => {
    const verdict = await read(text);
    expect(verdict).toContain("BAD_INPUT");
    expect(verdict).toContain(why);
  });

  test("an empty list is none", async () => expect(await read("# nothing yet\n")).toBe(""));
});

describe("a scanner's command", () => {
  async function judge(script: string, gates: Partial<GateInputs> = {}, before = ""): Promise<string> {
    const cwd = temporaryFolder();
    const report = join(cwd, "report.json");
    if (before !== "") writeFileSync(report, before);
    const all: GateInputs = {
      maxSize: undefined,
      maxGrowth: undefined,
      scanSecrets: true,
      vulnerabilityReport: report,
      vulnerabilityCommand: ["sh", "-c", script, "{image}"],
      failOn: "critical",
      ignoreUnfixed: false,
      ignoreFile: "",
      ...gates,
    };
    const ports = {
      log: new RecordingLog(),
      clock: systemClock,
      signal: new AbortController().signal,
      env: { PATH: process.env["PATH"] },
      cwd,
      timeoutMs: 10_000,
    };
    return failureOf(() => judgeFindings(all, { ...ports, imageTar: async () => "/the/image.tar" }));
  }
  const clean = '{"SchemaVersion":2,"Results":[]}';
  const high =
    '{"SchemaVersion":2,"Results":[{"Vulnerabilities":[{"VulnerabilityID":"CVE-1","Severity":"HIGH"}]}]}';

  test.each([
    ["writes a clean report", `echo '${clean}' > report.json`, ""],
    ["gets the path of the image", `test "$0" = /the/image.tar && echo '${clean}' > report.json`, ""],
    ["found something below the threshold and says so", `echo '${high}' > report.json; exit 1`, ""],
    ["ends badly with a clean report", `echo '${clean}' > report.json; exit 2`, "SCANNER_FAILED"],
    ["writes nothing", "true", "SCANNER_FAILED"],
    ["writes half a report", `echo '{"Schema' > report.json`, "SCANNER_FAILED"],
  ])("that %s", async (_name, script, code) => {
    expect((await judge(script)).split(":")[0]).toBe(code);
  });

  test("that leaves the report of another run", async () => {
    expect(await judge("true", {}, clean)).toContain("left");
    expect(await judge(`echo '${clean}' > report.json`, {}, clean)).toBe("");
  });

  test("that prints its report", async () => {
    expect(await judge(`echo '${high}'`, { vulnerabilityReport: "", failOn: "high" })).toContain("FINDINGS");
    expect(await judge("echo no database >&2; exit 1", { vulnerabilityReport: "" })).toContain(
      "SCANNER_FAILED",
    );
  });

  test("that is not installed", async () => {
    expect(await judge("", { vulnerabilityCommand: ["no-such-scanner"] })).toContain("SCANNER_FAILED");
  });

  test("gets neither the inputs nor the runner's files nor a secret", () => {
    const env = {
      PATH: "/bin",
      INPUT_PASSWORD: "x",
      GITHUB_OUTPUT: "f",
      ACTIONS_RUNTIME_TOKEN: "t",
      MINE: "has the-secret",
      TRIVY_CACHE_DIR: "c",
    };
    expect(scannerEnv(env, ["the-secret"])).toEqual({ PATH: "/bin", TRIVY_CACHE_DIR: "c" });
  });
});

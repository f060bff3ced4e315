import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { systemClock } from "../../../lib/clock.ts";
import { Failure } from "../../../lib/errors.ts";
import { RecordingLog } from "../../../lib/log.ts";
import { isIgnored, parseIgnore } from "../src/gates/dockerignore.ts";
import { readReport } from "../src/gates/findings.ts";
import { readIgnoreFile } from "../src/gates/ignore-file.ts";
import { requireFiles } from "../src/gates/required-files.ts";
import { checkSize } from "../src/gates/size.ts";
import { judgeFindings, weigh } from "../src/gates/vulnerabilities.ts";
import type { GateInputs } from "../src/inputs-model.ts";
import { scannerEnv } from "../src/scanner.ts";
import { formatSize, parseMemory, parseSize } from "../src/sizes.ts";

const folder = () => mkdtempSync(join(tmpdir(), "goci-gates-"));

/** The failure that this work ends in, as `CODE: message`. */
async function failureOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return "";
  } catch (error) {
    return error instanceof Failure ? `${error.code}: ${error.message}` : String(error);
  }
}

describe("sizes", () => {
  test.each([
    ["50MB", 50_000_000],
    ["900KB", 900_000],
    ["900 kb", 900_000],
    ["1.5GiB", 1_610_612_736],
    ["64MiB", 67_108_864],
    ["1000", 1000],
    ["10m", 10_000_000],
    ["-1", undefined],
    ["ten", undefined],
    ["10TBit", undefined],
  ])("%s is %s bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each([
    ["64m", 67_108_864],
    ["1g", 1_073_741_824],
    ["1024", 1024],
    ["2mb", 2_097_152],
    ["1.5g", undefined],
  ])("%s of memory is %s bytes", (text, bytes) => expect(parseMemory(text)).toBe(bytes));

  test.each([
    [999, "999 B"],
    [1000, "1.0 kB"],
    [999_960, "1.0 MB"],
    [43_200_000, "43.2 MB"],
  ])("%s bytes are %s", (bytes, text) => expect(formatSize(bytes)).toBe(text));

  const base = { maxSize: undefined, maxGrowth: undefined, former: undefined, largest: [] };
  const former = { name: "acme/api:main", bytes: 1000 };
  test.each<[string, Partial<Parameters<typeof checkSize>[0]>, boolean]>([
    ["exactly at the budget", { bytes: 1000, maxSize: 1000 }, true],
    ["one byte over it", { bytes: 1001, maxSize: 1000 }, false],
    ["grown by exactly as much as is allowed", { bytes: 1100, maxGrowth: 10, former }, true],
    ["grown by a byte more", { bytes: 1101, maxGrowth: 10, former }, false],
    ["not allowed to grow, and as large as before", { bytes: 1000, maxGrowth: 0, former }, true],
    ["smaller", { bytes: 10, maxGrowth: 0, former }, true],
    ["nothing to compare with", { bytes: 9999, maxGrowth: 0 }, true],
  ])("%s", async (_name, check, fits) => {
    const verdict = await failureOf(() => checkSize({ ...base, bytes: 0, ...check }));
    expect(verdict.startsWith("TOO_LARGE")).toBe(!fits);
  });
});

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
    const path = join(folder(), "ignore.yml");
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
    const cwd = folder();
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

describe(".dockerignore", () => {
  test.each([
    ["node_modules", "node_modules/a/b.js", true],
    ["node_modules", "app/node_modules/a.js", false],
    ["**/node_modules", "app/node_modules/a.js", true],
    ["**/node_modules", "node_modules/a.js", true],
    ["*.md", "README.md", true],
    ["*.md", "docs/README.md", false],
    ["**/*.md", "docs/a/README.md", true],
    ["docs/**", "docs/a/b", true],
    ["dist/", "dist/app.js", true],
    ["/dist", "dist/app.js", true],
    ["./dist/../dist", "dist/app.js", true],
    ["*\n!dist", "dist/app.js", false],
    ["*\n!dist/app.js", "dist/app.js", false],
    ["*\n!dist\ndist/*.map", "dist/app.js.map", true],
    ["a?c", "abc", true],
    ["a[b-d]c", "acc", true],
    ["a[^b]c", "abc", false],
    ["# app.txt", "app.txt", false],
    ["a.txt", "aXtxt", false],
    ["\\#x", "#x", true],
  ])("%j and %s: kept out %s", (text, path, out) => {
    expect(isIgnored(path, parseIgnore(text))).toBe(out);
  });
});

describe("required files", () => {
  function context(files: Record<string, string>): { context: string; dockerfile: string } {
    const root = folder();
    for (const [name, text] of Object.entries({ Dockerfile: "FROM scratch\n", ...files })) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return { context: root, dockerfile: join(root, "Dockerfile") };
  }

  test.each<[string, Record<string, string>, string[], string]>([
    ["there", { "dist/app.js": "1" }, ["dist/*.js", "dist", "dist/app.js"], ""],
    ["missing", {}, ["dist/*.js"], "matches no file"],
    ["empty", { "dist/app.js": "" }, ["dist/app.js"], "is empty"],
    ["shut out", { "dist/app.js": "1", ".dockerignore": "dist" }, ["dist/*.js"], "shut out by .dockerignore"],
    [
      "shut out by the Dockerfile's own list",
      { a: "1", "Dockerfile.dockerignore": "a" },
      ["a"],
      "shut out by Dockerfile.dockerignore",
    ],
    [
      "let in by the Dockerfile's own list",
      { a: "1", ".dockerignore": "a", "Dockerfile.dockerignore": "b" },
      ["a"],
      "",
    ],
    ["partly shut out", { "d/a": "1", "d/b": "1", ".dockerignore": "d/a" }, ["d/*"], ""],
    ["an empty folder's", { "d/.keep/x": "1", ".dockerignore": "d/.keep" }, ["d"], "shut out"],
  ])("%s", async (_name, files, globs, why) => {
    const verdict = await failureOf(() => requireFiles(globs, context(files)));
    expect(verdict.startsWith("REQUIRED_FILE_MISSING")).toBe(why !== "");
    expect(verdict).toContain(why);
  });

  test("a link counts only when it stays in the context", async () => {
    const places = context({ "real.txt": "1" });
    symlinkSync("/etc/hostname", join(places.context, "outside"));
    symlinkSync("real.txt", join(places.context, "inside"));
    symlinkSync("nowhere", join(places.context, "dangling"));
    expect(await failureOf(() => requireFiles(["inside"], places))).toBe("");
    expect(await failureOf(() => requireFiles(["outside"], places))).toContain("leads nowhere");
    expect(await failureOf(() => requireFiles(["dangling"], places))).toContain("REQUIRED_FILE_MISSING");
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { annotationsOf } from "../src/annotations.ts";
import { matrixHash } from "../src/artifact-name.ts";
import { Freshness } from "../src/freshness.ts";
import { applyQuarantine, judgeQuarantine, parseQuarantine } from "../src/quarantine.ts";
import { testCase } from "../src/reports/test-report.ts";
import { isBlocking, judgeFindings, parseSarif } from "../src/sarif.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "goci-gates-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const failed = (name: string, known: object = {}) => testCase({ name, status: "failed", ...known });

describe("quarantine", () => {
  const FILE = `
- test: "cart > *"
  owner: team-cart
  reason: waits for the new stock service
  expires: 2026-03-31
- { test: price, owner: ann, reason: rounding, expires: 2026-01-01 }
`;
  const entries = parseQuarantine(FILE, "q.yml");

  test("tolerates the failures that it names until their day, that day included", () => {
    const tests = [
      failed("adds", { suite: "cart" }),
      failed("removes", { suite: "basket" }),
      failed("price"),
    ];
    const of = (today: string) => {
      const { counted, quarantined, expired } = applyQuarantine(tests, entries, today);
      return [counted.map((one) => one.name), quarantined.map((one) => one.name), expired.length];
    };
    expect(of("2026-01-01")).toEqual([["removes"], ["adds", "price"], 0]);
    expect(of("2026-01-02")).toEqual([["removes", "price"], ["adds"], 1]);
    expect(of("2026-04-01")).toEqual([["adds", "removes", "price"], [], 2]);
  });

  test("an expired entry fails, also when its test passes", () => {
    const { problems } = judgeQuarantine(entries, applyQuarantine([], entries, "2026-02-01").expired);
    expect(problems.map((problem) => [problem.code, problem.message])).toEqual([
      ["QUARANTINE_EXPIRED", "the quarantine of `price` (owner ann) expired on 2026-01-01"],
    ]);
  });

  test("brackets and question marks in names are plain text", () => {
    const [entry] = parseQuarantine(
      "- {test: 'a[1] is (x)?', owner: o, reason: r, expires: 2030-01-01}",
      "q",
    );
    const { quarantined } = applyQuarantine(
      [failed("a[1] is (x)?"), failed("a1 is x")],
      entry ? [entry] : [],
      "2026-01-01",
    );
    expect(quarantined.map((one) => one.name)).toEqual(["a[1] is (x)?"]);
  });

  test.each<[string, RegExp]>([
    ["test: x", /no list/],
    ["- test: x\n  owner: o\n  reason: r", /entry 1 .* has no `expires`/],
    ["- {test: x, owner: o, reason: r, expires: soon}", /expires on `soon`/],
    ["- [", /no YAML/],
  ])("%j is refused", (text, why) => expect(() => parseQuarantine(text, "q.yml")).toThrow(why));
});

describe("findings", () => {
  const sarif = (results: object[], rules: object[] = []) =>
    JSON.stringify({ version: "2.1.0", runs: [{ tool: { driver: { name: "scan", rules } }, results }] });

  test("level from the result, else from the rule, else warning", () => {
    const rules = [
      { id: "R", defaultConfiguration: { level: "error" }, properties: { "security-severity": "8.1" } },
    ];
    const found = parseSarif(
      sarif([{ ruleId: "R" }, { ruleId: "R", level: "note" }, { ruleIndex: 0 }, { ruleId: "other" }], rules),
    );
    expect(found.map(({ level, severity }) => [level, severity])).toEqual([
      ["error", 8.1],
      ["note", 8.1],
      ["error", 8.1],
      ["warning", undefined],
    ]);
  });

  test("suppressed results and those that are no failure are no findings", () => {
    const results = [
      { level: "error", suppressions: [{ kind: "inSource" }] },
      { level: "error", kind: "pass" },
      { level: "error", suppressions: [{ kind: "external", status: "rejected" }] },
      { level: "error", suppressions: [] },
    ];
    expect(parseSarif(sarif(results))).toHaveLength(2);
  });

  test.each([
    ["error", "error", undefined, true],
    ["error", "warning", undefined, false],
    ["note", "note", undefined, true],
    ["none", "error", 9, false],
    [7, "note", 7, true],
    [7, "warning", 6.9, false],
    [7, "error", undefined, true],
    [7, "warning", undefined, false],
  ] as const)("fail on %s: level %s, severity %s: %s", (failOn, level, severity, expected) => {
    const finding = { tool: "", rule: "", message: "", place: "", level, severity };
    expect(isBlocking(finding, failOn)).toBe(expected);
  });

  test("no file, and a file that is no SARIF, prove nothing", () => {
    writeFileSync(join(folder, "bad.sarif"), '{"runs": [');
    const inputs = { paths: ["*.sarif"], failOn: "error" } as const;
    for (const files of [[], ["bad.sarif"]]) {
      const { problems, gate } = judgeFindings(folder, files, inputs);
      expect([problems.map((problem) => problem.code), gate.verdict]).toEqual([
        ["REPORT_UNREADABLE"],
        "failed",
      ]);
    }
  });

  test("the first blocking finding is told with its place", () => {
    const location = { physicalLocation: { artifactLocation: { uri: "a.js" }, region: { startLine: 3 } } };
    writeFileSync(
      join(folder, "s"),
      sarif([{ ruleId: "R1", level: "error", message: { text: "bad\nmore" }, locations: [location] }]),
    );
    const { problems } = judgeFindings(folder, ["s"], { paths: ["s"], failOn: "error" });
    expect(problems[0]?.message).toBe("1 of 1 findings reach `error`: R1 a.js:3 bad");
  });
});

describe("annotations", () => {
  const tree = () => ({ workspace: folder, root: join(folder, "app"), goModule: "example.com/m" });

  beforeEach(() => {
    for (const path of ["app/src", "app/node_modules/x", "app/pkg"])
      mkdirSync(join(folder, path), { recursive: true });
    for (const path of ["app/src/a.test.js", "app/node_modules/x/i.js", "app/pkg/p_test.go"])
      writeFileSync(join(folder, path), "");
  });

  test.each<[number, number]>([
    [0, 0],
    [1, 1],
    [8, 8],
    [9, 9],
    [500, 9],
  ])("%i failed tests make %i errors", (count, shown) => {
    const list = annotationsOf(
      Array.from({ length: count }, (_, index) => failed(`t${index}`)),
      tree(),
    );
    expect(list).toHaveLength(shown);
    if (count > 8)
      expect(list.at(-1)?.title).toBe(`${count - 8} more failed ${count === 9 ? "test" : "tests"}`);
  });

  test("point at the first frame that lies in the project", () => {
    const detail = `Error: x
    at Object.run (node:internal/test:5:1)
    at helper (${join(folder, "app/node_modules/x/i.js")}:1:1)
    at Test.<anonymous> (file://${join(folder, "app/src/a.test.js")}:12:7)`;
    expect(annotationsOf([failed("a", { detail })], tree())).toEqual([
      expect.objectContaining({ file: "app/src/a.test.js", line: 12 }),
    ]);
  });

  test("Go's file names are relative to their package", () => {
    const one = failed("A", { suite: "example.com/m/pkg", file: "p_test.go", line: 4 });
    expect(annotationsOf([one], tree())).toEqual([
      expect.objectContaining({ file: "app/pkg/p_test.go", line: 4 }),
    ]);
  });

  test("a place outside of the workspace is no place", () => {
    const [only] = annotationsOf([failed("a", { file: "/etc/passwd", line: 1 })], tree());
    expect(only).not.toHaveProperty("file");
  });
});

describe("freshness", () => {
  test("a file that lay there is stale, also when it is from this very moment; a rewritten one is fresh", () => {
    for (const name of ["old.xml", "again.xml"]) writeFileSync(join(folder, name), "<a/>");
    const freshness = new Freshness(folder, ["old.xml", "again.xml"], Date.now());
    rmSync(join(folder, "again.xml"));
    writeFileSync(join(folder, "again.xml"), "<a/>");
    writeFileSync(join(folder, "new.xml"), "<a/>");
    expect(freshness.split(["again.xml", "new.xml", "old.xml"])).toEqual({
      fresh: ["again.xml", "new.xml"],
      stale: ["old.xml"],
    });
  });

  test("a new file whose time is from before the step is stale", () => {
    const freshness = new Freshness(folder, [], Date.now() + 60_000);
    writeFileSync(join(folder, "copied.xml"), "<a/>");
    expect(freshness.split(["copied.xml"]).stale).toEqual(["copied.xml"]);
  });
});

describe("the matrix hash", () => {
  test("tells matrices apart, whatever order their keys have", () => {
    expect(matrixHash('{"a":1,"b":{"x":1,"y":2}}')).toBe(matrixHash('{"b":{"y":2,"x":1},"a":1}'));
    expect(matrixHash('{"node":20}')).not.toBe(matrixHash('{"node":22}'));
    for (const none of ["null", "{}"]) expect(matrixHash(none)).toBe(matrixHash(""));
    expect(matrixHash("")).toMatch(/^[0-9a-f]{8}$/);
  });
});

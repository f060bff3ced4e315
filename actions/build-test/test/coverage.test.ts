import { describe, expect, test } from "@jest/globals";
import { parseCobertura } from "../src/coverage/cobertura.ts";
import {
  branchShare,
  type Coverage,
  lineShare,
  mergeCoverage,
  percentOf,
  showPercent,
} from "../src/coverage/coverage.ts";
import { type CoverageFormat, parseCoverage, tellCoverageFormat } from "../src/coverage/formats.ts";
import { judgeCoverage } from "../src/coverage/gates.ts";
import type { CoverageInputs } from "../src/inputs.ts";

const LCOV = "TN:\nSF:src/a.js\nDA:1,1\nDA:2,0\nDA:3,4\nDA:4,0\nBRDA:1,0,0,1\nBRDA:1,0,1,-\nend_of_record\n";
const GO = "mode: set\nexample.com/p/a.go:3.24,5.2 2 1\nexample.com/p/a.go:7.2,9.3 3 0\n";
const COBERTURA = `<?xml version="1.0"?><!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage branch-rate="0.9"><sources><source>/repo/src</source></sources><packages><package><classes>
<class filename="a.py"><methods><method name="m"><lines><line number="1" hits="1"/></lines></method></methods>
<lines><line number="1" hits="1"/><line number="2" hits="0" branch="true" condition-coverage="50% (1/2)"/></lines></class>
</classes></package></packages></coverage>`;
const ISTANBUL = JSON.stringify({
  "/repo/a.js": {
    path: "/repo/a.js",
    statementMap: { 0: { start: { line: 1 } }, 1: { start: { line: 1 } }, 2: { start: { line: 5 } } },
    s: { 0: 0, 1: 3, 2: 0 },
    branchMap: { 0: { loc: { start: { line: 5 } } } },
    b: { 0: [1, 0, 0] },
  },
});

function parse(format: CoverageFormat, text: string): Coverage {
  return format === "cobertura" ? parseCobertura(text) : parseCoverage(format, text);
}

function shares(coverage: Coverage): unknown[] {
  return [...coverage].map(([name, file]) => [name, lineShare(file), branchShare(file)]);
}

describe("coverage formats", () => {
  test.each([
    ["lcov", LCOV, "src/a.js", 2, 4, 1, 2],
    ["go-cover", GO, "example.com/p/a.go", 2, 5, 0, 0],
    ["cobertura", COBERTURA, "/repo/src/a.py", 1, 2, 1, 2],
    ["istanbul", ISTANBUL, "/repo/a.js", 1, 2, 1, 3],
  ] as const)("%s", (format, text, file, covered, total, branches, allBranches) => {
    expect(tellCoverageFormat(text)).toBe(format);
    expect(shares(parse(format, text))).toEqual([
      [file, { covered, total }, { covered: branches, total: allBranches }],
    ]);
  });

  test.each([
    ["lcov", "SF:a.js\nDA:1,1\n", /ends inside/],
    ["lcov", "SF:a.js\nDA:1\nend_of_record\n", /damaged/],
    ["go-cover", "mode: set\na.go:1.1,2.2 1 1", /cut off/],
    ["go-cover", "mode: set\na.go:1.1,2.2\n", /damaged/],
    ["cobertura", "<coverage><packages>", /unclosed/],
    ["istanbul", '{"a.js":{"path":"a.js"', /complete JSON/],
  ] as const)("%s that is damaged is refused: %s", (format, text, why) => {
    expect(() => parse(format, text)).toThrow(why);
  });

  test("files merge by the larger hit count of each line", () => {
    const merged: Coverage = new Map();
    mergeCoverage(merged, parseCoverage("lcov", "SF:a\nDA:1,0\nDA:2,5\nend_of_record\n"));
    mergeCoverage(merged, parseCoverage("lcov", "SF:a\nDA:1,2\nDA:2,1\nDA:3,0\nend_of_record\n"));
    expect(shares(merged)).toEqual([["a", { covered: 2, total: 3 }, { covered: 0, total: 0 }]]);
    expect(merged.get("a")?.lines.get("2")?.hits).toBe(5);
  });

  test("the same Go block of two packages counts once", () => {
    const text = "mode: count\np/a.go:1.1,2.2 4 0\np/a.go:1.1,2.2 4 7\n";
    expect(shares(parseCoverage("go-cover", text))).toEqual([
      ["p/a.go", { covered: 4, total: 4 }, { covered: 0, total: 0 }],
    ]);
  });
});

describe("percent", () => {
  test.each([
    [79.9999, "79.99"],
    [80, "80.00"],
    [undefined, ""],
    [57.03, "57.03"],
  ])("%s reads as %s", (value, text) => expect(showPercent(value)).toBe(text));

  test("nothing to cover is no percent", () => expect(percentOf({ covered: 0, total: 0 })).toBeUndefined());
});

describe("coverage gates", () => {
  const inputs = (known: Partial<CoverageInputs>): CoverageInputs => ({
    paths: undefined,
    minLine: 80,
    minBranch: 0,
    minFile: 0,
    exclude: [],
    ...known,
  });
  const lines = (covered: number, total: number) =>
    parseCoverage(
      "lcov",
      `SF:a\n${Array.from({ length: total }, (_, i) => `DA:${i + 1},${i < covered ? 1 : 0}`).join("\n")}\nend_of_record\n`,
    );

  test.each([
    [4, 5, "passed"],
    [7999, 10_000, "failed"],
  ])("%i of %i lines at 80 %% is %s", (covered, total, verdict) => {
    const result = judgeCoverage(lines(covered, total), true, inputs({}));
    expect(result.gates.map((gate) => gate.verdict)).toEqual([verdict]);
    expect(result.problems.map((problem) => problem.code)).toEqual(
      verdict === "failed" ? ["COVERAGE_LOW"] : [],
    );
  });

  test("no file and no `coverage-paths`: skipped with a notice", () => {
    const result = judgeCoverage(new Map(), false, inputs({}));
    expect([result.gates[0]?.verdict, result.problems.length]).toEqual(["skipped", 0]);
    expect(result.notice).toContain("coverage-line: skipped");
  });

  test("no file though `coverage-paths` names one: COVERAGE_LOW", () => {
    const result = judgeCoverage(new Map(), false, inputs({ paths: ["lcov.info"] }));
    expect(result.problems.map((problem) => problem.code)).toEqual(["COVERAGE_LOW"]);
  });

  test("0 switches a gate off", () => {
    expect(judgeCoverage(lines(0, 5), true, inputs({ minLine: 0, paths: ["x"] })).gates).toEqual([]);
  });

  test("a branch gate without branches cannot be proven", () => {
    const result = judgeCoverage(lines(5, 5), true, inputs({ minBranch: 50 }));
    expect(result.problems.map((problem) => problem.message)).toEqual([
      "the branch coverage is unknown: the coverage files do not tell it; at least 50 % is wanted",
    ]);
  });

  test("the file gate names the worst file", () => {
    const coverage = lines(5, 5);
    mergeCoverage(coverage, parseCoverage("lcov", "SF:bad.js\nDA:1,0\nDA:2,1\nend_of_record\n"));
    const [problem] = judgeCoverage(coverage, true, inputs({ minFile: 60 })).problems;
    expect(problem?.message).toBe("the file coverage is 50.00 % (bad.js), at least 60 % is wanted");
  });
});

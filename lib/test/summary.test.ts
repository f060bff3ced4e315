import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Failure } from "../errors.ts";
import {
  codeBlock,
  escapeMarkdown,
  evidenceBlock,
  fitBytes,
  stripAnsi,
  table,
  writeSummary,
} from "../summary.ts";

describe("escapeMarkdown", () => {
  test.each([
    ["<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"],
    ["a|b", "a&#124;b"],
    ["[x](javascript:y)", "&#91;x&#93;(javascript:y)"],
    ["@octocat", "&#64;octocat"],
    ["a\r\nb\nc", "a b c"],
    ["`code` *b* _i_ ~s~", "&#96;code&#96; &#42;b&#42; &#95;i&#95; &#126;s&#126;"],
    ["&lt;", "&amp;lt;"],
    ["\u001b[31mred\u001b[0m", "red"],
    ["a\u202eb", "ab"],
  ])("%j", (text, expected) => {
    expect(escapeMarkdown(text)).toBe(expected);
  });
});

test.each([
  ["colours", "\u001b[1;31mx\u001b[0m", "x"],
  ["a link", "\u001b]8;;http://h\u0007x\u001b]8;;\u0007", "x"],
  ["a title ended by ST", "\u001b]0;t\u001b\\x", "x"],
  ["cursor moves", "a\u001b[2Kb\u001b[1A", "ab"],
  ["a bell and a backspace", "a\u0007\u0008b", "ab"],
  ["C1 controls", "a\u009b31mb", "a31mb"],
  ["tabs and newlines stay", "a\tb\nc", "a\tb\nc"],
])("stripAnsi: %s", (_name, text, expected) => {
  expect(stripAnsi(text)).toBe(expected);
});

describe("codeBlock", () => {
  test("its fence is longer than any inside", () => {
    expect(codeBlock("a ```` b", "sh")).toBe("`````sh\na ```` b\n`````\n");
  });

  test("no text ends its block early", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("`", "``", "```", "\n", "x", " ")), (parts) => {
        const lines = codeBlock(parts.join("")).trimEnd().split("\n");
        const fence = lines[0] ?? "";
        expect(lines.slice(1, -1).some((line) => line.trim().startsWith(fence))).toBe(false);
        expect(lines.at(-1)).toBe(fence);
      }),
    );
  });
});

test("table writes head, rule and rows", () => {
  expect(table(["a", "b"], [["1", "2"]])).toBe("| a | b |\n| --- | --- |\n| 1 | 2 |\n");
});

describe("fitBytes", () => {
  test("leaves what fits alone", () => {
    expect(fitBytes("ä".repeat(10), 20)).toBe("ä".repeat(10));
  });

  test("cuts at a line end, closes an open block, and says so", () => {
    const text = `# head\n\n${codeBlock("```\nline\n".repeat(100))}`;
    const cut = fitBytes(text, 400);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(400);
    expect(cut).toMatch(/\n````\n\n\n_The rest was left out/);
  });

  test("never exceeds the limit and leaves no block open", () => {
    const line = fc.constantFrom("```", "````", "`````x", "text", "ä ö ü €", "");
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 30, maxLength: 200 }),
        fc.integer({ min: 80, max: 600 }),
        (lines, limit) => {
          const cut = fitBytes(`${lines.join("\n")}\n`, limit);
          expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(limit);
          if (!cut.includes("_The rest was left out")) return;
          let open = "";
          for (const each of cut.split("\n")) {
            const run = /^`{3,}/.exec(each)?.[0] ?? "";
            if (open === "") open = run;
            else if (run.length >= open.length && each === run) open = "";
          }
          expect(open).toBe("");
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("writeSummary", () => {
  test("appends, and a summary that cannot be written is no error", () => {
    const folder = mkdtempSync(join(tmpdir(), "goci-summary-"));
    try {
      const file = join(folder, "summary");
      writeFileSync(file, "before\n");
      writeSummary("after", file);
      writeSummary("", file);
      expect(readFileSync(file, "utf8")).toBe("before\nafter\n");
      writeSummary("x", join(folder, "missing", "summary"));
      writeSummary("x", undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("the evidence of a failure is a block; other errors and failures without any leave nothing", () => {
  const failure = (evidence: string[]) => new Failure("it failed", { code: "X", evidence });
  expect(evidenceBlock(failure(["exit code 1", "last words"]))).toBe("\n```\nexit code 1\nlast words\n```\n");
  expect(evidenceBlock(failure([]))).toBe("");
  expect(evidenceBlock(new Error("a defect"))).toBe("");
});

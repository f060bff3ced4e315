import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseKeyValues } from "../key-values.ts";

function pairs(text: string): [string, string][] | string {
  const parsed = parseKeyValues(text);
  return parsed.ok ? [...parsed.pairs] : parsed.problem;
}

describe("parseKeyValues", () => {
  test.each<[string, string, [string, string][]]>([
    ["nothing", "", []],
    ["only blank lines and comments", "\n  \n# A=1\n", []],
    ["the first = splits, the rest stays", "A=b=c==", [["A", "b=c=="]]],
    [
      "quotes stay",
      `A="b"\nB='c'`,
      [
        ["A", '"b"'],
        ["B", "'c'"],
      ],
    ],
    ["# inside a value is no comment", "A=b # c", [["A", "b # c"]]],
    ["white space around the name goes, in the value it stays", "  A = b ", [["A", " b "]]],
    ["an empty value", "A=", [["A", ""]]],
    [
      "lines of Windows",
      "A=1\r\nB=2\r\n",
      [
        ["A", "1"],
        ["B", "2"],
      ],
    ],
    ["a colon before the = belongs to the name", "a:b=c", [["a:b", "c"]]],
    [
      "YAML",
      "A: b\nB: 1.10\nC: no\n",
      [
        ["A", "b"],
        ["B", "1.10"],
        ["C", "no"],
      ],
    ],
    ["YAML with an = in a value", "A: b=c", [["A", "b=c"]]],
    [
      "YAML with an empty value",
      "A:\nB: x",
      [
        ["A", ""],
        ["B", "x"],
      ],
    ],
    ["YAML with a block", "A: |\n  one\n  two\n", [["A", "one\ntwo\n"]]],
    [
      "JSON",
      '{"A": "b", "B": 1.10, "C": true}',
      [
        ["A", "b"],
        ["B", "1.10"],
        ["C", "true"],
      ],
    ],
    [
      "names that look like numbers keep their order",
      '{"b": "1", "2": "x", "1": "y"}',
      [
        ["b", "1"],
        ["2", "x"],
        ["1", "y"],
      ],
    ],
    ["a name that objects have by birth", "__proto__: x", [["__proto__", "x"]]],
  ])("%s", (_name, text, expected) => {
    expect(pairs(text)).toEqual(expected);
  });

  test.each([
    ["a line without =", "A=1\n\n# c\nsecret-text", "line 4 is not `KEY=value`"],
    ["no name", "=x", "line 1 is not `KEY=value`"],
    ["a name twice", "A=1\nB=2\nA=3", "line 3 gives a name a second time"],
    ["a list", "{a: [1]}", "value 1 is not plain text"],
    ["a nested map", "a:\n  b: c", "value 1 is not plain text"],
    ["broken JSON", '{"a": ', "neither"],
    ["a name twice in YAML", "a: 1\na: 2", "neither"],
    ["a map as a name", "{ {a: b}: c }", "not plain text"],
  ])("refuses %s", (_name, text, problem) => {
    expect(pairs(text)).toContain(problem);
  });

  test("a problem never shows a value", () => {
    for (const text of [
      "hunter2-hunter2",
      "A=1\nhunter2-hunter2",
      "{hunter2-hunter2: {a: b}, x",
      "=hunter2-hunter2",
    ]) {
      expect(pairs(text)).not.toContain("hunter2-hunter2");
    }
  });

  test("every map of plain texts survives being written as lines", () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
    const value = fc.string({ unit: "grapheme" }).filter((text) => !/[\r\n]/.test(text));
    fc.assert(
      fc.property(fc.dictionary(name, value), (map) => {
        const lines = Object.entries(map).map(([key, text]) => `${key}=${text}`);
        expect(pairs(lines.join("\n"))).toEqual(Object.entries(map));
      }),
    );
  });

  test("any text is read or refused, never thrown at", () => {
    fc.assert(
      fc.property(fc.string(), (text) => void parseKeyValues(text)),
      { numRuns: 500 },
    );
  });
});

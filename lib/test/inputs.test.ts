import { describe, expect, test } from "@jest/globals";
import { UserError } from "../errors.ts";
import { InputReader } from "../inputs.ts";
import { Mask } from "../mask.ts";

function reader(inputs: Record<string, string> = {}, told: string[] = []): InputReader {
  const env = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase().replace(/ /g, "_")}`, value]),
  );
  return new InputReader(env, new Mask((secret) => told.push(secret)));
}

function problems(read: InputReader): readonly string[] {
  try {
    read.finish();
    return [];
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  }
}

/** What a reader makes of one input `x` and whether it complains. */
function one<T>(value: string, use: (read: InputReader) => T): { value: T; problems: readonly string[] } {
  const read = reader({ x: value });
  return { value: use(read), problems: problems(read) };
}

describe("booleans", () => {
  test.each([
    ["true", true],
    ["FALSE", false],
    [" True ", true],
    ["", true],
    ["  ", true],
  ])("%j is %p, nothing to complain about", (text, expected) => {
    expect(one(text, (read) => read.bool("x", true))).toEqual({ value: expected, problems: [] });
  });

  test.each(["yes", "1", "on", "truefalse"])("%j is refused", (text) => {
    expect(one(text, (read) => read.bool("x", false)).problems).toEqual([
      `\`x\` is \`${text}\`: allowed is \`true\` or \`false\``,
    ]);
  });
});

describe("numbers", () => {
  test.each(["5", " 5 ", "005", "5.0"])("%j is 5", (text) => {
    expect(one(text, (read) => read.integer("x", 1, { min: 1, max: 9 }))).toEqual({ value: 5, problems: [] });
  });

  test.each(["1e1", "0x5", "+5", "5.5", "10", "0", "-5", "five", "Infinity", "NaN", "5,0", "9".repeat(400)])(
    "%j is no whole number from 1 to 9",
    (text) => {
      const result = one(text, (read) => read.integer("x", 1, { min: 1, max: 9 }));
      expect(result.value).toBe(1);
      expect(result.problems).toHaveLength(1);
      expect(result.problems[0]).toContain("allowed is a whole number from 1 to 9");
    },
  );

  test("one that may be left out is undefined then", () => {
    expect(one("", (read) => read.optionalNumber("x"))).toEqual({ value: undefined, problems: [] });
    expect(one("0.5", (read) => read.optionalNumber("x")).value).toBe(0.5);
    expect(one("-1", (read) => read.optionalNumber("x", { min: 0 })).problems).toEqual([
      "`x` is `-1`: allowed is a number of at least 0",
    ]);
  });
});

describe("durations", () => {
  test("bare numbers are in the unit of the row", () => {
    expect(one("2", (read) => read.duration("x", "10m", "m")).value).toBe(120_000);
    expect(one("", (read) => read.duration("x", "10m", "s")).value).toBe(600_000);
  });

  test("out of range says the range in the notation of inputs", () => {
    const result = one("100ms", (read) => read.duration("x", "2s", "s", { min: 1000, max: 3_600_000 }));
    expect(result.problems).toEqual(["`x` is `100ms`: allowed is a duration from 1s to 1h"]);
  });

  test("longer than a timer can wait is refused: it would end at once", () => {
    expect(one("600h", (read) => read.duration("x", "2s", "s")).problems).toEqual([
      "`x` is `600h`: allowed is a duration of at most 576h",
    ]);
    expect(one(`${"9".repeat(400)}h`, (read) => read.duration("x", "2s", "s")).problems).toHaveLength(1);
  });

  test("one that may be left out is undefined then, and 0 when it is 0", () => {
    expect(one(" ", (read) => read.optionalDuration("x", "s"))).toEqual({ value: undefined, problems: [] });
    expect(one("0", (read) => read.optionalDuration("x", "s")).value).toBe(0);
    expect(one("soon", (read) => read.optionalDuration("x", "s")).problems).toHaveLength(1);
  });
});

describe("texts, lists and choices", () => {
  test("a choice is taken by its exact word", () => {
    expect(one("b", (read) => read.enumeration("x", ["a", "b"], "a"))).toEqual({ value: "b", problems: [] });
    expect(one("B", (read) => read.enumeration("x", ["a", "b"], "a")).problems).toEqual([
      "`x` is `B`: allowed is `a`, `b`",
    ]);
  });

  test("a list is a line an item; commas split where the row says so", () => {
    expect(one("a, b\r\n\n c ", (read) => read.list("x")).value).toEqual(["a, b", "c"]);
    expect(one("a, b\n,c", (read) => read.list("x", { commas: true })).value).toEqual(["a", "b", "c"]);
    expect(one("", (read) => read.list("x", { fallback: ["d"] })).value).toEqual(["d"]);
    expect(one(" , ", (read) => read.list("x", { commas: true, required: true })).problems).toEqual([
      "`x` is required",
    ]);
  });

  test("what is kept as written keeps its white space", () => {
    expect(one(" a\n ", (read) => read.verbatim("x")).value).toBe(" a\n ");
    expect(one(" a\n ", (read) => read.text("x")).value).toBe("a");
  });
});

describe("problems", () => {
  test("all of them come in one error", () => {
    const read = reader({ a: "maybe", b: "x", c: "soon", d: "red", e: "no-equals" });
    read.bool("a", false);
    read.integer("b", 1);
    read.duration("c", "1s", "s");
    read.enumeration("d", ["blue"], "blue");
    read.map("e");
    read.text("f", "", { required: true });
    read.secret("g", { required: true });
    expect(problems(read)).toHaveLength(7);
  });

  test("a value of several lines stays on one, a long one is only counted", () => {
    expect(one("a\nb", (read) => read.bool("x", false)).problems[0]).toContain("`a\\nb`");
    expect(one("s".repeat(2000), (read) => read.bool("x", false)).problems[0]).toBe(
      "`x` is a text of 2000 characters: allowed is `true` or `false`",
    );
  });

  test("a value that is not carried out yet is refused", () => {
    const read = reader();
    read.refuse("mode", "sweep", "use `run`");
    expect(problems(read)).toEqual([
      "`mode` is `sweep`: this version does not carry that out yet; use `run`",
    ]);
  });
});

describe("secrets", () => {
  test("are masked as they are read, line by line", () => {
    const told: string[] = [];
    const read = reader({ key: "first-line\nsecond-line\n" }, told);
    expect(read.secret("key")).toBe("first-line\nsecond-line\n");
    expect(told).toEqual(expect.arrayContaining(["first-line", "second-line"]));
  });

  test("in a map are masked, but not its ports and switches", () => {
    const told: string[] = [];
    const read = reader({ env: "PASSWORD=hunter22\nPORT=8000\nDEBUG=false\n" }, told);
    read.map("env", { secret: true });
    expect(told).toContain("hunter22");
    expect(told).not.toContain("8000");
    expect(told).not.toContain("false");
  });
});

test("remembers each input once, with the default as action.yml writes it", () => {
  const read = reader();
  read.text("name", "shop");
  read.bool("flag", true);
  read.bool("flag", true);
  read.duration("wait", "2s", "s");
  read.optionalDuration("late", "s");
  read.list("items", { fallback: ["a", "b"] });
  expect(read.uses).toEqual([
    { name: "name", fallback: "shop" },
    { name: "flag", fallback: "true" },
    { name: "wait", fallback: "2s" },
    { name: "late", fallback: "" },
    { name: "items", fallback: "a\nb" },
  ]);
});

test("names with spaces are read as the runner writes them", () => {
  expect(reader({ "my input": "x" }).text("my input")).toBe("x");
});

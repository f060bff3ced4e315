import { describe, expect, test } from "@jest/globals";
import { toCtrf } from "../src/reports/write-reports.ts";
import { read, statuses, tests } from "./read.ts";

describe("TAP", () => {
  test.each<[string, string, string[]]>([
    ["a flat run", "TAP version 13\n1..2\nok 1 - a\nnot ok 2 - b\n", ["a=passed", "b=failed"]],
    ["the plan at the end", "ok 1 a\nok 2\n1..2\n", ["a=passed", "(unnamed)=passed"]],
    [
      "skip and todo",
      "1..3\nok 1 - a # SKIP why\nnot ok 2 - b # TODO later\nnot ok 3 - c\n",
      ["a=skipped", "b=skipped", "c=failed"],
    ],
    [
      "subtests count as leaves",
      "TAP version 14\n# Subtest: outer\n    ok 1 - x\n    not ok 2 - y\n    1..2\nnot ok 1 - outer\n1..1\n",
      ["x=passed", "y=failed"],
    ],
    [
      "a parent that fails by itself counts",
      "TAP version 13\n# Subtest: outer\n    ok 1 - x\n    1..1\nnot ok 1 - outer\n1..1\n",
      ["x=passed", "outer=failed"],
    ],
    ["fewer tests than planned", "1..3\nok 1 - a\nok 2 - b\n", ["a=passed", "b=passed", "(plan)=failed"]],
    ["more tests than planned", "1..1\nok 1 - a\nok 2 - b\n", ["a=passed", "b=passed", "(plan)=failed"]],
    [
      "a subtest's plan counts too",
      "# Subtest: o\n    ok 1 - x\n    1..2\nok 1 - o\n1..1\n",
      ["x=passed", "(plan)=failed"],
    ],
    ["a bail out", "1..2\nok 1 - a\nBail out! no disk\n", ["a=passed", "(plan)=failed", "Bail out!=failed"]],
    ["noise between", "> npm test\nTAP version 13\nhello\nok 1 - a\n1..1\n# tests 1\n", ["a=passed"]],
    ["lines in details are no results", "1..1\nok 1 - a\n  ---\n  not ok 5 - inside\n  ...\n", ["a=passed"]],
  ])("%s", async (_name, text, expected) => {
    expect(await statuses(text)).toEqual(expected);
  });

  test("node's details give time, place and message", async () => {
    const text = `TAP version 13
not ok 1 - a
  ---
  duration_ms: 1.5
  location: '/src/a.test.js:3:1'
  error: 'wrong'
  ...
1..1
`;
    expect(await tests(text)).toEqual([
      expect.objectContaining({
        ms: 1.5,
        file: "/src/a.test.js",
        line: 3,
        message: "wrong",
        status: "failed",
      }),
    ]);
  });

  test.each<[string, string]>([
    ["a run without a plan", "TAP version 13\nok 1 - a\n"],
    ["a run cut in a subtest", "TAP version 13\n# Subtest: o\n    ok 1 - x\n"],
    ["a run cut in details", "1..1\nok 1 - a\n  ---\n  x: 1\n"],
  ])("refuses %s", async (_name, text) => {
    await expect(read(text)).rejects.toThrow();
  });
});

describe("CTRF", () => {
  const document = (list: object[], summary: object) =>
    JSON.stringify({ results: { tool: { name: "t" }, summary, tests: list } });

  test("statuses that are not known to be good are failures", async () => {
    const list = ["passed", "failed", "skipped", "pending", "other"].map((status) => ({
      name: status,
      status,
      duration: 1,
    }));
    expect(await statuses(document(list, { tests: 5, failed: 1 }))).toEqual([
      "passed=passed",
      "failed=failed",
      "skipped=skipped",
      "pending=skipped",
      "other=failed",
    ]);
  });

  test("a summary that counts more than is listed is refused", async () => {
    const list = [{ name: "a", status: "passed", duration: 1 }];
    await expect(read(document(list, { tests: 1, failed: 1 }))).rejects.toThrow(/counts 1 failed/);
    await expect(read(document(list, { tests: 2, failed: 0 }))).rejects.toThrow(/counts 2 tests/);
  });

  test("what it writes, it reads again", async () => {
    const list = await tests(
      '<testsuite name="s"><testcase name="a" time="0.004"/><testcase name="b" file="x.js" line="3"><failure message="m">d</failure></testcase></testsuite>',
    );
    const again = await tests(toCtrf(list, 5));
    expect(again).toEqual(list);
  });

  test("JSON of another kind is not a report", async () => {
    expect(await read('{"name":"x"}')).toBeUndefined();
  });
});

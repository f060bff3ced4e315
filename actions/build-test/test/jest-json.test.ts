import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { expectWellFormed, newJob } from "./job.ts";
import { read, statuses, tests } from "./read.ts";

const document = (known: object, ...files: object[]) =>
  JSON.stringify({ numTotalTests: 0, numFailedTests: 0, success: true, testResults: files, ...known });
const file = (status: string, ...assertionResults: object[]) => ({
  name: "/w/a.test.js",
  status,
  message: "it broke",
  assertionResults,
});
const one = (title: string, status: string, more: object = {}) => ({
  title,
  status,
  ancestorTitles: ["s"],
  failureMessages: [],
  ...more,
});

describe("JSON of jest and vitest", () => {
  test("statuses, retries and places", async () => {
    const list = await tests(
      document(
        { numTotalTests: 4, numFailedTests: 1, success: false },
        file(
          "failed",
          one("a", "passed", { duration: 3, invocations: 2 }),
          one("b", "failed", {
            failureMessages: ["Error: wrong\n    at /w/a.test.js:3:1"],
            location: { line: 3 },
          }),
          one("c", "pending"),
          one("d", "todo"),
        ),
      ),
    );
    expect(
      list.map(({ suite, name, status, flaky, message, line }) => [
        suite,
        name,
        status,
        flaky,
        message,
        line,
      ]),
    ).toEqual([
      ["s", "a", "passed", true, "", 0],
      ["s", "b", "failed", false, "wrong", 3],
      ["s", "c", "skipped", false, "", 0],
      ["s", "d", "skipped", false, "", 0],
    ]);
  });

  test.each<[string, string, string[]]>([
    ["a file that could not be run", document({ success: false }, file("failed")), ["(file)=failed"]],
    [
      "a run that failed by itself",
      document({ success: false }, file("passed", one("a", "passed"))),
      ["a=passed", "(run)=failed"],
    ],
    ["a status that is not known", document({}, file("passed", one("a", "strange"))), ["a=failed"]],
  ])("%s is a failure", async (_name, text, expected) => expect(await statuses(text)).toEqual(expected));

  test.each<[string, object]>([
    ["more tests counted than listed", { numTotalTests: 2 }],
    ["more failures counted than listed", { numFailedTests: 1 }],
    ["an interrupted run", { wasInterrupted: true }],
  ])("%s is refused", async (_name, known) => {
    await expect(read(document(known, file("passed", one("a", "passed"))))).rejects.toThrow();
  });

  test("a real jest project needs no settings to be believed", async () => {
    const job = newJob({
      "package.json": '{"scripts":{"test":"jest"}}',
      "a.test.js":
        'test("adds", () => expect(1 + 1).toBe(Number(process.env.SUM ?? 2)));\ntest.skip("later", () => {});\n',
    });
    try {
      symlinkSync(
        fileURLToPath(new URL("../../../node_modules", import.meta.url)),
        join(job.workspace, "node_modules"),
      );
      const green = await job.main("build-test", { "install-command": "none" });
      expectWellFormed(green);
      expect(green.outputs).toMatchObject({
        outcome: "succeeded",
        "tests-passed": "1",
        "tests-skipped": "1",
      });
      const red = await job.main("build-test", { "install-command": "none" }, { env: { SUM: "3" } });
      expectWellFormed(red);
      expect(red.outputs["failure-code"]).toBe("TESTS_FAILED");
      expect(red.errors[0]?.properties).toMatchObject({ file: "a.test.js", line: "1" });
    } finally {
      job.dispose();
    }
  });
});

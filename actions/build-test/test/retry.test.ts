import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "@jest/globals";
import type { FakeRunner } from "../../../lib/testing/runner.ts";
import { testCase } from "../src/reports/test-report.ts";
import { goRetry, nodeTestRetry, retriable, runnerRetry, runsAllAtOnce } from "../src/retry-command.ts";
import { expectWellFormed, newJob } from "./job.ts";

let job: FakeRunner | undefined;

afterEach(() => {
  job?.dispose();
  job = undefined;
});

const failed = (suite: string, name: string) => testCase({ suite, name, status: "failed" });

describe("the command of a retry", () => {
  test("go: packages and top-level tests, the flags that matter kept", () => {
    const tests = [failed("m/a", "TestX/sub(1)"), failed("m/a", "TestX/two"), failed("m/b", "TestY")];
    expect(goRetry(["go", "test", "-json", "-race", "-coverprofile=c", "./..."], tests)?.argv).toEqual([
      "go",
      "test",
      "-json",
      "-count=1",
      "-race",
      "-run=^(TestX|TestY)$",
      "m/a",
      "m/b",
    ]);
    expect(goRetry(["go", "test", "-json", "-tags", "x", "./..."], tests)).toBeUndefined();
  });

  test("jest and vitest: full titles; node:test: names", () => {
    const tests = [failed("s > t", 'is "1+1"?')];
    expect(runnerRetry(["npm", "test", "--"], tests).argv).toEqual([
      "npm",
      "test",
      "--",
      "-t",
      '^(s t is "1\\+1"\\?)$',
    ]);
    expect(nodeTestRetry(["npm", "test"], tests).nodeOptions).toBe(
      '--test-name-pattern="is \\"1\\\\+1\\"\\\\?"',
    );
  });

  test("what has no name of a test is not run again", () => {
    const go = (name: string, detail: string) =>
      testCase({ suite: "m", name, status: "failed", detail: `=== RUN ${name}\n${detail}` });
    const tests = [
      failed("m", "(build)"),
      go("TestX", "    --- FAIL: TestX (0.00s)"),
      go("TestExit", "bye"),
      go("TestPanic", "--- FAIL: TestPanic (0.00s)\npanic: boom"),
    ];
    expect(retriable("go", tests)).toEqual([tests[1]]);
    expect(retriable("node-test", [failed("test", "a.test.mjs")])).toEqual([]);
    expect(
      retriable("runner", [failed("", "(file)"), failed("", "(a) in brackets")]).map((one) => one.name),
    ).toEqual(["(a) in brackets"]);
  });
});

/** Fails until it was run `times` times. */
const counting = (times: number) =>
  `const fs = require("node:fs"); const n = fs.existsSync("count") ? Number(fs.readFileSync("count")) : 0; fs.writeFileSync("count", String(n + 1)); if (n + 1 < ${times}) throw new Error("not yet " + n);`;

describe("a line that runs all its tests whatever fails", () => {
  test.each([
    ["node --test", true],
    ["jest --coverage", true],
    ["node --test a && node --test b", false],
    ["node --test a; true", false],
    ["jest --bail", false],
  ])("%s: %s", (line, expected) => {
    expect(runsAllAtOnce(line)).toBe(expected);
  });
});

describe("retries", () => {
  const NODE = (times: number) => ({
    "package.json": '{"scripts":{"test":"node --test"}}',
    "a.test.js": `const { test, describe } = require("node:test");
test("steady", () => { require("node:fs").appendFileSync("steady", "x"); });
describe("group", () => { test('shaky "one" (1+1)?', () => { ${counting(times)} }); });`,
  });

  test.each([
    [2, "1", "1", 0, ""],
    [2, "1", "0", 1, "FLAKY"],
    [3, "1", "1", 1, "TESTS_FAILED"],
    [3, "2", "1", 0, ""],
    [2, "0", "1", 1, "TESTS_FAILED"],
  ])(
    "node:test: passes at run %i, %s retries, budget %s: exit %i %s",
    async (times, retries, budget, exit, code) => {
      job = newJob(NODE(times));
      const step = await job.main("build-test", {
        "install-command": "none",
        retries,
        "flaky-budget": budget,
      });
      expectWellFormed(step);
      expect([step.exitCode, step.outputs["failure-code"]]).toEqual([exit, code]);
      if (code !== "TESTS_FAILED")
        expect(step.outputs).toMatchObject({ "tests-flaky": "1", "tests-passed": "2", "tests-failed": "0" });
    },
  );

  test("a run that crashes again beside its flaky test stays red", async () => {
    const files = NODE(2);
    job = newJob({
      ...files,
      "a.test.js": `${files["a.test.js"]}\nprocess.on("exit", () => { process.exitCode = 7; });`,
    });
    const step = await job.main("build-test", {
      "install-command": "none",
      retries: "1",
      "flaky-budget": "1",
    });
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["failure-code"]]).not.toEqual([0, ""]);
  });

  test("go: a subtest that fails once is flaky; the tests that passed are not run again", async () => {
    job = newJob({
      "go.mod": "module example.com/m\n\ngo 1.21\n",
      "m_test.go": `package m

import (
	"os"
	"testing"
)

func TestSteady(t *testing.T) {
	if _, err := os.Stat("shaken"); err == nil {
		t.Fatal("run again")
	}
}

func TestShaky(t *testing.T) {
	t.Run("sub", func(t *testing.T) {
		if _, err := os.Stat("shaken"); err != nil {
			os.WriteFile("shaken", nil, 0o644)
			t.Fatal("first time")
		}
	})
}
`,
    });
    const step = await job.main("build-test", {
      retries: "1",
      "flaky-budget": "1",
      "coverage-min-line": "0",
    });
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["tests-flaky"], step.outputs["tests-passed"]]).toEqual([0, "1", "2"]);
  });

  test("jest: by full title, while its coverage stays that of the whole run", async () => {
    job = newJob({
      "package.json": '{"scripts":{"test":"jest --coverage --coverageReporters=lcovonly"}}',
      "sum.js": "exports.sum = (a, b) => a + b;\nexports.difference = (a, b) => a - b;\n",
      "a.test.js": `const { sum, difference } = require("./sum.js");
describe("group", () => { test("shaky", () => { sum(1, 2); ${counting(2)} }); });
test("steady", () => expect(difference(2, 1)).toBe(1));`,
    });
    symlinkSync(
      fileURLToPath(new URL("../../../node_modules", import.meta.url)),
      join(job.workspace, "node_modules"),
    );
    const step = await job.main("build-test", {
      "install-command": "none",
      retries: "1",
      "flaky-budget": "1",
    });
    expectWellFormed(step);
    expect(step.outputs).toMatchObject({
      outcome: "succeeded",
      "tests-flaky": "1",
      "coverage-line": "100.00",
    });
  });
});

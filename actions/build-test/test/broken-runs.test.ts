import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "@jest/globals";
import type { FakeRunner } from "../../../lib/testing/runner.ts";
import { BARE, expectWellFormed, newJob } from "./job.ts";
import { SlackServer } from "./slack-server.ts";

let job: FakeRunner | undefined;

afterEach(() => {
  job?.dispose();
  job = undefined;
});

const GREEN = '<testsuites><testsuite name="s"><testcase name="a"/></testsuite></testsuites>';
const TESTS = { ...BARE, "test-command": "sh t.sh" };
const RETRIES = { retries: "1", "flaky-budget": "9", "coverage-min-line": "0", "install-command": "none" };

async function verdictOf(
  files: Readonly<Record<string, string>>,
  inputs: Record<string, string>,
): Promise<(string | number | null | undefined)[]> {
  job = newJob(files);
  const step = await job.main("build-test", inputs);
  expectWellFormed(step);
  return [step.exitCode, step.outputs["failure-code"]];
}

describe("a retry proves nothing of tests that never ran", () => {
  test("go: after a panic", async () => {
    const files = {
      "go.mod": "module example.com/m\n\ngo 1.20\n",
      "m_test.go": `package m
import ("os"; "testing")
func TestA(t *testing.T) { if _, err := os.Stat("seen"); err != nil { os.WriteFile("seen", nil, 0o644); panic("once") } }
func TestB(t *testing.T) { t.Fatal("broken") }
`,
    };
    expect(await verdictOf(files, RETRIES)).toEqual([1, "TESTS_FAILED"]);
  });

  test("node:test: after a file's process was killed", async () => {
    const files = {
      "package.json": '{"scripts":{"test":"node --test"}}',
      "a.test.js": `const { test } = require("node:test"); const fs = require("node:fs");
test("a", () => { if (!fs.existsSync("seen")) { fs.writeFileSync("seen", ""); process.kill(process.pid, "SIGKILL"); } });
test("b", () => { throw new Error("broken"); });`,
    };
    expect(await verdictOf(files, RETRIES)).toEqual([1, "TESTS_FAILED"]);
  });

  test("node:test: of a second run that the first one's failure kept from starting", async () => {
    const files = {
      "package.json": '{"scripts":{"test":"node --test a.test.js && node --test b.test.js"}}',
      "a.test.js": `const { test } = require("node:test"); const fs = require("node:fs");
test("a", () => { if (!fs.existsSync("seen")) { fs.writeFileSync("seen", ""); throw new Error("once"); } });`,
      "b.test.js": `require("node:test").test("b", () => { throw new Error("broken"); });`,
    };
    expect(await verdictOf(files, RETRIES)).toEqual([1, "TESTS_FAILED"]);
  });
});

test("a script that runs node:test twice is judged by both reports", async () => {
  const script = "node --test a.test.js; node --test b.test.js";
  job = newJob({
    "package.json": JSON.stringify({ scripts: { test: script } }),
    "a.test.js": `require("node:test").test("a", () => { throw new Error("broken"); });`,
    "b.test.js": `require("node:test").test("b", () => {});`,
  });
  const step = await job.main("build-test", { "install-command": "none", "coverage-min-line": "0" });
  expectWellFormed(step);
  expect([step.outputs["failure-code"], step.outputs["tests-total"]]).toEqual(["TESTS_FAILED", "2"]);
});

describe("an artifact", () => {
  const tests = { "t.sh": `echo '${GREEN}' > out.xml` };

  test("never holds a path above its folder", async () => {
    const files = { "dist/x": "1", "sub/t.sh": tests["t.sh"] };
    const inputs = { ...TESTS, "working-directory": "sub", "artifact-paths": "../dist" };
    expect(await verdictOf(files, inputs)).toEqual([1, "BAD_INPUT"]);
  });

  test("of nothing but a link that leads out is empty", async () => {
    job = newJob({ ...tests, a: "1" });
    symlinkSync(join(job.workspace, "a"), join(job.workspace, "current"));
    const step = await job.main("build-test", { ...TESTS, "artifact-paths": "current" });
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["failure-code"]]).toEqual([1, "ARTIFACT_EMPTY"]);
  });

  test("does not wait for a pipe, and does not search the whole machine", async () => {
    job = newJob(tests);
    execFileSync("mkfifo", [join(job.workspace, "pipe")]);
    const step = await job.main("build-test", { ...TESTS, "artifact-paths": "pipe\n/**/hostname" });
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["failure-code"]]).toEqual([1, "ARTIFACT_EMPTY"]);
    expect(step.durationMs).toBeLessThan(5000);
  });
});

describe("findings", () => {
  const sarif = (run: object) =>
    JSON.stringify({ version: "2.1.0", runs: [{ tool: { driver: { name: "x" } }, results: [], ...run }] });
  const files = { "t.sh": `echo '${GREEN}' > out.xml`, "a.sarif": sarif({}) };

  test("of a scanner that failed, and of one that left no file, are unknown", async () => {
    const failed = { ...files, "a.sarif": sarif({ invocations: [{ executionSuccessful: false }] }) };
    expect(await verdictOf(files, { ...TESTS, "sarif-paths": "a.sarif" })).toEqual([0, ""]);
    job?.dispose();
    expect(await verdictOf(failed, { ...TESTS, "sarif-paths": "a.sarif" })).toEqual([1, "REPORT_UNREADABLE"]);
    job?.dispose();
    expect(await verdictOf(files, { ...TESTS, "sarif-paths": "a.sarif\nb.sarif" })).toEqual([
      1,
      "REPORT_UNREADABLE",
    ]);
  });

  test("that are gone since the baseline do not count", async () => {
    const gone = sarif({ results: [{ ruleId: "R", level: "error", baselineState: "absent" }] });
    expect(await verdictOf({ ...files, "a.sarif": gone }, { ...TESTS, "sarif-paths": "a.sarif" })).toEqual([
      0,
      "",
    ]);
  });
});

test("Slack: a test's name mentions nobody, and a message that is lost leaves the verdict as it was", async () => {
  const server = new SlackServer([200]);
  const url = await server.start();
  const report = '<testsuite><testcase name="&lt;!channel&gt;"><failure/></testcase></testsuite>';
  const files = { "t.sh": `echo '${report}' > out.xml; exit 1` };
  const inputs = { ...TESTS, "slack-webhook-url": url, "slack-required": "true" };
  try {
    expect(await verdictOf(files, inputs)).toEqual([1, "TESTS_FAILED"]);
    expect(server.texts.join()).toContain("&lt;!channel&gt;");
    job?.dispose();
    expect(await verdictOf(files, { ...inputs, "slack-webhook-url": `${url}/404` })).toEqual([
      1,
      "TESTS_FAILED",
    ]);
  } finally {
    await server.stop();
  }
});

test("init files run in the order in which they are named", async () => {
  job = newJob({ "t.sh": `echo '${GREEN}' > out.xml` });
  mkdirSync(join(job.workspace, "sql"));
  writeFileSync(join(job.workspace, "sql/z-schema.sql"), "\ufeffCREATE TABLE t (a int);");
  writeFileSync(join(job.workspace, "sql/a-seed.sql"), "INSERT INTO t VALUES (1);");
  const inputs = { ...TESTS, database: "preinstalled", "database-init": "sql/z*.sql\nsql/*.sql" };
  const step = await job.main("build-test", inputs);
  await job.post("build-test", step, inputs);
  expectWellFormed(step);
  expect([step.exitCode, step.outputs["failure-reason"]]).toEqual([0, ""]);
});

test("a database that cannot be had for any reason is DATABASE_FAILED", async () => {
  const files = { "t.sh": "exit 0", tools: "a file where a folder should be" };
  job = newJob(files, { PATH: "/nowhere" });
  const env = { RUNNER_TOOL_CACHE: join(job.workspace, "tools") };
  const step = await job.main("build-test", { ...TESTS, database: "embedded" }, { env });
  expectWellFormed(step);
  expect([step.exitCode, step.outputs["failure-code"]]).toEqual([1, "DATABASE_FAILED"]);
});

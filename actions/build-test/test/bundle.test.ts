import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "@jest/globals";
import { ActArtifactServer } from "../../../lib/testing/act-artifact-server.ts";
import type { FakeRunner } from "../../../lib/testing/runner.ts";
import { BARE, expectWellFormed, newJob } from "./job.ts";

let job: FakeRunner | undefined;

afterEach(() => {
  job?.dispose();
  job = undefined;
});

const OLD_NODE = "/usr/bin/node";

describe("a Node project", () => {
  test("is installed, built, tested and kept; nothing that a test prints acts", async () => {
    job = newJob("node-project");
    const step = await job.main("build-test", { "artifact-paths": "build" });
    expectWellFormed(step);
    expect(step.outputs).toMatchObject({
      outcome: "succeeded",
      "tests-total": "4",
      "tests-passed": "3",
      "tests-failed": "0",
      "tests-skipped": "1",
    });
    expect(step.output).toContain("forged by a test");
    expect(step.errors).toEqual([]);
    expect(step.commands.map((command) => command.name)).not.toContain("set-output");
    const path = step.outputs["artifact-path"] ?? "";
    const digest = `sha256:${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
    expect(step.outputs["artifact-digest"]).toBe(digest);
    expect(step.report?.["subjects"]).toEqual([
      { type: "artifact", name: step.outputs["artifact-name"], digest },
    ]);
    const list = execFileSync("tar", ["-tvzf", path], { encoding: "utf8" });
    expect(list).toMatch(/-rwxr-xr-x .*build\/main\n/);
    expect(list).toMatch(/build\/current\.js -> lib\/price\.js/);
    expect(readFileSync(step.outputs["junit-path"] ?? "", "utf8")).toContain('tests="4"');
    expect(JSON.parse(readFileSync(step.outputs["ctrf-path"] ?? "", "utf8"))).toHaveProperty(
      "results.summary.tests",
      4,
    );
  });

  test("makes the same archive in another run", async () => {
    const digests: (string | undefined)[] = [];
    for (let run = 0; run < 2; run++) {
      const again = newJob("node-project", { SOURCE_DATE_EPOCH: "1700000000" });
      const step = await again.main("build-test", { "artifact-paths": "build", "test-command": "none" });
      digests.push(step.outputs["artifact-digest"]);
      again.dispose();
    }
    expect(digests[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(digests[1]).toBe(digests[0]);
  });

  test("with a failed test is red, says which, and keeps no artifact", async () => {
    job = newJob("node-project", { SHOP_MODE: "broken" });
    const step = await job.main("build-test", { "artifact-paths": "build" });
    expectWellFormed(step);
    expect(step.exitCode).toBe(1);
    expect(step.outputs).toMatchObject({
      outcome: "failed",
      "failure-code": "TESTS_FAILED",
      "artifact-path": "",
    });
    expect(step.outputs["failure-reason"]).toMatch(
      /^1 of 4 tests failed: test > a switch of the environment fails it/,
    );
    expect(step.errors[0]?.properties).toMatchObject({ file: "test/price.test.mjs", line: "6" });
    expect(step.summary).toContain("a switch of the environment fails it");
  });

  test("whose install or build breaks says so", async () => {
    job = newJob({ "package.json": '{"scripts":{"build":"exit 3","test":"true"}}' });
    const build = await job.main("build-test", { "install-command": "none" });
    expectWellFormed(build);
    expect([build.exitCode, build.outputs["failure-code"]]).toEqual([1, "BUILD_FAILED"]);
    expect(build.outputs["failure-reason"]).toBe("`npm run build` failed: exit code 3");
    const install = await job.main("build-test", { "install-command": "no-such-program --now" });
    expect(install.outputs["failure-code"]).toBe("INSTALL_FAILED");
    expect(install.outputs["failure-reason"]).toContain("no-such-program");
  });

  test("without a test script has no tests", async () => {
    job = newJob({ "package.json": "{}" });
    const step = await job.main("build-test", { "install-command": "none" });
    expectWellFormed(step);
    expect(step.outputs["failure-code"]).toBe("NO_TESTS");
    expect(step.outputs["failure-reason"]).toContain("no `test` script");
  });

  const testOnOldNode = existsSync(OLD_NODE) ? test : test.skip;
  testOnOldNode("is tested by a bundle on the machine's own Node too", async () => {
    job = newJob("node-project");
    const step = await job.main("build-test", { "artifact-paths": "build" }, { node: OLD_NODE });
    expectWellFormed(step);
    expect(step.outputs["outcome"]).toBe("succeeded");
  });
});

describe("a Go module", () => {
  test("is tested with its coverage", async () => {
    job = newJob("go-module");
    const step = await job.main("build-test", {});
    expectWellFormed(step);
    expect(step.outputs).toMatchObject({
      outcome: "succeeded",
      "tests-total": "4",
      "tests-skipped": "1",
      "coverage-line": "100.00",
    });
    expect(step.output).toContain("--- PASS: TestAdd/small");
    expect(step.output).not.toContain('"Action"');
  });

  test.each([
    ["broken", /TestAdd\/small: Add\(1, 2\) = 3, want 4/],
    ["panic", /TestSign: panic: lost the sign/],
  ])("that is %s is red", async (mode, reason) => {
    job = newJob("go-module", { SUMS_MODE: mode });
    const step = await job.main("build-test", {});
    expectWellFormed(step);
    expect(step.outputs["failure-code"]).toBe("TESTS_FAILED");
    expect(step.outputs["failure-reason"]).toMatch(reason);
    expect(step.errors[0]?.properties["file"]).toBe("sums/sums_test.go");
  });
});

describe("the step", () => {
  test("names all bad inputs at once and runs nothing", async () => {
    job = newJob("node-project");
    const step = await job.main("build-test", {
      language: "java",
      "coverage-min-line": "x",
      "test-command": "a | b",
    });
    expectWellFormed(step);
    expect(step.outputs).toMatchObject({ outcome: "failed", "failure-code": "BAD_INPUT" });
    for (const name of ["language", "coverage-min-line", "test-command"]) {
      expect(step.outputs["failure-reason"]).toContain(`\`${name}\``);
    }
    expect(step.output).not.toContain("$ npm");
  });

  test("a dry run plans and writes nothing", async () => {
    job = newJob("node-project");
    const before = readdirSync(job.workspace, { recursive: true });
    const step = await job.main("build-test", {
      "dry-run": "true",
      database: "auto",
      "artifact-paths": "build",
    });
    expectWellFormed(step);
    expect([step.exitCode, step.outputs["outcome"]]).toEqual([0, "planned"]);
    expect(readdirSync(job.workspace, { recursive: true })).toEqual(before);
    expect(readdirSync(job.temp, { recursive: true })).toEqual([
      "goci",
      expect.stringMatching(/^goci\/build-test-report-/),
    ]);
    expect(step.state).toEqual({});
    expect(step.summary).toContain("npm test");
  });

  test("evaluates all gates before its one verdict", async () => {
    job = newJob({
      "r.xml": '<testsuite><testcase name="a"><failure message="wrong"/></testcase></testsuite>',
      "lcov.src": "SF:a.js\nDA:1,0\nDA:2,1\nend_of_record\n",
      "s.sarif": JSON.stringify({
        runs: [{ tool: { driver: { name: "s" } }, results: [{ level: "error", ruleId: "R" }] }],
      }),
    });
    const step = await job.main("build-test", {
      ...BARE,
      "test-command": "sh -c 'cp r.xml out.xml; cp lcov.src lcov.info'",
      "coverage-min-file": "60",
      "sarif-paths": "*.sarif",
    });
    expectWellFormed(step);
    expect(step.outputs["failure-reason"]).toBe(
      "1 of 1 test failed: a: wrong (also: COVERAGE_LOW, COVERAGE_LOW, FINDINGS)",
    );
    const gates = JSON.parse(step.outputs["gates"] ?? "") as {
      gate: string;
      verdict: string;
      value: string;
    }[];
    expect(gates.map(({ gate, verdict, value }) => `${gate} ${verdict} ${value}`)).toEqual([
      "tests failed 1 failed of 1",
      "flaky passed 0",
      "coverage-line failed 50.00",
      "coverage-file failed 50.00",
      "findings failed 1 of 1",
    ]);
  });

  test("annotates at most ten errors in all", async () => {
    const cases = Array.from(
      { length: 30 },
      (_, index) => `<testcase name="t${index}"><failure/></testcase>`,
    );
    job = newJob({ "r.xml": `<testsuite>${cases.join("")}</testsuite>` });
    const step = await job.main("build-test", { ...BARE, "test-command": "cp r.xml out.xml" });
    expectWellFormed(step);
    expect(step.errors.map((error) => error.properties["title"])).toEqual([
      ...Array.from({ length: 8 }, (_, index) => `t${index}`),
      "22 more failed tests",
      "build-test: TESTS_FAILED",
    ]);
    const quiet = await job.main("build-test", {
      ...BARE,
      "test-command": "cp r.xml out.xml",
      annotations: "false",
    });
    expect(quiet.errors).toHaveLength(1);
  });

  test("an artifact of nothing is an error, a warning or nothing", async () => {
    job = newJob({ "r.xml": '<testsuite><testcase name="a"/></testsuite>' });
    const inputs = { ...BARE, "test-command": "cp r.xml out.xml", "artifact-paths": "missing/**" };
    const red = await job.main("build-test", inputs);
    expectWellFormed(red);
    expect([red.exitCode, red.outputs["failure-code"]]).toEqual([1, "ARTIFACT_EMPTY"]);
    for (const mode of ["warn", "ignore"]) {
      const step = await job.main("build-test", { ...inputs, "artifact-if-empty": mode });
      expect([step.exitCode, step.outputs["artifact-path"]]).toEqual([0, ""]);
      expect(step.commands.some((command) => command.name === "warning")).toBe(mode === "warn");
    }
  });

  test("uploads the archive, whole, to act's store", async () => {
    const server = new ActArtifactServer();
    job = newJob("node-project", await server.start("7"));
    try {
      const step = await job.main("build-test", { "artifact-paths": "build", "artifact-name": "app" });
      expectWellFormed(step);
      expect(step.outputs).toMatchObject({ "artifact-id": "42", "artifact-name": "app" });
      const archive = readFileSync(step.outputs["artifact-path"] ?? "");
      expect(server.files.get("7/app")?.includes(archive)).toBe(true);
      const asFiles = await job.main("build-test", {
        "artifact-paths": "build",
        "artifact-name": "files",
        "artifact-archive": "false",
      });
      expect(asFiles.outputs["artifact-digest"]).toBe("");
      expect(server.files.get("7/files")?.includes("build/lib/price.js")).toBe(true);
    } finally {
      await server.stop();
    }
  });

  test("uploads with GitHub's own client, loaded from the bundle", async () => {
    const server = new ActArtifactServer("github");
    job = newJob("node-project", await server.start("7"));
    try {
      const step = await job.main("build-test", { "artifact-paths": "build", "artifact-name": "app" });
      expectWellFormed(step);
      expect(step.outputs).toMatchObject({
        "artifact-id": "42",
        "artifact-url": "https://github.com/acme/shop/actions/runs/1001/artifacts/42",
      });
      const archive = readFileSync(step.outputs["artifact-path"] ?? "");
      expect(server.files.get("7/app")?.includes(archive)).toBe(true);
    } finally {
      await server.stop();
    }
  });

  test("tells Slack of a failure, tries again after a 500, and says so when it cannot", async () => {
    const { SlackServer } = await import("./slack-server.ts");
    const slack = new SlackServer([500, 200]);
    const url = await slack.start();
    try {
      job = newJob("node-project", { SHOP_MODE: "broken" });
      const step = await job.main("build-test", { "slack-webhook-url": url });
      expectWellFormed(step);
      expect(slack.texts).toHaveLength(2);
      expect(slack.texts[1]).toMatch(/^❌ acme\/shop main job: TESTS_FAILED: 1 of 4 tests failed/);
      expect(step.masks).toContain(url);
      expect(JSON.stringify(step.report) + step.summary).not.toContain(url);
      const required = { "slack-on": "always", "slack-required": "true", "test-command": "none" };
      const lost = await job.main("build-test", { "slack-webhook-url": `${url}/404`, ...required });
      expectWellFormed(lost);
      expect([lost.exitCode, lost.outputs["failure-code"]]).toEqual([1, "SLACK_FAILED"]);
    } finally {
      await slack.stop();
    }
  });
});

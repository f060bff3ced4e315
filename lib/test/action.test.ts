import { existsSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { expectValidReport } from "../testing/report-schema.ts";
import { type ProbeOptions, type ProbeResult, runProbe } from "./run-probe.ts";

const play = (scenario: string, options: ProbeOptions = {}): Promise<ProbeResult> =>
  runProbe("probe-action.ts", { ...options, inputs: { scenario, ...options.inputs } });

describe("a green run", () => {
  test("sets every output, leaves a report and a summary, and annotates nothing", async () => {
    const result = await play("green");
    expect(result.exitCode).toBe(0);
    expect(result.errors).toEqual([]);
    expect(result.outputs).toMatchObject({
      outcome: "unchanged",
      thing: "3",
      changed: "false",
      "failure-code": "",
      "failure-reason": "",
    });
    expect(Number(result.outputs["duration-seconds"])).toBeGreaterThanOrEqual(0);
    expectValidReport(result.report);
    expect(result.report).toMatchObject({
      extra: { a: [1] },
      phases: [{ name: "look", outcome: "succeeded" }],
    });
    expect(result.summary).toContain("all is well");
  });

  test("keeps the schema's fields and the verdict its own", async () => {
    const result = await play("takes over the report");
    expectValidReport(result.report);
    expect(result.report).toMatchObject({ outcome: "succeeded", schema: "goci/report/v1" });
    expect(result.outputs["outcome"]).toBe("succeeded");
  });

  test("writes no summary when none is wanted", async () => {
    expect((await play("green", { inputs: { summary: "false" } })).summary).toBe("");
  });
});

describe("a red run", () => {
  test("says why in one line, once, and masks what it says", async () => {
    const result = await play("red", { inputs: { token: "hunter22" } });
    expect(result.exitCode).toBe(1);
    expectValidReport(result.report);
    expect(result.errors).toHaveLength(1);
    expect(result.errors[0]?.properties["title"]).toBe("build-test: CONNECT_FAILED");
    expect(result.errors[0]?.data).toBe("line one; line two; with ***. To fix: open the port");
    expect(result.outputs).toMatchObject({
      outcome: "failed",
      "failure-code": "CONNECT_FAILED",
      "failure-reason": "line one; line two; with ***",
      thing: "",
    });
    expect(result.report).toMatchObject({ phases: [{ name: "reach", outcome: "failed" }] });
    expect(result.summary).toContain("**CONNECT_FAILED**");
  });

  test.each([
    ["defect", "x is not a function"],
    ["thrown text", "just text"],
    ["escaped throw", "out of a timer"],
    ["escaped rejection", "nobody looked"],
    ["waits for nothing", "the work stopped without an end"],
  ])("%s: a defect of ours ends red with a verdict", async (scenario, message) => {
    const result = await play(scenario);
    expect(result.exitCode).toBe(1);
    expect(result.outputs).toMatchObject({ outcome: "failed", "failure-code": "INTERNAL" });
    expect(result.outputs["failure-reason"]).toContain(message);
    expect(result.errors).toHaveLength(1);
    expectValidReport(result.report);
  });

  test("a full disk is the runner's, not a defect of ours", async () => {
    const result = await play("full disk");
    expect(result.exitCode).toBe(1);
    expect(result.outputs).toMatchObject({ outcome: "failed", "failure-code": "DISK_FULL" });
    expect(result.outputs["failure-reason"]).toContain("could not be written");
    expectValidReport(result.report);
  });

  test("names every wrong input in one message, before it starts", async () => {
    const result = await runProbe("probe-action.ts", {
      inputs: { count: "0", flag: "maybe", summary: "perhaps" },
    });
    expect(result.exitCode).toBe(1);
    expect(result.outputs["failure-code"]).toBe("BAD_INPUT");
    for (const name of ["count", "flag", "scenario", "summary"]) {
      expect(result.errors[0]?.data).toContain(`\`${name}\``);
    }
    expectValidReport(result.report);
  });
});

describe("secrets", () => {
  test("are told to the runner first and stand in nothing that is written", async () => {
    const result = await play("echoes secrets", { inputs: { token: "hunter22" } });
    const [mask, ...rest] = result.output.split("\n").filter((line) => line.includes("hunter22"));
    expect(mask).toBe("::add-mask::hunter22");
    expect(rest).toEqual([]);
    expect(result.outputs["thing"]).toBe("***");
    expect(result.report).toMatchObject({ note: ["***"] });
    expect(result.summary).not.toContain("hunter22");
  });

  test("that look like a word of ours do not spoil the verdict", async () => {
    const result = await play("defect", { inputs: { token: "failed" } });
    expect(result.outputs["outcome"]).toBe("failed");
    expectValidReport(result.report);
  });
});

describe("a runner that is not as it should be", () => {
  test("without its files the step still ends with its own verdict", async () => {
    const env = { GITHUB_OUTPUT: "", GITHUB_STEP_SUMMARY: "", GITHUB_STATE: "" };
    expect((await play("green", { env })).exitCode).toBe(0);
    expect((await play("red", { env })).errors).toHaveLength(1);
  });

  test("a temporary folder that cannot be written costs the report, not the verdict", async () => {
    const result = await play("green", { env: { RUNNER_TEMP: "/dev/null/temp" } });
    expect(result.exitCode).toBe(0);
    expect(result.outputs["report"]).toBe("");
    expect(result.output).toContain("::warning::the report could not be written");
  });

  const full = existsSync("/dev/full") ? test : test.skip;
  full("outputs that cannot be written make a green run red", async () => {
    const result = await play("green", { env: { GITHUB_OUTPUT: "/dev/full" } });
    expect(result.exitCode).toBe(1);
    expect(result.errors).toHaveLength(1);
    expect(result.errors[0]?.properties["title"]).toBe("build-test: OUTPUTS_NOT_WRITTEN");
  });
});

describe("a cancel", () => {
  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("by %s says so and ends at once", async (signal) => {
    const result = await play("waits", { signal });
    expect(result.exitCode).toBe(1);
    expect(result.output).toContain(`Cancelled (${signal})`);
    expect(result.outputs).toMatchObject({ outcome: "cancelled", "failure-code": "CANCELLED" });
    expect(result.errors).toHaveLength(1);
    expect(result.ms).toBeLessThan(5000);
    expectValidReport(result.report);
  });

  test.each([
    ["breaks on cancel", "cancelled"],
    ["rolls back on cancel", "rolled-back"],
    ["ignores a cancel", "cancelled"],
  ])("%s: ends %s", async (scenario, outcome) => {
    const result = await play(scenario, { signal: "SIGINT" });
    expect(result.exitCode).toBe(1);
    expect(result.outputs).toMatchObject({ outcome, "failure-code": "CANCELLED" });
    expectValidReport(result.report);
  });

  test("that the work does not answer to ends before the runner kills it", async () => {
    const result = await play("hangs after a cancel", { signal: "SIGINT" });
    expect(result.outputs["outcome"]).toBe("cancelled");
    expect(result.ms).toBeLessThan(10_000);
  });
});

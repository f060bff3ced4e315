import { describe, expect, test } from "@jest/globals";
import { runProbe } from "./run-probe.ts";

const play = (scenario: string, env: Record<string, string> = {}) =>
  runProbe("probe-post.ts", { inputs: { scenario }, env });

describe("a post step", () => {
  test("has nothing to do after a main step that saved nothing", async () => {
    const result = await play("");
    expect(result.exitCode).toBe(0);
    expect(result.output).toContain("state: undefined");
  });

  test("reads what the main step saved; state that is no JSON counts as none", async () => {
    expect((await play("", { "STATE_goci-server": '{"pid":7}' })).output).toContain('state: {"pid":7}');
    expect((await play("", { "STATE_goci-server": "{" })).output).toContain("state: undefined");
  });

  test("is red for what a person must see to, with the evidence", async () => {
    const result = await play("left behind");
    expect(result.exitCode).toBe(1);
    expect(result.errors).toHaveLength(1);
    expect(result.errors[0]).toMatchObject({
      properties: { title: "build-test (clean-up): CLEANUP_FAILED" },
      data: "the server still runs",
    });
    expect(result.output).toContain("  pid 7");
  });

  test.each([
    ["defect", "x is not a function"],
    ["waits for nothing", "stopped without an end"],
    ["escaped throw", "out of a timer"],
  ])("%s: only warns, the verdict has been given", async (scenario, message) => {
    const result = await play(scenario);
    expect(result.exitCode).toBe(0);
    expect(result.errors).toEqual([]);
    expect(result.output).toMatch(
      new RegExp(`^::warning::build-test: clean-up did not finish: .*${message}`, "m"),
    );
  });
});

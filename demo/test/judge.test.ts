import { describe, expect, test } from "@jest/globals";
import type { ActResult } from "../act.ts";
import { judge, outputOf, type StageEvidence } from "../evidence.ts";
import { showDelivery } from "../shown.ts";
import { FIRST, FOLLOWING, type Stage } from "../stages.ts";
import { renderTable } from "../table.ts";

const NO_RUN: ActResult = {
  exitCode: 0,
  ms: 0,
  outputs: new Map(),
  jobs: new Map(),
  summaries: [],
  errors: [],
  tail: [],
};
const RED: ActResult = { ...NO_RUN, exitCode: 1 };
const BEFORE = { serving: "2.0.0", current: "1-aaaaaaa" };

function stageOf(key: string): Stage {
  const stage = [FIRST, ...FOLLOWING].find((item) => item.key === key);
  if (!stage) throw new Error(`no stage ${key}`);
  return stage;
}

function load(requests: number, failed: number): StageEvidence["load"] {
  return { verdict: "pass", requests, failed, p95: 3, startedAt: 0, seconds: [], result: NO_RUN };
}

function evidence(change: Partial<StageEvidence>): Omit<StageEvidence, "broken"> {
  return {
    stage: stageOf("crash"),
    delivery: RED,
    load: load(100, 4),
    outcome: "rolled-back",
    reason: "START_FAILED: exit code 3",
    serving: "2.0.0",
    current: "1-aaaaaaa",
    logins: 1,
    reports: [],
    seconds: 5,
    pushedAt: 0,
    builtAt: 0,
    startedAt: 0,
    endedAt: 5000,
    ...change,
  };
}

describe("a stage is held against its promise", () => {
  test.each<[string, Partial<StageEvidence>, number]>([
    ["a rollback that was kept", {}, 0],
    ["another outcome", { outcome: "failed" }, 1],
    ["the broken version serves", { serving: "2.1.0" }, 1],
    ["nothing serves", { serving: "" }, 1],
    ["the link moved", { current: "1-bbbbbbb" }, 1],
    ["a green workflow", { delivery: NO_RUN }, 1],
    ["no word of why", { reason: "" }, 1],
    ["load that measured nothing", { load: load(0, 0) }, 2],
    ["load that only failed", { load: load(9, 9) }, 1],
    [
      "good: version and link moved",
      { stage: stageOf("v2"), delivery: NO_RUN, outcome: "succeeded", current: "1-b" },
      0,
    ],
    [
      "good, but the old one serves",
      { stage: stageOf("v2"), outcome: "succeeded", current: "1-b", serving: "1.0.0" },
      1,
    ],
    ["good, but the link stayed", { stage: stageOf("v2"), outcome: "succeeded" }, 1],
    [
      "a failing test",
      { stage: stageOf("failing-test"), outcome: "stopped: TESTS_FAILED", logins: 0, load: undefined },
      0,
    ],
    [
      "a failing test that reached the host",
      { stage: stageOf("failing-test"), outcome: "stopped: TESTS_FAILED" },
      1,
    ],
  ])("%s", (_name, change, problems) => {
    expect(judge(evidence(change), BEFORE)).toHaveLength(problems);
  });

  test("the table shows what was not kept", () => {
    const text = renderTable([
      showDelivery({ ...evidence({ serving: "" }), broken: ["version 2.0.0 should still serve"] }),
    ]);
    expect(text).toContain("NOT AS PROMISED: version 2.0.0 should still serve");
    expect(text).toContain("START_FAILED: exit code 3");
    expect(text).toMatch(/crash: ends at its start {2}rolled-back {2}rolled-back ✗ +5\.0 +100 +4 +3\.0 ms/);
  });

  test("an output is found by its last parts", () => {
    const result = {
      ...NO_RUN,
      outputs: new Map([
        ["a.deploy.outcome", "failed"],
        ["b.test.outcome", "x"],
      ]),
    };
    expect(outputOf(result, "deploy.outcome")).toBe("failed");
    expect(outputOf(result, "load.outcome")).toBe("");
  });
});

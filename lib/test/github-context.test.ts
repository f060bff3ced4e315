import { describe, expect, test } from "@jest/globals";
import { readGitHubContext } from "../github-context.ts";
import { RecordingLog } from "../log.ts";
import { ReportDraft } from "../report.ts";
import { memoryState } from "../state.ts";

describe("readGitHubContext", () => {
  test("reads what the runner says", () => {
    const context = readGitHubContext({
      GITHUB_REPOSITORY: "acme/shop",
      GITHUB_SERVER_URL: "https://git.acme.example",
      GITHUB_RUN_ID: "9",
      GITHUB_RUN_NUMBER: "4",
      GITHUB_RUN_ATTEMPT: "2",
      RUNNER_TEMP: "/t",
    });
    expect(context).toMatchObject({
      repositoryName: "shop",
      runUrl: "https://git.acme.example/acme/shop/actions/runs/9",
      runNumber: 4,
      runAttempt: 2,
      temp: "/t",
    });
    expect(Object.isFrozen(context)).toBe(true);
  });

  test("requires nothing", () => {
    const context = readGitHubContext({});
    expect(context).toMatchObject({ repository: "", runUrl: "", runNumber: 0, runAttempt: 1, sha: "" });
    expect(context.workspace).not.toBe("");
    expect(context.temp).not.toBe("");
  });

  test("odd numbers count as none", () => {
    expect(readGitHubContext({ GITHUB_RUN_ATTEMPT: "x", GITHUB_RUN_NUMBER: "" })).toMatchObject({
      runAttempt: 1,
      runNumber: 0,
    });
  });
});

test("the doubles for tests remember", async () => {
  const log = new RecordingLog();
  log.info("a");
  log.warn("b");
  await log.group("g", async () => log.info("c"));
  expect(log.lines).toEqual(["a", "warning: b", "# g", "c"]);
  const state = memoryState({ a: 1 });
  state.save("b", [2]);
  expect([state.load("a"), state.load("b"), state.load("c")]).toEqual([1, [2], undefined]);
});

test("a draft writes outputs as text", () => {
  const draft = new ReportDraft();
  draft.output("n", 0);
  draft.output("b", false);
  expect([...draft.outputs]).toEqual([
    ["n", "0"],
    ["b", "false"],
  ]);
});

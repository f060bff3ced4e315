import { describe, expect, test } from "@jest/globals";
import { arranged, count, expectHonest, serves, someoneElse, story } from "./codedeploy-story.ts";
import type { Told } from "./story.ts";
import { FAULTS } from "./timelines.ts";

/** What a verdict claims must be true in the world; `note` names the case. */
function expectTrue(told: Told, note: string): void {
  const said = `${note}: ${told.outcome} ${told.code} ${told.message}`;
  expect([said, told.aws.violations]).toEqual([said, []]);
  if (told.outcome === "succeeded") expect(`${said} -> ${serves(told)}`).toContain("-> app:2");
  if (told.outcome === "rolled-back") expect(`${said} -> ${serves(told)}`).toContain("-> app:1");
  const claimed = told.outputs["rolled-back"] === "true";
  if (claimed) expect(`${said} -> ${serves(told)}`).toContain("-> app:1");
  if (told.outcome === "failed" && told.outputs["changed"] === "false") {
    expect(`${said} -> ${serves(told)}`).toContain("-> app:1");
    const made = told.aws.calls.filter(({ operation, error }) => operation === "CreateDeployment" && !error);
    expect(`${said}: ${made.length} created`).toContain(": 0 created");
  }
}

describe("CODE_DEPLOY, every call", () => {
  test.each(FAULTS)(
    "%s once: proven, rolled back or untouched",
    async (fault) => {
      const whole = await story({});
      for (let call = 1; call <= whole.calls.length; call++) {
        const told = await story({ arrange: arranged({}, {}, (aws) => aws.fail(fault, { call })) });
        expectTrue(told, `${String(fault)} at call ${call}, ${whole.calls[call - 1]}`);
        expectHonest(told);
        if (fault === "throttle" || fault === "reset-before" || fault === "server-error") {
          const write = /^(Create|Register)/.test(whole.calls[call - 1] ?? "");
          if (!write) expect(`call ${call} ${whole.calls[call - 1]}: ${told.outcome}`).toContain("succeeded");
        }
      }
    },
    60_000,
  );

  test("cancelled after it: the old version is proven, or nothing was touched", async () => {
    const whole = await story({});
    for (let call = 1; call <= whole.calls.length; call++) {
      const told = await story({ cancelAfter: (aws) => aws.calls.length >= call });
      const note = `cancelled after call ${call}, ${whole.calls[call - 1]}`;
      expectTrue(told, note);
      expect(`${note}: ${told.outcome} ${serves(told)}`).toMatch(/: cancelled app:1$/);
    }
  }, 60_000);

  test("somebody else's deployment before it: never stopped, never claimed as ours", async () => {
    const whole = await story({});
    for (let call = 3; call <= whole.calls.length; call++) {
      const told = await story({
        arrange: arranged({}, {}, (aws) => aws.before({ call }, () => someoneElse(aws))),
      });
      const note = `theirs before call ${call}, ${whole.calls[call - 1]}`;
      expectTrue(told, note);
      expect(`${note}: ${count(told, "StopDeployment")} stopped`).toContain(": 0 stopped");
    }
  }, 60_000);
});

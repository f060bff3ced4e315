import { describe, expect, test } from "@jest/globals";
import { simulate } from "./simulate.ts";
import type { Scenario } from "./world.ts";

const good: Scenario = { health: "good", parts: 1 };
const names = (run: Awaited<ReturnType<typeof simulate>>) => run.calls.map((call) => call.name).join(" ");

describe("the phases of a run", () => {
  test("a good one", async () => {
    const run = await simulate(good);
    expect(run.phases).toEqual(
      ["inspect", "plan", "gate", "inspect", "plan", "apply", "watch", "verify", "commit", "release"].map(
        (name) => ({ name, ok: true }),
      ),
    );
    expect([run.outcome, run.changed, run.rolledBack]).toEqual(["succeeded", "true", "false"]);
    expect(run.log).toContain("old -> new");
    expect(run.summary).toContain("old -> new");
  });

  test("one that crashes: the phase that found it is marked, those of the way back are not", async () => {
    const run = await simulate({ health: "crashes", parts: 1 });
    expect(run.phases.slice(6)).toEqual([
      { name: "watch", ok: false },
      { name: "diagnose", ok: true },
      { name: "roll back", ok: true },
      { name: "watch the old version", ok: true },
      { name: "verify the old version", ok: true },
      { name: "release", ok: true },
    ]);
    expect([run.outcome, run.code, run.changed, run.rolledBack]).toEqual([
      "rolled-back",
      "START_FAILED",
      "true",
      "true",
    ]);
    expect(run.message).toBe(
      "exit code 3; the world was rolled back, and what ran before is proven to serve",
    );
    expect(run.evidence).toEqual(["boom", "it ended"]);
  });

  test("a way back that fails is marked", async () => {
    const run = await simulate({ health: "crashes", parts: 1, oldIsBroken: true });
    expect(run.phases.slice(-2)).toEqual([
      { name: "verify the old version", ok: false },
      { name: "release", ok: true },
    ]);
    expect(run.message).toBe("exit code 3; rolling back the world failed too: status 500");
    expect(run.rolledBack).toBe("false");
  });
});

describe("nothing is written", () => {
  test("by a dry run", async () => {
    const run = await simulate(good, { options: { dryRun: true } });
    expect([run.outcome, run.changed, names(run)]).toEqual(["planned", "false", "inspect"]);
    expect(run.summary).toContain("old -> new");
  });
});

describe("a call", () => {
  test("that only reads is made again after passing faults, with growing pauses", async () => {
    const run = await simulate(good, { faults: { 0: "throttle", 1: "server-error", 2: "reset" } });
    expect(run.outcome).toBe("succeeded");
    const [first, second, third, fourth] = run.calls.map((call) => call.at);
    expect([second, third, fourth].map((at) => (at ?? 0) - (first ?? 0))).toEqual([395, 1165, 2685]);
    expect(run.log).toContain("inspect: asking again after: Rate exceeded");
  });

  test("that writes the change is made once only", async () => {
    const run = await simulate(good, { faults: { 3: "reset" } });
    expect(names(run)).toMatch(/^inspect gate inspect apply locate( locate)* release$/);
    expect([run.outcome, run.code, run.changed]).toEqual(["failed", "REMOTE_FAILED", "false"]);
  });

  test("that goes back is made again by the machine, which then knows that an answer is missing", async () => {
    const forgetful: Scenario = { health: "crashes", parts: 1, forgetful: true };
    const run = await simulate(forgetful, { faults: { 3: "lost", 4: "denied", 5: "lost" } });
    expect(names(run)).toContain("apply locate rollBack rollBack");
    expect([run.outcome, run.changed]).toEqual(["rolled-back", "true"]);
  });

  test("that is denied is not made again", async () => {
    const run = await simulate(good, { faults: { 0: "denied" } });
    expect([names(run), run.code]).toEqual(["inspect", "ACCESS_DENIED"]);
  });

  test("that breaks in an unknown way is made again when it is a look, twice at most", async () => {
    const once = await simulate(good, { faults: { 4: "defect" } });
    expect(once.outcome).toBe("succeeded");
    const thrice = await simulate(good, { faults: { 4: "defect", 5: "defect", 6: "defect" } });
    expect([thrice.outcome, thrice.code]).toEqual(["rolled-back", "REMOTE_FAILED"]);
    const inspect = await simulate(good, { faults: { 0: "defect" } });
    expect(names(inspect)).toBe("inspect");
  });

  test("that hangs is given up: a look after 30 s, and it is made again", async () => {
    const run = await simulate(good, { faults: { 4: "deaf" } });
    expect((run.calls[5]?.at ?? 0) - (run.calls[4]?.at ?? 0)).toBe(30_375);
    expect(run.outcome).toBe("succeeded");
  });

  test("that hangs while it applies is lost at the end of the budget, and undone", async () => {
    const run = await simulate(good, { faults: { 3: "deaf" } });
    expect([run.outcome, run.code, run.changed]).toEqual(["failed", "TIMED_OUT", "false"]);
  });
});

describe("a cancel", () => {
  test("during the watch: the way back leaves in the same instant", async () => {
    const run = await simulate(good, { cancel: { call: 5, after: 0 } });
    const rollBack = run.calls.find((call) => call.name === "rollBack");
    expect(rollBack?.at).toBe(run.cancelledAt);
    expect([run.outcome, run.code, run.rolledBack]).toEqual(["cancelled", "CANCELLED", "true"]);
  });

  test("between two looks: the pause is cut short", async () => {
    const run = await simulate(good, { cancel: { call: 5, after: 300 } });
    expect(run.calls.find((call) => call.name === "rollBack")?.at).toBe(run.cancelledAt);
  });

  test("while an apply does not answer: the way back leaves within 2 s", async () => {
    const run = await simulate(good, { faults: { 3: "deaf" }, cancel: { call: 3, after: 50 } });
    const rollBack = run.calls.find((call) => call.name === "rollBack");
    expect((rollBack?.at ?? 0) - (run.cancelledAt ?? 0)).toBe(1000);
    expect([run.outcome, run.changed]).toEqual(["cancelled", "false"]);
  });

  test("after the verdict: it is told that the new version stays", async () => {
    const run = await simulate(good, { faults: { 11: "slow" }, cancel: { call: 11, after: 100 } });
    expect(run.calls[11]?.name).toBe("release");
    expect([run.outcome, run.message]).toEqual([
      "cancelled",
      "the run was cancelled as it ended; the new version is proven to serve on the world",
    ]);
  });
});

describe("the post step", () => {
  test("has nothing to do after a main step that ended", async () => {
    expect((await simulate(good)).post).toBe("nothing");
    expect((await simulate({ health: "crashes", parts: 1 })).post).toBe("nothing");
  });

  test("takes the new version back when the main step died before it was proven", async () => {
    const run = await simulate(good, { cut: { call: 5, landed: "never" } });
    expect(run.postLog.at(-1)).toBe(
      "After the end of the main step: the world was rolled back, and what ran before is proven to serve.",
    );
    expect(run.world.parts[0]).toMatchObject({ version: "old", writer: "us-back" });
  });

  test("proves the new version again when it was proven before", async () => {
    const run = await simulate(good, { cut: { call: 9, landed: "now" } });
    expect(run.calls[9]?.name).toBe("commit");
    expect(run.postLog.at(-1)).toBe(
      "After the end of the main step: the new version is proven to serve on the world.",
    );
    expect(run.world.parts[0]).toMatchObject({ version: "new" });
  });

  test("leaves things when that was asked for, with a warning", async () => {
    const run = await simulate(good, { options: { onCancel: "leave" }, cut: { call: 5, landed: "never" } });
    expect(run.postLog.at(-1)).toMatch(
      /^warning: .*the world was left changed, since `on-cancel` is `leave`$/,
    );
    expect(run.world.parts[0]).toMatchObject({ version: "new" });
  });

  test("gives back a lock that the main step could not", async () => {
    const run = await simulate(good, { faults: { 11: "denied" } });
    expect([run.outcome, run.post, run.world.lock]).toEqual(["succeeded", "finished", "free"]);
  });

  test("is red when neither version is proven to serve", async () => {
    const run = await simulate(
      { health: "good", parts: 1, oldIsBroken: true },
      { cut: { call: 5, landed: "never" } },
    );
    expect(run.post).toBe("rollback-failed");
  });
});

import { describe, expect, test } from "@jest/globals";
import { memoryState } from "../../state.ts";
import { SAVED_AS } from "../driver.ts";
import type { Options, RolloutState } from "../model.ts";
import { takeUp, unfinished } from "../resume.ts";
import { type Moment, on, play, upTo } from "./timeline.ts";

const DIED_AT = 100_000;

/** What a fresh process does first after the main step died at the end of this timeline. */
function firstCall(moments: readonly Moment[], options: Partial<Options> = {}) {
  const { state, effects } = takeUp(play(moments, options).state, DIED_AT);
  const call = effects.find((effect) => effect.kind === "call");
  return { call: call?.call ?? "nothing", phase: state.phase, state };
}

const back: Moment[] = [...upTo.watch, on.failed, on.noIdea];

describe("a main step that died", () => {
  test.each<[string, readonly Moment[], string, string]>([
    ["while reading", [], "nothing", "done"],
    ["while planning", [on.inspected], "nothing", "done"],
    ["while taking the lock", upTo.gate, "release", "release"],
    ["behind the gate", [...upTo.gate, on.clear], "release", "release"],
    ["while applying", upTo.apply, "rollBack", "roll-back"],
    ["while looking for a lost apply", [...upTo.apply, on.transient], "rollBack", "roll-back"],
    ["while watching", upTo.watch, "rollBack", "roll-back"],
    ["while verifying", upTo.verify, "rollBack", "roll-back"],
    ["while explaining", [...upTo.watch, on.failed], "rollBack", "roll-back"],
    ["while explaining a revert of the target", [...upTo.watch, on.reverted], "observe", "watch-back"],
    ["while committing what is proven", upTo.commit, "observe", "watch"],
    ["while confirming what is proven", [...upTo.commit, on.committed], "observe", "watch"],
    ["while committing, cancelled", [...upTo.commit, on.cancel], "rollBack", "roll-back"],
    ["while going back", back, "rollBack", "roll-back"],
    ["while watching the way back", [...back, on.restored], "rollBack", "roll-back"],
    ["while proving the old version", [...back, on.restored, on.ready], "rollBack", "roll-back"],
    ["while watching the target go back", [...upTo.watch, on.reverted, on.noIdea], "observe", "watch-back"],
    ["while giving back the lock", [...upTo.watch, on.superseded], "release", "release"],
  ])("%s", (_name, moments, call, phase) => {
    expect(firstCall(moments)).toMatchObject({ call, phase });
  });

  test("and was to leave things on a cancel, does so, unless it was failing already", () => {
    const leave = { onCancel: "leave" } as const;
    expect(firstCall(upTo.watch, leave).state.end).toEqual({ kind: "left" });
    expect(firstCall([...upTo.watch, on.failed], leave).call).toBe("rollBack");
  });

  test("and had rollback off, leaves things", () => {
    expect(firstCall(upTo.watch, { rollback: false }).state.end).toEqual({ kind: "left" });
  });

  test("gets a fresh budget for the way back", () => {
    expect(firstCall(back).state.deadline).toBe(DIED_AT + 30_000);
  });

  test("may have an apply on its way still", () => {
    expect(firstCall(upTo.apply).state.lostAt).toBe(DIED_AT);
  });

  test("may have gone back already: then untouched is not the whole truth", () => {
    expect(firstCall(back).state.backLost).toBe(true);
  });
});

describe("what was saved", () => {
  const saved = (state: Partial<RolloutState> | undefined) =>
    unfinished(memoryState(state ? { [SAVED_AS]: state } : {}));
  const done = play([...upTo.commit, on.committed, on.ready, on.released]).state;

  test("nothing, or something of another version: there is nothing to do", () => {
    expect(saved(undefined)).toBeUndefined();
    expect(saved({ ...done, version: 2 as never, phase: "watch" })).toBeUndefined();
  });

  test("an end, with the lock given back: there is nothing to do", () => {
    expect(saved(done)).toBeUndefined();
    expect(saved({ ...done, lock: "held" })).toBeDefined();
  });

  test("anything else is unfinished", () => {
    expect(saved(play(upTo.watch).state)).toBeDefined();
  });
});

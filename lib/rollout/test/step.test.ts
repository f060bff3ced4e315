import { describe, expect, test } from "@jest/globals";
import type { Options } from "../model.ts";
import { step } from "../step.ts";
import { type Moment, on, play, upTo } from "./timeline.ts";

describe("time", () => {
  const lastCall = (moments: readonly Moment[], options: Partial<Options> = {}) => {
    const call = play(moments, options).last.find((effect) => effect.kind === "call");
    return call && [call.call, call.after, call.until];
  };

  test("looks come ever slower, up to the ceiling", () => {
    const moments: Moment[] = [...upTo.watch];
    const waits = [];
    for (let i = 0; i < 6; i++) {
      moments.push(on.progressing);
      waits.push(lastCall(moments)?.[1]);
    }
    expect(waits).toEqual([1000, 1500, 2250, 3375, 5000, 5000]);
    expect(lastCall([...upTo.watch, on.progressing], { pollMs: 200 })?.[1]).toBe(200);
  });

  test("the last look comes at the end of the budget", () => {
    expect(lastCall([...upTo.watch, [59_400, on.progressing]])).toEqual(["observe", 600, 70_000]);
  });

  test("a call at the very end of the budget still gets its time", () => {
    expect(lastCall([...upTo.watch, [59_999, on.ready]])).toEqual(["verify", 0, 69_999]);
  });

  test("the way back has a budget of its own", () => {
    expect(lastCall([...upTo.watch, [59_000, on.failed], on.noIdea])).toEqual(["rollBack", 0, 89_000]);
    expect(lastCall([...upTo.watch, [50_000, on.cancel]])).toEqual(["rollBack", 0, 80_000]);
  });

  test("an explanation may take 15 s, giving back the lock 10 s", () => {
    expect(lastCall([...upTo.watch, on.failed])).toEqual(["diagnose", 0, 15_000]);
    expect(lastCall([...upTo.watch, on.superseded])).toEqual(["release", 0, 10_000]);
  });

  test("a lost apply is looked for until nothing can land any more", () => {
    const lost: Moment[] = [...upTo.apply, on.transient, on.denied, [1000, on.untouched]];
    expect(lastCall(lost)).toEqual(["rollBack", 3000, 30_000]);
  });
});

describe("words", () => {
  test("a wait is told when it changes and every 30 s", () => {
    const { lines } = play([
      ...upTo.watch,
      on.progressing,
      [1000, on.progressing],
      [28_000, on.progressing],
      [1000, on.progressing],
    ]);
    expect(lines).toEqual(["1 of 2 (0 ms since the start)", "1 of 2 (30.0 s since the start)"]);
  });

  test("an explanation keeps what was seen first as evidence", () => {
    const { state } = play([...upTo.watch, on.failed, on.explained]);
    expect(state.cause).toEqual({
      code: "OUT_OF_MEMORY",
      message: "out_of_memory",
      evidence: ["start_failed", "also possible: BAD_LUCK: bad_luck"],
    });
  });
});

test("the handle of the deployment and of the way back are kept for a fresh process", () => {
  const { state } = play([...upTo.watch, on.failed, on.noIdea, on.started]);
  expect(state.attempt).toEqual({ before: "v1", change: "v2", stage: 0, handle: "d1", backHandle: "b1" });
});

test("an answer that nobody asked for is a defect", () => {
  const { state } = play(upTo.watch);
  expect(() => step(state, on.applied, 0)).toThrow("the answer `apply` does not belong to the phase `watch`");
  expect(() => step({ ...state, phase: "done" }, on.ready, 0)).toThrow("phase `done`");
});

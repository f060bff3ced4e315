import { expect, test } from "@jest/globals";
import type { Options } from "../model.ts";
import { conclude, failureOf } from "../verdict.ts";
import { goesBack, type Moment, on, play, upTo } from "./timeline.ts";

const failing = [...upTo.watch, on.failed, on.noIdea];

test.each<[string, readonly Moment[], Partial<Options>, string]>([
  ["untouched", [...upTo.apply, on.notApplied, on.released], {}, "disk_full; nothing was changed on shop"],
  [
    "rolled back",
    [...failing, ...goesBack],
    {},
    "start_failed; shop was rolled back, and what ran before is proven to serve",
  ],
  [
    "gone back by itself",
    [...upTo.watch, on.reverted, on.noIdea, on.ready, on.proven, on.ready, on.released],
    {},
    "breaker; shop went back by itself, and what ran before is proven to serve",
  ],
  [
    "not restored",
    [...failing, on.notRestored, on.released],
    {},
    "start_failed; rolling back shop failed too: no_way_back",
  ],
  [
    "superseded",
    [...upTo.watch, on.superseded, on.released],
    {},
    "this rollout was superseded; run 8 has changed shop meanwhile, so nothing more was touched",
  ],
  [
    "a first deployment",
    [...failing, on.nothing, on.released],
    {},
    "start_failed; there was nothing on shop to go back to: it was stopped",
  ],
  [
    "left, rollback off",
    [...failing, on.released],
    { rollback: false },
    "start_failed; shop was left changed, since `rollback` is `false`",
  ],
  [
    "left by a cancel",
    [...upTo.watch, on.cancel, on.released],
    { onCancel: "leave" },
    "the run was cancelled; shop was left changed, since `on-cancel` is `leave`",
  ],
  [
    "left in doubt",
    [...upTo.apply, on.cancel, on.interrupted, on.released],
    { rollback: false },
    "the run was cancelled; shop was left perhaps changed, since `rollback` is `false`",
  ],
])("%s, in one line", (_name, moments, options, line) => {
  const { state } = play(moments, options);
  expect(() => conclude(state, "shop")).toThrow(line);
  expect(failureOf(state, "shop").message).toBe(line);
});

test("when neither version is proven, the fix is to look after the target", () => {
  const { state } = play([...failing, on.notRestored, on.released]);
  expect(failureOf(state, "shop").fix).toBe(
    "look after shop now, since neither version is proven to serve there: no_way_back",
  );
});

test("green is returned, unless the cancel came too late to change anything", () => {
  const { state } = play([...upTo.commit, on.committed, on.ready, on.released]);
  expect(conclude(state, "shop")).toBe("succeeded");
  expect(() => conclude(state, "shop", true)).toThrow(
    "the run was cancelled as it ended; the new version is proven to serve on shop",
  );
  expect(failureOf(state, "shop").outcome).toBe("cancelled");
});

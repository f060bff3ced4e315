import { expect, test } from "@jest/globals";
import { endOf, on, play, type Row, START, upTo } from "./timeline.ts";

/** Timelines that turn back, or should, and do not get there. */
const ROWS: readonly Row[] = [
  {
    name: "the way back fails",
    moments: [...upTo.watch, on.failed, on.noIdea, on.notRestored, on.released],
    calls: `${START}observe diagnose rollBack release`,
    ends: ["rollback-failed", "START_FAILED", "yes"],
  },
  {
    name: "the way back is denied",
    moments: [...upTo.watch, on.failed, on.noIdea, on.denied, on.released],
    calls: `${START}observe diagnose rollBack release`,
    ends: ["rollback-failed", "START_FAILED", "yes"],
  },
  {
    name: "the old version is unhealthy as well",
    moments: [...upTo.watch, on.failed, on.noIdea, on.restored, on.ready, on.unhealthy, on.released],
    calls: `${START}observe diagnose rollBack observe verify release`,
    ends: ["rollback-failed", "START_FAILED", "yes"],
  },
  {
    name: "the old version does not come up in its own budget",
    moments: [
      ...upTo.watch,
      [59_000, on.failed],
      on.noIdea,
      on.restored,
      [29_000, on.progressing],
      [1000, on.progressing],
      on.released,
    ],
    calls: `${START}observe diagnose rollBack observe observe release`,
    ends: ["rollback-failed", "START_FAILED", "yes"],
  },
  {
    name: "a first deployment",
    moments: [...upTo.watch, on.failed, on.noIdea, on.nothing, on.released],
    calls: `${START}observe diagnose rollBack release`,
    ends: ["failed", "START_FAILED", "yes"],
  },
  {
    name: "someone else has moved the target before we could go back",
    moments: [...upTo.watch, on.failed, on.noIdea, on.moved, on.released],
    calls: `${START}observe diagnose rollBack release`,
    ends: ["superseded", "START_FAILED", "yes"],
  },
  {
    name: "someone else takes over while the old version starts",
    moments: [...upTo.watch, on.failed, on.noIdea, on.restored, on.superseded, on.released],
    calls: `${START}observe diagnose rollBack observe release`,
    ends: ["superseded", "START_FAILED", "yes"],
  },
  {
    name: "someone else takes over while the new version starts",
    moments: [...upTo.watch, on.superseded, on.released],
    calls: `${START}observe release`,
    ends: ["superseded", "SUPERSEDED", "yes"],
  },
  {
    name: "someone else takes over after the proof",
    moments: [...upTo.commit, on.committed, on.superseded, on.released],
    calls: `${START}observe verify commit observe release`,
    ends: ["superseded", "SUPERSEDED", "yes"],
  },
  {
    name: "a lost apply is found overtaken: ours may have been there",
    moments: [...upTo.apply, on.transient, on.foundMoved, on.released],
    calls: `${START}locate release`,
    ends: ["superseded", "FAULT_TRANSIENT", "maybe"],
  },
  {
    name: "rollback is off",
    options: { rollback: false },
    moments: [...upTo.watch, on.failed, on.explained, on.released],
    calls: `${START}observe diagnose release`,
    ends: ["failed", "OUT_OF_MEMORY", "yes"],
  },
  {
    name: "rollback is off and the budget ends",
    options: { rollback: false },
    moments: [...upTo.watch, [60_000, on.progressing], on.noIdea, on.released],
    calls: `${START}observe diagnose release`,
    ends: ["timed-out", "TIMED_OUT", "yes"],
  },
];

test.each(ROWS.map((row) => [row.name, row] as const))("%s", (_name, row) => {
  const played = play(row.moments, row.options);
  expect(played.calls).toBe(row.calls);
  expect(endOf(played)).toEqual(row.ends);
});

import { expect, test } from "@jest/globals";
import { BACK, endOf, goesBack, on, play, type Row, START, upTo } from "./timeline.ts";

/** Timelines with a cancel. */
const ROWS: readonly Row[] = [
  {
    name: "while reading",
    moments: [on.cancel],
    calls: "inspect",
    ends: ["cancelled", "CANCELLED", "no"],
  },
  {
    name: "while taking the lock: it is given back",
    moments: [...upTo.gate, on.cancel, on.clear, on.released],
    calls: "inspect plan gate ! release",
    ends: ["cancelled", "CANCELLED", "no"],
  },
  {
    name: "while waiting for the lock",
    moments: [...upTo.gate, on.busy, on.cancel, on.interrupted, on.released],
    calls: "inspect plan gate gate ! release",
    ends: ["cancelled", "CANCELLED", "no"],
  },
  {
    name: "while reading behind the gate",
    moments: [...upTo.gate, on.clear, on.cancel, on.released],
    calls: "inspect plan gate inspect release",
    ends: ["cancelled", "CANCELLED", "no"],
  },
  {
    name: "while applying, which ends well",
    moments: [...upTo.apply, on.cancel, on.applied, ...goesBack],
    calls: `${START}! ${BACK}`,
    ends: ["cancelled", "CANCELLED", "yes"],
  },
  {
    name: "while applying, which can still be stopped",
    moments: [...upTo.apply, on.cancel, on.notApplied, on.released],
    calls: `${START}! release`,
    ends: ["cancelled", "CANCELLED", "no"],
  },
  {
    name: "while applying, and the answer is lost",
    moments: [...upTo.apply, on.cancel, on.interrupted, on.untouched, [4000, on.untouched], on.released],
    calls: `${START}! rollBack rollBack release`,
    ends: ["cancelled", "CANCELLED", "no"],
  },
  {
    name: "while looking for a lost apply",
    moments: [...upTo.apply, on.transient, on.cancel, on.restored, [4000, on.restored], ...goesBack.slice(1)],
    calls: `${START}locate rollBack ${BACK}`,
    ends: ["cancelled", "FAULT_TRANSIENT", "yes"],
  },
  {
    name: "while watching: the way back leaves at once, without an explanation",
    moments: [...upTo.watch, on.cancel, ...goesBack],
    calls: `${START}observe ${BACK}`,
    ends: ["cancelled", "CANCELLED", "yes"],
  },
  {
    name: "while verifying",
    moments: [...upTo.verify, on.cancel, ...goesBack],
    calls: `${START}observe verify ${BACK}`,
    ends: ["cancelled", "CANCELLED", "yes"],
  },
  {
    name: "while committing",
    moments: [...upTo.commit, on.cancel, on.committed, ...goesBack],
    calls: `${START}observe verify commit ! ${BACK}`,
    ends: ["cancelled", "CANCELLED", "yes"],
  },
  {
    name: "while committing, and the answer is lost",
    moments: [...upTo.commit, on.cancel, on.interrupted, ...goesBack],
    calls: `${START}observe verify commit ! ${BACK}`,
    ends: ["cancelled", "CANCELLED", "yes"],
  },
  {
    name: "while explaining a failure: its cause is kept",
    moments: [...upTo.watch, on.failed, on.cancel, ...goesBack],
    calls: `${START}observe diagnose ${BACK}`,
    ends: ["cancelled", "START_FAILED", "yes"],
  },
  {
    name: "while the target goes back by itself",
    moments: [...upTo.watch, on.reverted, on.cancel, on.ready, on.proven, on.ready, on.released],
    calls: `${START}observe diagnose observe verify observe release`,
    ends: ["cancelled", "BREAKER", "yes"],
  },
  {
    name: "on the way back: it goes on",
    moments: [...upTo.watch, on.failed, on.noIdea, on.cancel, ...goesBack],
    calls: `${START}observe diagnose ${BACK}`,
    ends: ["cancelled", "START_FAILED", "yes"],
  },
  {
    name: "and the way back fails, which is the worse news",
    moments: [...upTo.watch, on.cancel, on.notRestored, on.released],
    calls: `${START}observe rollBack release`,
    ends: ["rollback-failed", "CANCELLED", "yes"],
  },
  {
    name: "and someone else has taken over",
    moments: [...upTo.watch, on.cancel, on.moved, on.released],
    calls: `${START}observe rollBack release`,
    ends: ["cancelled", "CANCELLED", "yes"],
  },
  {
    name: "twice: the second changes nothing",
    moments: [...upTo.watch, on.cancel, on.cancel, ...goesBack],
    calls: `${START}observe ${BACK}`,
    ends: ["cancelled", "CANCELLED", "yes"],
  },
  {
    name: "while watching, with on-cancel leave",
    options: { onCancel: "leave" },
    moments: [...upTo.watch, on.cancel, on.released],
    calls: `${START}observe release`,
    ends: ["cancelled", "CANCELLED", "yes"],
  },
  {
    name: "while watching, with rollback off",
    options: { rollback: false },
    moments: [...upTo.watch, on.cancel, on.released],
    calls: `${START}observe release`,
    ends: ["cancelled", "CANCELLED", "yes"],
  },
];

test.each(ROWS.map((row) => [row.name, row] as const))("%s", (_name, row) => {
  const played = play(row.moments, row.options);
  expect(played.calls).toBe(row.calls);
  expect(endOf(played)).toEqual(row.ends);
});

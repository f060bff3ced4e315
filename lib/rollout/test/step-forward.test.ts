import { expect, test } from "@jest/globals";
import { endOf, goesBack, on, play, type Row, START, upTo } from "./timeline.ts";

/** Up to the first of two stages. */
const twoStages = [on.inspected, on.stages, on.clear, on.inspected, on.stages];

/** Timelines that end green, or red before anything was changed. */
const ROWS: readonly Row[] = [
  {
    name: "all goes well",
    moments: [...upTo.commit, on.committed, on.ready, on.released],
    calls: `${START}observe verify commit observe release`,
    ends: ["succeeded", "", "yes"],
  },
  {
    name: "nothing to change: nothing is written, not even a lock",
    moments: [on.inspected, on.unchanged],
    calls: "inspect plan",
    ends: ["unchanged", "", "no"],
  },
  {
    name: "a dry run reads only",
    options: { dryRun: true },
    moments: [on.inspected, on.change],
    calls: "inspect plan",
    ends: ["planned", "", "no"],
  },
  {
    name: "a dry run without a difference is a plan too",
    options: { dryRun: true },
    moments: [on.inspected, on.unchanged],
    calls: "inspect plan",
    ends: ["planned", "", "no"],
  },
  {
    name: "someone else deployed the same while we waited",
    moments: [...upTo.gate, on.busy, [5000, on.clear], on.inspected, on.unchanged, on.released],
    calls: "inspect plan gate gate inspect plan release",
    ends: ["unchanged", "", "no"],
  },
  {
    name: "waits for another rollout to end",
    moments: [
      ...upTo.gate,
      on.busy,
      [1000, on.busy],
      [1500, on.clear],
      on.inspected,
      on.change,
      on.applied,
      on.ready,
      on.proven,
      on.committed,
      on.ready,
      on.released,
    ],
    calls: "inspect plan gate gate gate inspect plan apply observe verify commit observe release",
    ends: ["succeeded", "", "yes"],
  },
  {
    name: "two stages, each watched and verified, committed once",
    moments: [
      on.inspected,
      on.stages,
      on.clear,
      on.inspected,
      on.stages,
      on.applied,
      on.ready,
      on.proven,
      on.applied,
      on.ready,
      on.proven,
      on.committed,
      on.ready,
      on.released,
    ],
    calls: `${START}observe verify apply observe verify commit observe release`,
    ends: ["succeeded", "", "yes"],
  },
  {
    name: "a stage that only prepares has changed nothing when it fails",
    moments: [...twoStages, on.prepared, on.failed, on.noIdea, on.untouched, on.released],
    calls: `${START}observe diagnose rollBack release`,
    ends: ["failed", "START_FAILED", "no"],
  },
  {
    name: "the stage after one that only prepared counts as ever",
    moments: [...twoStages, on.prepared, on.ready, on.proven, on.applied, on.failed, on.noIdea, ...goesBack],
    calls: `${START}observe verify apply observe diagnose rollBack observe verify observe release`,
    ends: ["rolled-back", "START_FAILED", "yes"],
  },
  {
    name: "a stage that only prepared is left: nothing was changed",
    options: { rollback: false },
    moments: [...twoStages, on.prepared, on.failed, on.noIdea, on.released],
    calls: `${START}observe diagnose release`,
    ends: ["failed", "START_FAILED", "no"],
  },
  {
    name: "the answer of apply is lost, but it landed",
    moments: [
      ...upTo.apply,
      on.transient,
      on.found,
      on.ready,
      on.proven,
      on.committed,
      on.ready,
      on.released,
    ],
    calls: `${START}locate observe verify commit observe release`,
    ends: ["succeeded", "", "yes"],
  },
  {
    name: "the answer of apply is lost, and it lands late",
    moments: [
      ...upTo.apply,
      on.transient,
      on.notFound,
      [2000, on.found],
      on.ready,
      on.proven,
      on.committed,
      on.ready,
      on.released,
    ],
    calls: `${START}locate locate observe verify commit observe release`,
    ends: ["succeeded", "", "yes"],
  },
  {
    name: "a confirmation that finds things moving starts the proof anew",
    moments: [
      ...upTo.commit,
      on.committed,
      on.progressing,
      on.ready,
      on.proven,
      on.committed,
      on.ready,
      on.released,
    ],
    calls: `${START}observe verify commit observe observe verify commit observe release`,
    ends: ["succeeded", "", "yes"],
  },
  {
    name: "the lock cannot be given back: the verdict stands",
    moments: [...upTo.commit, on.committed, on.ready, on.denied],
    calls: `${START}observe verify commit observe release`,
    ends: ["succeeded", "", "yes"],
  },
  {
    name: "what runs cannot be read",
    moments: [on.denied],
    calls: "inspect",
    ends: ["failed", "FAULT_DENIED", "no"],
  },
  {
    name: "the plan is refused",
    moments: [on.inspected, on.planRefused],
    calls: "inspect plan",
    ends: ["failed", "STALE_RUN", "no"],
  },
  {
    name: "the gate is refused",
    moments: [...upTo.gate, on.gateRefused, on.released],
    calls: "inspect plan gate release",
    ends: ["failed", "ACCESS_DENIED", "no"],
  },
  {
    name: "the answer of the gate is lost: the lock is given back in any case",
    moments: [...upTo.gate, on.timeout, on.released],
    calls: "inspect plan gate release",
    ends: ["failed", "FAULT_TIMEOUT", "no"],
  },
  {
    name: "another rollout, on-concurrent fail",
    options: { onConcurrent: "fail" },
    moments: [...upTo.gate, on.busy, on.released],
    calls: "inspect plan gate release",
    ends: ["failed", "LOCKED", "no"],
  },
  {
    name: "another rollout that outlasts the budget",
    moments: [...upTo.gate, on.busy, [60_000, on.busy], on.released],
    calls: "inspect plan gate gate release",
    ends: ["failed", "LOCKED", "no"],
  },
  {
    name: "the way becomes free when the budget is gone",
    moments: [...upTo.gate, on.busy, [60_000, on.clear], on.inspected, on.change, on.released],
    calls: "inspect plan gate gate inspect plan release",
    ends: ["failed", "TIMED_OUT", "no"],
  },
  {
    name: "someone else holds the plan back after the wait",
    moments: [...upTo.gate, on.clear, on.inspected, on.planRefused, on.released],
    calls: "inspect plan gate inspect plan release",
    ends: ["failed", "STALE_RUN", "no"],
  },
  {
    name: "the change is refused",
    moments: [...upTo.apply, on.notApplied, on.released],
    calls: `${START}release`,
    ends: ["failed", "DISK_FULL", "no"],
  },
  {
    name: "someone else was faster",
    moments: [...upTo.apply, on.applyMoved, on.released],
    calls: `${START}release`,
    ends: ["superseded", "SUPERSEDED", "no"],
  },
  {
    name: "the answer of apply is lost, and it never landed",
    moments: [...upTo.apply, on.transient, on.notFound, [4000, on.notFound], on.released],
    calls: `${START}locate locate release`,
    ends: ["failed", "FAULT_TRANSIENT", "no"],
  },
  {
    name: "the answer of apply is lost, and nobody can tell: the way back finds nothing",
    moments: [...upTo.apply, on.transient, on.denied, on.untouched, [4000, on.untouched], on.released],
    calls: `${START}locate rollBack rollBack release`,
    ends: ["failed", "FAULT_TRANSIENT", "no"],
  },
];

test.each(ROWS.map((row) => [row.name, row] as const))("%s", (_name, row) => {
  const played = play(row.moments, row.options);
  expect(played.calls).toBe(row.calls);
  expect(endOf(played)).toEqual(row.ends);
});

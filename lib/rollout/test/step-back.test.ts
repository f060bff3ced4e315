import { expect, test } from "@jest/globals";
import { BACK, endOf, goesBack, on, play, type Row, START, upTo } from "./timeline.ts";

/** Timelines that turn back, and get there. */
const ROWS: readonly Row[] = [
  {
    name: "it fails to start",
    moments: [...upTo.watch, on.failed, on.noIdea, ...goesBack],
    calls: `${START}observe diagnose ${BACK}`,
    ends: ["rolled-back", "START_FAILED", "yes"],
  },
  {
    name: "the explanation gives the code",
    moments: [...upTo.watch, on.failed, on.explained, ...goesBack],
    calls: `${START}observe diagnose ${BACK}`,
    ends: ["rolled-back", "OUT_OF_MEMORY", "yes"],
  },
  {
    name: "no explanation is to be had",
    moments: [...upTo.watch, on.failed, on.timeout, ...goesBack],
    calls: `${START}observe diagnose ${BACK}`,
    ends: ["rolled-back", "START_FAILED", "yes"],
  },
  {
    name: "it stalls",
    moments: [...upTo.watch, on.stalled, on.noIdea, ...goesBack],
    calls: `${START}observe diagnose ${BACK}`,
    ends: ["rolled-back", "STALLED", "yes"],
  },
  {
    name: "the credentials run out during the watch",
    moments: [...upTo.watch, on.forbidden, on.noIdea, ...goesBack],
    calls: `${START}observe diagnose ${BACK}`,
    ends: ["rolled-back", "CREDENTIALS_EXPIRED", "yes"],
  },
  {
    name: "it is not ready in time",
    moments: [...upTo.watch, on.progressing, [60_000, on.progressing], on.noIdea, ...goesBack],
    calls: `${START}observe observe diagnose ${BACK}`,
    ends: ["rolled-back", "TIMED_OUT", "yes"],
  },
  {
    name: "it is not ready in time, and the last look suspects why",
    moments: [...upTo.watch, [60_000, on.suspect], on.noIdea, ...goesBack],
    calls: `${START}observe diagnose ${BACK}`,
    ends: ["rolled-back", "NO_CAPACITY", "yes"],
  },
  {
    name: "it starts and is unhealthy",
    moments: [...upTo.verify, on.unhealthy, on.noIdea, ...goesBack],
    calls: `${START}observe verify diagnose ${BACK}`,
    ends: ["rolled-back", "HEALTH_CHECK_FAILED", "yes"],
  },
  {
    name: "the check never ends",
    moments: [...upTo.verify, [60_000, on.timeout], on.noIdea, ...goesBack],
    calls: `${START}observe verify diagnose ${BACK}`,
    ends: ["rolled-back", "FAULT_TIMEOUT", "yes"],
  },
  {
    name: "it cannot be committed",
    moments: [...upTo.commit, on.commitFailed, on.noIdea, ...goesBack],
    calls: `${START}observe verify commit diagnose ${BACK}`,
    ends: ["rolled-back", "COMMIT_FAILED", "yes"],
  },
  {
    name: "it fails after the proof, before the verdict",
    moments: [...upTo.commit, on.committed, on.failed, on.noIdea, ...goesBack],
    calls: `${START}observe verify commit observe diagnose ${BACK}`,
    ends: ["rolled-back", "START_FAILED", "yes"],
  },
  {
    name: "the target goes back by itself: that is watched and proven, not repeated",
    moments: [
      ...upTo.watch,
      on.reverted,
      on.noIdea,
      on.progressing,
      on.ready,
      on.proven,
      on.ready,
      on.released,
    ],
    calls: `${START}observe diagnose observe observe verify observe release`,
    ends: ["rolled-back", "BREAKER", "yes"],
  },
  {
    name: "the target goes back by itself although rollback is off",
    options: { rollback: false },
    moments: [...upTo.watch, on.reverted, on.noIdea, on.ready, on.proven, on.ready, on.released],
    calls: `${START}observe diagnose observe verify observe release`,
    ends: ["rolled-back", "BREAKER", "yes"],
  },
  {
    name: "the second stage is refused: the first goes back too",
    moments: [
      on.inspected,
      on.stages,
      on.clear,
      on.inspected,
      on.stages,
      on.applied,
      on.ready,
      on.proven,
      on.notApplied,
      on.noIdea,
      ...goesBack,
    ],
    calls: `${START}observe verify apply diagnose ${BACK}`,
    ends: ["rolled-back", "DISK_FULL", "yes"],
  },
  {
    name: "the answer of the way back is lost: asked again, and what is back already is proven",
    moments: [
      ...upTo.watch,
      on.failed,
      on.noIdea,
      on.transient,
      on.untouched,
      on.ready,
      on.proven,
      on.ready,
      on.released,
    ],
    calls: `${START}observe diagnose rollBack rollBack observe verify observe release`,
    ends: ["rolled-back", "START_FAILED", "yes"],
  },
  {
    name: "the answers of apply and of the way back are lost: what is found untouched may be back already",
    moments: [
      ...upTo.apply,
      on.transient,
      on.denied,
      on.transient,
      [4000, on.untouched],
      ...goesBack.slice(1),
    ],
    calls: `${START}locate rollBack ${BACK}`,
    ends: ["rolled-back", "FAULT_TRANSIENT", "yes"],
  },
  {
    name: "a lost apply may land after the first way back",
    moments: [
      ...upTo.apply,
      on.transient,
      on.denied,
      on.untouched,
      [4000, on.restored],
      ...goesBack.slice(1),
    ],
    calls: `${START}locate rollBack ${BACK}`,
    ends: ["rolled-back", "FAULT_TRANSIENT", "yes"],
  },
  {
    name: "a lost apply that the way back has found is not waited for",
    moments: [...upTo.apply, on.transient, on.denied, on.restoredFound, ...goesBack.slice(1)],
    calls: `${START}locate ${BACK}`,
    ends: ["rolled-back", "FAULT_TRANSIENT", "yes"],
  },
  {
    name: "an apply that was never sent is not waited for",
    moments: [...upTo.apply, on.transient, on.denied, on.neverSent, on.released],
    calls: `${START}locate rollBack release`,
    ends: ["failed", "FAULT_TRANSIENT", "no"],
  },
  {
    name: "the old version moves during its proof: it is proven anew",
    moments: [
      ...upTo.watch,
      on.failed,
      on.noIdea,
      on.started,
      on.ready,
      on.proven,
      on.progressing,
      ...goesBack.slice(1),
    ],
    calls: `${START}observe diagnose rollBack observe verify observe observe verify observe release`,
    ends: ["rolled-back", "START_FAILED", "yes"],
  },
];

test.each(ROWS.map((row) => [row.name, row] as const))("%s", (_name, row) => {
  const played = play(row.moments, row.options);
  expect(played.calls).toBe(row.calls);
  expect(endOf(played)).toEqual(row.ends);
});

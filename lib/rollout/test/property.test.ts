import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { FAULTS, type FaultKind, LANDED } from "./bad-line.ts";
import { judge } from "./judge.ts";
import { type Run, simulate, type Trouble } from "./simulate.ts";
import type { Health, Scenario } from "./world.ts";

const HEALTHS: readonly Health[] = [
  "good",
  "crashes",
  "unhealthy",
  "never-ready",
  "reverted",
  "reverted-late",
];

const SCENARIOS: readonly (readonly [string, Scenario, string])[] = [
  ["good", { health: "good", parts: 1 }, "succeeded"],
  ["crashes", { health: "crashes", parts: 1 }, "rolled-back"],
  ["unhealthy", { health: "unhealthy", parts: 1 }, "rolled-back"],
  ["never ready", { health: "never-ready", parts: 1 }, "rolled-back"],
  ["reverted by the target", { health: "reverted", parts: 1 }, "rolled-back"],
  ["reverted in the middle of the check", { health: "reverted-late", parts: 1 }, "rolled-back"],
  ["reverted behind a blind check", { health: "reverted-late", parts: 1, blindCheck: true }, "rolled-back"],
  ["good, in stages", { health: "good", parts: 2 }, "succeeded"],
  ["unhealthy, in stages", { health: "unhealthy", parts: 3 }, "rolled-back"],
  ["good, locked at first", { health: "good", parts: 1, lockedFor: 5000 }, "succeeded"],
  ["locked for too long", { health: "good", parts: 1, lockedFor: 500_000 }, "failed"],
  [
    "someone else while it is locked",
    { health: "good", parts: 1, lockedFor: 5000, theirsAt: 3000 },
    "succeeded",
  ],
  ["someone else right after us", { health: "good", parts: 1, theirsAt: 150 }, "superseded"],
  ["someone else during the watch", { health: "good", parts: 1, theirsAt: 2000 }, "superseded"],
  ["someone else between two stages", { health: "good", parts: 2, theirsAt: 5500 }, "superseded"],
  ["someone else on the way back", { health: "unhealthy", parts: 1, theirsAt: 14_000 }, "superseded"],
  ["a first deployment that crashes", { health: "crashes", parts: 1, first: true }, "failed"],
  ["refused", { health: "good", parts: 1, refusedStage: 0 }, "failed"],
  ["refused in the last stage", { health: "good", parts: 2, refusedStage: 1 }, "rolled-back"],
  ["neither version comes up", { health: "crashes", parts: 1, oldIsBroken: true }, "rollback-failed"],
];

/** One of these on a call that may be asked again must change nothing at all. */
const PASSING: readonly FaultKind[] = ["throttle", "server-error", "reset", "lost", "stale"];

async function check(scenario: Scenario, trouble: Trouble): Promise<Run> {
  const run = await simulate(scenario, trouble);
  const broken = judge(run, trouble);
  if (broken.length > 0) {
    const story = run.calls.map((call, i) => `${i}:${call.name}=${call.answer || "-"}`).join(" ");
    throw new Error(
      `${broken.join("; ")}\n${JSON.stringify({ scenario, trouble })}\n${run.outcome}: ${run.message} | post ${run.post}\n${story}`,
    );
  }
  return run;
}

function versions(run: Run): string[] {
  return run.world.parts.map((part) => part.version);
}

describe("every run ends proven, rolled back and proven, or untouched", () => {
  test.each(SCENARIOS)("%s: as it deserves", async (_name, scenario, outcome) => {
    const run = await check(scenario, {});
    expect([run.outcome, run.post]).toEqual([outcome, "nothing"]);
  });

  test.each(SCENARIOS)("%s: the process dies at every call", async (_name, scenario) => {
    const { calls } = await simulate(scenario);
    for (let call = 0; call < calls.length; call++) {
      for (const landed of LANDED) {
        const run = await check(scenario, { cut: { call, landed } });
        expect(run.outcome).toBe("killed");
        // The second post step knows as little as the first, and must leave everything as the first did.
        const again = await simulate(scenario, { cut: { call, landed }, postTwice: true });
        expect(versions(again)).toEqual(versions(run));
      }
    }
  });

  test.each(SCENARIOS)("%s: every fault at every call", async (_name, scenario, outcome) => {
    const { calls } = await simulate(scenario);
    for (const [call, seen] of calls.entries()) {
      for (const kind of FAULTS) {
        const run = await check(scenario, { faults: { [call]: kind } });
        // Asking again shifts the time, so a race against someone else may end another way.
        const race = scenario.theirsAt !== undefined || scenario.health === "reverted-late";
        const mustNotMatter = seen.name !== "apply" && PASSING.includes(kind) && !race;
        if (mustNotMatter) expect([seen.name, kind, run.outcome]).toEqual([seen.name, kind, outcome]);
      }
    }
  });

  test.each(SCENARIOS)(
    "%s: a cancel at every call, early, late, and with a kill",
    async (_name, scenario) => {
      const { calls } = await simulate(scenario);
      for (let call = 0; call < calls.length; call++) {
        for (const after of [0, 10, 30, 700]) {
          for (const kill of [false, true]) await check(scenario, { cancel: { call, after, kill } });
        }
      }
    },
  );

  const pairs = [
    "good",
    "unhealthy, in stages",
    "a first deployment that crashes",
    "someone else right after us",
  ];
  const chosen = SCENARIOS.filter(([name]) => pairs.includes(name));

  test.each(chosen)("%s: a lost apply, and then anything else", async (_name, scenario) => {
    const { calls } = await simulate(scenario);
    for (const [apply, seen] of calls.entries()) {
      if (seen.name !== "apply") continue;
      for (const lost of ["lost", "late"] as const) {
        const faults = { [apply]: lost };
        for (const after of [0, 20, 500]) await check(scenario, { faults, cancel: { call: apply, after } });
        for (let call = apply + 1; call < apply + 12; call++) {
          for (const kind of FAULTS) await check(scenario, { faults: { ...faults, [call]: kind } });
          for (const landed of LANDED) await check(scenario, { faults, cut: { call, landed } });
          for (const after of [0, 300]) await check(scenario, { faults, cancel: { call, after } });
        }
      }
    }
  });

  test.each(SCENARIOS)("%s: from some call on everything fails", async (_name, scenario) => {
    const { calls } = await simulate(scenario);
    for (let call = 0; call < calls.length; call++) {
      for (const kind of ["reset", "denied", "deaf"] as const) {
        await check(scenario, { faultsFrom: { call, kind } });
      }
    }
  });
});

const scenarios: fc.Arbitrary<Scenario> = fc.record(
  {
    health: fc.constantFrom(...HEALTHS),
    parts: fc.integer({ min: 1, max: 3 }),
    theirsAt: fc.integer({ min: 0, max: 40_000 }),
    lockedFor: fc.integer({ min: 1, max: 70_000 }),
    refusedStage: fc.integer({ min: 0, max: 2 }),
    first: fc.boolean(),
    oldIsBroken: fc.boolean(),
    blindCheck: fc.boolean(),
  },
  { requiredKeys: ["health", "parts"] },
);

const call = fc.integer({ min: 0, max: 40 });

const troubles: fc.Arbitrary<Trouble> = fc.record(
  {
    options: fc.record(
      {
        rollback: fc.boolean(),
        onCancel: fc.constantFrom("rollback", "leave"),
        onConcurrent: fc.constantFrom("wait", "fail", "supersede"),
      },
      { requiredKeys: [] },
    ),
    faults: fc.dictionary(fc.integer({ min: 0, max: 40 }).map(String), fc.constantFrom(...FAULTS), {
      maxKeys: 4,
    }),
    cut: fc.record({ call, landed: fc.constantFrom(...LANDED) }),
    cancel: fc.record({ call, after: fc.integer({ min: 0, max: 3000 }), kill: fc.boolean() }),
  },
  { requiredKeys: [] },
);

test("any mix of scenario, options, faults, cancel and death", async () => {
  await fc.assert(
    fc.asyncProperty(scenarios, troubles, async (scenario, trouble) => {
      await check(scenario, trouble);
    }),
    { numRuns: 3000, seed: 20_260_101 },
  );
});

import type { Json } from "../types.ts";
import type { Rollout, Step, Timing } from "./state.ts";

/** The steps that a native deployment goes through, from its configuration. */
export function stepsOf(strategy: Rollout["strategy"], configuration: Json, timing: Timing): readonly Step[] {
  const before = (stage: string, testWeight: number, lasts: Step["lasts"] = timing.stage): Step => ({
    stage,
    weight: 0,
    testWeight,
    lasts,
  });
  const after = (stage: string, lasts: Step["lasts"] = timing.stage): Step => ({
    stage,
    weight: 100,
    testWeight: 100,
    lasts,
  });
  return [
    before("RECONCILE_SERVICE", 0),
    before("PRE_SCALE_UP", 0),
    before("SCALE_UP", 0, "scaled-up"),
    before("POST_SCALE_UP", 0),
    before("TEST_TRAFFIC_SHIFT", 100),
    before("POST_TEST_TRAFFIC_SHIFT", 100),
    ...shifts(strategy, configuration, timing),
    after("POST_PRODUCTION_TRAFFIC_SHIFT"),
    after("BAKE_TIME", minutes(configuration["bakeTimeInMinutes"], 0)),
    after("CLEAN_UP", "cleaned-up"),
  ];
}

function minutes(value: unknown, fallback: number): number {
  return Number(value ?? fallback) * 60_000;
}

/** The production traffic's way to the new revision: at once, in equal parts, or a little first. */
function shifts(strategy: Rollout["strategy"], configuration: Json, timing: Timing): readonly Step[] {
  const plan = weights(strategy, configuration);
  return plan.flatMap(({ weight, bake }, index) => [
    {
      stage: "PRE_PRODUCTION_TRAFFIC_SHIFT",
      weight: plan[index - 1]?.weight ?? 0,
      testWeight: 100,
      lasts: timing.stage,
    },
    { stage: "PRODUCTION_TRAFFIC_SHIFT", weight, testWeight: 100, lasts: timing.stage + bake },
  ]);
}

interface Shift {
  readonly weight: number;
  /** Milliseconds until the next shift; none after the last one. */
  readonly bake: number;
}

function weights(strategy: Rollout["strategy"], configuration: Json): readonly Shift[] {
  if (strategy === "CANARY") {
    const canary = (configuration["canaryConfiguration"] ?? {}) as Json;
    const bake = minutes(canary["canaryBakeTimeInMinutes"], 10);
    return [
      { weight: Number(canary["canaryPercent"] ?? 5), bake },
      { weight: 100, bake: 0 },
    ];
  }
  if (strategy === "LINEAR") {
    const linear = (configuration["linearConfiguration"] ?? {}) as Json;
    const part = Number(linear["stepPercent"] ?? 10);
    const bake = minutes(linear["stepBakeTimeInMinutes"], 6);
    const count = Math.ceil(100 / part);
    return Array.from({ length: count }, (_, index) => ({
      weight: index + 1 === count ? 100 : part * (index + 1),
      bake: index + 1 === count ? 0 : bake,
    }));
  }
  return [{ weight: 100, bake: 0 }];
}

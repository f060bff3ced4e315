import type { Json } from "../types.ts";

/** The circuit breaker's part of a deployment configuration. */
export interface BreakerSettings {
  readonly enable: boolean;
  readonly rollback: boolean;
  readonly resetOnHealthyTask: boolean;
  readonly type: "BOUNDED_PERCENT" | "UNBOUNDED_PERCENT" | "COUNT";
  readonly value: number;
}

/** Reads the settings with AWS's defaults. */
export function breakerSettings(configuration: Json): BreakerSettings {
  const breaker = (configuration["deploymentCircuitBreaker"] ?? {}) as Json;
  const threshold = (breaker["thresholdConfiguration"] ?? {}) as Json;
  return {
    enable: breaker["enable"] === true,
    rollback: breaker["rollback"] === true,
    resetOnHealthyTask: breaker["resetOnHealthyTask"] !== false,
    type: (threshold["type"] ?? "BOUNDED_PERCENT") as BreakerSettings["type"],
    value: Number(threshold["value"] ?? 50),
  };
}

/**
 * How many failures trip it, for the latest desired count. By default half of the
 * tasks, at least 3 (also for one task) and at most 200.
 */
export function breakerThreshold(settings: BreakerSettings, desired: number): number {
  if (settings.type === "COUNT") return settings.value;
  const share = Math.ceil((settings.value / 100) * desired);
  return settings.type === "UNBOUNDED_PERCENT" ? Math.max(1, share) : Math.min(200, Math.max(3, share));
}

import type { Segment } from "./schedule.ts";

/** How the load changes while it is measured. Rates are requests a second. */
export type Profile =
  | { readonly kind: "constant" }
  | { readonly kind: "ramp"; readonly from: number; readonly to: number }
  | { readonly kind: "steps"; readonly rates: readonly number[] }
  | { readonly kind: "spike"; readonly peak: number }
  | { readonly kind: "find-max" };

const FORMS = "`constant`, `ramp:<from>-<to>`, `steps:<a,b,c>`, `spike:<peak>`, `find-max`";

/** Reads the `profile` input; the problem names what is allowed. */
export function parseProfile(text: string): Profile | { readonly problem: string } {
  const value = text.trim();
  if (value === "constant" || value === "find-max") return { kind: value };
  const ramp = /^ramp:\s*(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)$/.exec(value);
  if (ramp) {
    const [from, to] = [Number(ramp[1]), Number(ramp[2])];
    return from + to > 0
      ? { kind: "ramp", from, to }
      : { problem: `\`${value}\`: one of its rates must be above 0` };
  }
  if (/^steps:\s*\d+(\.\d+)?(\s*,\s*\d+(\.\d+)?)*$/.test(value)) {
    const rates = value.slice(6).split(",").map(Number);
    return rates.every((rate) => rate > 0)
      ? { kind: "steps", rates }
      : { problem: `\`${value}\`: each rate must be above 0` };
  }
  const spike = /^spike:\s*(\d+(?:\.\d+)?)$/.exec(value);
  if (spike && Number(spike[1]) > 0) return { kind: "spike", peak: Number(spike[1]) };
  return { problem: `\`${value}\`: allowed is ${FORMS} (rates in requests a second)` };
}

/** The highest rate that a profile asks for. */
export function peakRate(profile: Profile, rate: number): number {
  if (profile.kind === "ramp") return Math.max(profile.from, profile.to);
  if (profile.kind === "steps") return Math.max(...profile.rates);
  if (profile.kind === "spike") return Math.max(rate, profile.peak);
  return rate;
}

/**
 * The spans of an open-model run: a warm-up at half of the first rate, then the
 * profile over `durationMs`. A ramp takes the whole duration; steps share it
 * evenly; a spike holds its peak for the middle fifth.
 */
export function segmentsOf(profile: Profile, rate: number, warmUpMs: number, durationMs: number): Segment[] {
  const measured = measuredSegments(profile, rate, durationMs);
  const first = measured[0]?.from || measured[0]?.to || rate;
  const warmUp: Segment[] =
    warmUpMs > 0 ? [{ ms: warmUpMs, from: first / 2, to: first / 2, measured: false }] : [];
  return [...warmUp, ...measured];
}

function measuredSegments(profile: Profile, rate: number, durationMs: number): Segment[] {
  const flat = (ms: number, at: number): Segment => ({ ms, from: at, to: at, measured: true });
  switch (profile.kind) {
    case "ramp":
      return [{ ms: durationMs, from: profile.from, to: profile.to, measured: true }];
    case "steps":
      return profile.rates.map((step) => flat(durationMs / profile.rates.length, step));
    case "spike":
      return [
        flat(durationMs * 0.4, rate),
        flat(durationMs * 0.2, profile.peak),
        flat(durationMs * 0.4, rate),
      ];
    default:
      return [flat(durationMs, rate)];
  }
}

/** The unit in which a bare number is read. */
export type DurationUnit = "ms" | "s" | "m" | "h";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The longest duration that is accepted, milliseconds: Node's timers fire at once when asked for 25 days or more. */
export const LONGEST_MS = 24 * 24 * 3_600_000;

/**
 * Reads `500ms`, `90s`, `10m`, `1h30m`, or a bare number in `bare` units.
 * Returns whole milliseconds, or undefined when the text is none of these.
 */
export function parseDuration(text: string, bare: DurationUnit): number | undefined {
  const trimmed = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Math.round(Number(trimmed) * (UNIT_MS[bare] ?? 1));
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return Math.round(total);
}

/** Milliseconds in the notation that inputs have: `500ms`, `90s`, `10m`, `1h30m`. */
export function durationText(ms: number): string {
  if (ms < 60_000) return ms % 1000 === 0 && ms !== 0 ? `${ms / 1000}s` : `${ms}ms`;
  const parts = [
    [Math.floor(ms / 3_600_000), "h"],
    [Math.floor(ms / 60_000) % 60, "m"],
    [Math.floor(ms / 1000) % 60, "s"],
    [ms % 1000, "ms"],
  ] as const;
  return parts.flatMap(([amount, unit]) => (amount === 0 ? [] : [`${amount}${unit}`])).join("");
}

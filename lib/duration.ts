/** The unit in which a bare number is read. */
export type DurationUnit = "ms" | "s" | "m" | "h";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads `500ms`, `90s`, `10m`, `1h30m`, or a bare number in `bare` units.
 * Returns milliseconds, or undefined when the text is none of these.
 */
export function parseDuration(text: string, bare: DurationUnit): number | undefined {
  const trimmed = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed) * (UNIT_MS[bare] ?? 1);
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return total;
}

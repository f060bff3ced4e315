import type { Clock } from "../../../lib/clock.ts";
import { endStrays } from "../../../lib/strays.ts";

const PATIENCE_MS = 1500;

/** Ends what a killed run left: engines' clients and scanners have its private folder in their environment. */
export function endChildren(folder: string, clock: Clock): Promise<number> {
  return endStrays((line) => isBelow(line, folder), PATIENCE_MS, clock);
}

/** `NAME=<folder>` or `NAME=<folder>/...`. */
function isBelow(line: string, folder: string): boolean {
  const value = line.slice(line.indexOf("=") + 1);
  return value === folder || value.startsWith(`${folder}/`);
}

import { randomBytes } from "node:crypto";
import type { Clock } from "../../../lib/clock.ts";
import { endStrays } from "../../../lib/strays.ts";

/** The name under which the post step finds the mark. */
export const MARK_STATE = "mark";
/** The variable that every command of the project inherits, and hands on to its own children. */
export const MARK_VARIABLE = "GOCI_BUILD_TEST";

const PATIENCE_MS = 1000;

/** A value that no other run has. */
export function newMark(): string {
  return randomBytes(12).toString("hex");
}

/** Whether a saved value is a mark of ours. */
export function isMark(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{24}$/.test(value);
}

/** Ends the processes that a killed step left: those whose environment holds the mark. */
export function endMarked(mark: string, clock: Clock): Promise<number> {
  return endStrays((line) => line === `${MARK_VARIABLE}=${mark}`, PATIENCE_MS, clock);
}

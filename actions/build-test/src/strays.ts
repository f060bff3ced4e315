import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Clock } from "../../../lib/clock.ts";

/** The name under which the post step finds the mark. */
export const MARK_STATE = "mark";
/** The variable that every command of the project inherits, and hands on to its own children. */
export const MARK_VARIABLE = "GOCI_BUILD_TEST";

const PATIENCE_MS = 1000;
const LOOK_MS = 25;

/** A value that no other run has. */
export function newMark(): string {
  return randomBytes(12).toString("hex");
}

/** Whether a saved value is a mark of ours. */
export function isMark(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{24}$/.test(value);
}

/**
 * Ends the processes that a killed step left: those whose environment holds the
 * mark. Only where /proc tells environments (Linux). Returns how many there were.
 */
export async function endStrays(mark: string, clock: Clock): Promise<number> {
  const found = marked(mark);
  for (const pid of found) send(pid, "SIGTERM");
  const end = clock.now() + PATIENCE_MS;
  while (clock.now() < end && marked(mark).length > 0) await clock.sleep(LOOK_MS);
  for (const pid of marked(mark)) send(pid, "SIGKILL");
  return found.length;
}

function marked(mark: string): number[] {
  const wanted = `${MARK_VARIABLE}=${mark}`;
  const pids = listFolder("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.filter((pid) => environmentOf(pid).includes(wanted)).map(Number);
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    // It ended meanwhile, or belongs to someone else.
    return [];
  }
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
}

import { readdirSync, readFileSync } from "node:fs";
import type { Clock } from "./clock.ts";

const LOOK_MS = 25;

/**
 * Ends the processes that a killed step left: those in whose environment one
 * line is its mark. Children hand it on to their own children. Only where /proc
 * tells environments (Linux). Returns how many there were; what does not end
 * within `patienceMs` is killed.
 */
export async function endStrays(
  isMark: (line: string) => boolean,
  patienceMs: number,
  clock: Clock,
): Promise<number> {
  const found = marked(isMark);
  for (const pid of found) send(pid, "SIGTERM");
  const end = clock.now() + patienceMs;
  while (clock.now() < end && marked(isMark).length > 0) await clock.sleep(LOOK_MS);
  for (const pid of marked(isMark)) send(pid, "SIGKILL");
  return found.length;
}

function marked(isMark: (line: string) => boolean): number[] {
  const pids = listFolder("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.filter((pid) => environmentOf(pid).some(isMark)).map(Number);
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

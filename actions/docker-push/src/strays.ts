import { readdirSync, readFileSync } from "node:fs";
import type { Clock } from "../../../lib/clock.ts";

const PATIENCE_MS = 1500;
const LOOK_MS = 25;

/**
 * Ends the processes that a killed run left: engines' clients and scanners have
 * its private folder in their environment, and hand it on to their own
 * children. Only where /proc tells environments (Linux). Returns how many there were.
 */
export async function endStrays(folder: string, clock: Clock): Promise<number> {
  const found = processesOf(folder);
  for (const pid of found) send(pid, "SIGTERM");
  const end = clock.now() + PATIENCE_MS;
  while (clock.now() < end && processesOf(folder).length > 0) await clock.sleep(LOOK_MS);
  for (const pid of processesOf(folder)) send(pid, "SIGKILL");
  return found.length;
}

function processesOf(folder: string): number[] {
  const pids = namesIn("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.filter((pid) => environmentOf(pid).some((line) => isBelow(line, folder))).map(Number);
}

/** `NAME=<folder>` or `NAME=<folder>/...`. */
function isBelow(line: string, folder: string): boolean {
  const value = line.slice(line.indexOf("=") + 1);
  return value === folder || value.startsWith(`${folder}/`);
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    // It ended meanwhile, or belongs to someone else.
    return [];
  }
}

function namesIn(path: string): string[] {
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

import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join, sep } from "node:path";
import type { Clock } from "../../../../lib/clock.ts";
import { execute } from "../../../../lib/exec.ts";

/**
 * The processes whose working folder is `folder` or lies in it. PostgreSQL
 * works in its data folder and initdb is started in ours, and the folder's name
 * is random: no other process is ever meant, however pids are used again.
 */
export function processesIn(folder: string): number[] {
  const found: number[] = [];
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return found;
  }
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const cwd = readlinkSync(`/proc/${name}/cwd`).replace(/ \(deleted\)$/, "");
      if (cwd === folder || cwd.startsWith(folder + sep)) found.push(Number(name));
    } catch {
      // It ended meanwhile, or belongs to someone else.
    }
  }
  return found;
}

/** The server's own process, by its pid file; undefined when it is not running. */
async function postmaster(folder: string): Promise<number | undefined> {
  const data = join(folder, "data");
  const text = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(text.split("\n")[0]);
  if (!Number.isInteger(pid) || pid < 2) return undefined;
  if (processesIn(folder).includes(pid)) return pid;
  return (await isServerByPs(pid, data)) ? pid : undefined;
}

/** Where there is no /proc (macOS): the command line names our data folder. */
async function isServerByPs(pid: number, data: string): Promise<boolean> {
  if (hasProc()) return false;
  const argv = ["ps", "-p", String(pid), "-o", "command="] as const;
  const env = { PATH: "/usr/bin:/bin" };
  const exit = await execute({ argv, env, timeoutMs: 5000 }).catch(() => undefined);
  return exit?.stdout.includes(data) ?? false;
}

function hasProc(): boolean {
  return existsSync("/proc/self/cwd");
}

/**
 * What is sent to the server and to stray processes (initdb), and how long is
 * waited before the next, milliseconds. The data is thrown away, so the server
 * is told at once to stop without the checkpoint of a gentle shutdown.
 */
const LADDER: readonly (readonly [NodeJS.Signals, NodeJS.Signals, number])[] = [
  ["SIGQUIT", "SIGTERM", 2500],
  ["SIGKILL", "SIGKILL", 2000],
];
const LOOK_MS = 25;

/**
 * Stops whatever runs in the folder and removes it. Idempotent; a folder that
 * is gone is no error. Returns the pids that outlived even SIGKILL.
 */
export async function removeServer(folder: string, clock: Clock): Promise<readonly number[]> {
  for (const [toServer, toOthers, patienceMs] of LADDER) {
    const main = await postmaster(folder);
    const all = processesIn(folder);
    if (main === undefined && all.length === 0) break;
    // The postmaster ends its children in good order; without one, each is told itself.
    if (main !== undefined) send(main, toServer);
    if (main === undefined || toServer === "SIGKILL") for (const pid of all) send(pid, toOthers);
    const end = clock.now() + patienceMs;
    while (clock.now() < end && isAnyAlive(folder, main)) await clock.sleep(LOOK_MS);
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  return processesIn(folder);
}

function isAnyAlive(folder: string, main: number | undefined): boolean {
  // A process that has ended and is not yet reaped still takes signals; /proc knows better.
  return hasProc() ? processesIn(folder).length > 0 : main !== undefined && isAlive(main);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already.
  }
}

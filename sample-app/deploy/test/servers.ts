import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ServiceProcess, startProcess } from "../../test/service-process.ts";

/** The folder of sample-app. */
export const ROOT: string = resolve(import.meta.dirname, "../..");

const PATIENCE_MS = 20_000;

/** A program of this machine by name, "" when it is not installed; servers lie where a plain PATH does not reach. */
export function findProgram(name: string): string {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? "";
}

/** Runs a program to its end; its exit code and all it said. */
export function runProgram(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { code: number | null; output: string } {
  const done = spawnSync(findProgram(name) || name, args, {
    encoding: "utf8",
    timeout: 30_000,
    env: { ...process.env, ...env },
  });
  return { code: done.status, output: `${done.stdout}${done.stderr}` };
}

/** A folder for one test file. */
export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), "sample-app-stack-"));
}

/** A free loopback port. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => done(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** A server of the test's own, with what it has said so far. */
export interface Server {
  readonly child: ChildProcess;
  output(): string;
  stop(): Promise<void>;
}

/** Starts a server in the foreground. */
export function startServer(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Server {
  const child = spawn(findProgram(name) || name, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += String(chunk)));
  const ended = new Promise<void>((done) => {
    child.once("close", () => done());
    child.once("error", (error) => {
      text += error.message;
      done();
    });
  });
  const stop = async () => {
    child.kill("SIGTERM");
    const hard = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await ended;
    clearTimeout(hard);
  };
  return { child, output: () => text, stop };
}

/** Asks until there is an answer; what was said last is in the error. */
export async function until<T>(ask: () => Promise<T | undefined>, said: () => string): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${said()}`);
    await delay(50);
  }
}

/** An instance of the service with a release of its own; its database is not there, and these tests ask for none. */
export async function startInstance(release: string): Promise<ServiceProcess & { port: number }> {
  const nowhere = { HOST: "127.0.0.1", USER: "x", PASSWORD: "", DBNAME: "x", DBPORT: "1" };
  const instance = startProcess({ ...nowhere, RELEASE: release });
  const url = await instance.url();
  return { ...instance, port: Number(new URL(url).port) };
}

/** Stops an instance. */
export async function stopInstance(instance: ServiceProcess | undefined): Promise<void> {
  instance?.child.kill("SIGKILL");
  await instance?.exit;
}

import { type ChildProcess, spawn } from "node:child_process";
import { chown, cp, lchown, mkdir, open, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Clock } from "../../../../lib/clock.ts";
import { Failure, messageOf } from "../../../../lib/errors.ts";
import { execute } from "../../../../lib/exec.ts";
import type { Binaries } from "./binaries.ts";
import { type Account, canReach } from "./place.ts";
import { type Login, queryOnce } from "./wire.ts";

/** What the server is to be. */
export interface ServerOptions {
  readonly binaries: Binaries;
  /** The server's own folder; must not exist yet. */
  readonly folder: string;
  readonly account: Account | undefined;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly settings: ReadonlyMap<string, string>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How long a server may take until it answers, and how often it is asked, milliseconds. */
const READY_TIMEOUT_MS = 60_000;
const READY_INTERVAL_MS = 100;
/** Another program may take the free port before the server does. */
const PORT_TRIES = 3;
const LOG_LINES = 50;

/**
 * Makes a private cluster and starts it on a free port of 127.0.0.1. Resolves
 * when an authenticated `SELECT 1` in the wanted database is answered over TCP.
 * Rejects with `DATABASE_FAILED` and the end of the server's log.
 */
export async function startServer(options: ServerOptions): Promise<Login> {
  await mkdir(options.folder, { mode: 0o700 });
  await own(options.folder, options.account);
  const binaries = await reachableBinaries(options);
  await initialise(binaries, options);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    await configure(options, port);
    const failure = await launch(binaries, options, port);
    if (failure === undefined)
      return { port, user: options.user, password: options.password, database: options.database };
    const isPortTaken = failure.evidence.some((line) => /could not bind|Address already in use/i.test(line));
    if (!isPortTaken || attempt >= PORT_TRIES) throw failure;
  }
}

/** The binaries' folder, copied beside the data when the account cannot reach it. */
async function reachableBinaries(options: ServerOptions): Promise<string> {
  const { folder } = options.binaries;
  if (canReach(folder, options.account)) return folder;
  const copy = join(options.folder, "software");
  await cp(join(folder, ".."), copy, { recursive: true, verbatimSymlinks: true });
  await ownAll(copy, options.account);
  return join(copy, "bin");
}

/** Files that were installed under a strict umask would stay closed to the account. */
async function ownAll(folder: string, account: Account | undefined): Promise<void> {
  if (!account) return;
  await own(folder, account);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await lchown(join(entry.parentPath, entry.name), account.uid, account.gid);
  }
}

async function initialise(binaries: string, options: ServerOptions): Promise<void> {
  const passwordFile = join(options.folder, "password");
  await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 });
  await own(passwordFile, options.account);
  const run = (locale: readonly string[]) =>
    execute({
      argv: [
        join(binaries, "initdb"),
        ...["-D", join(options.folder, "data"), "-U", options.user, `--pwfile=${passwordFile}`],
        ...["--auth=scram-sha-256", "--encoding=UTF8", ...locale, "--lc-messages=C", "--no-sync"],
      ],
      cwd: options.folder,
      env: serverEnv(options),
      timeoutMs: READY_TIMEOUT_MS,
      signal: options.signal,
      ...asAccount(options.account),
    });
  let exit = await run(["--locale=C.UTF-8"]);
  if (exit.code !== 0 && /invalid locale/i.test(exit.stderr)) exit = await run(["--no-locale"]);
  options.signal.throwIfAborted();
  if (exit.code === 0) return;
  const lines = `${exit.stdout}\n${exit.stderr}`.trimEnd().split("\n").slice(-LOG_LINES);
  throw databaseFailed(`initdb ended with ${exit.timedOut ? "a timeout" : `exit code ${exit.code}`}`, lines);
}

/** Settings of ours come first, so that the user's win. */
async function configure(options: ServerOptions, port: number): Promise<void> {
  const settings = new Map([
    // The data is thrown away: nothing has to survive a crash of the machine.
    ["fsync", "off"],
    ["synchronous_commit", "off"],
    ["full_page_writes", "off"],
    ...options.settings,
    ["listen_addresses", "127.0.0.1"],
    ["port", String(port)],
    ["unix_socket_directories", ""],
    ["logging_collector", "off"],
    ["log_destination", "stderr"],
  ]);
  const lines = [...settings].map(
    ([name, value]) => `${name} = '${value.replace(/\\/g, "\\\\").replace(/'/g, "''")}'`,
  );
  const path = join(options.folder, "data", "goci.conf");
  await writeFile(path, `${lines.join("\n")}\n`, { mode: 0o600 });
  await own(path, options.account);
  const main = join(options.folder, "data", "postgresql.conf");
  const text = await readFile(main, "utf8");
  if (!text.includes("include 'goci.conf'")) await writeFile(main, `${text}\ninclude 'goci.conf'\n`);
}

/** Starts the server once; undefined when it is ready, else why not. */
async function launch(binaries: string, options: ServerOptions, port: number): Promise<Failure | undefined> {
  const log = join(options.folder, "server.log");
  const handle = await open(log, "w", 0o600);
  const child = spawn(join(binaries, "postgres"), ["-D", join(options.folder, "data")], {
    cwd: options.folder,
    env: serverEnv(options),
    // A group of its own, and no pipe to us: it outlives this process until the post step stops it.
    detached: true,
    stdio: ["ignore", handle.fd, handle.fd],
    ...asAccount(options.account),
  });
  const ended = endOf(child);
  child.unref();
  await handle.close();
  const problem = await waitUntilReady(options, port, ended);
  if (problem === undefined) return undefined;
  if (child.pid !== undefined && child.exitCode === null) child.kill("SIGQUIT");
  const lines = (await readFile(log, "utf8").catch(() => "")).trimEnd().split("\n").slice(-LOG_LINES);
  return databaseFailed(problem, lines);
}

function endOf(child: ChildProcess): { text: string } {
  const ended = { text: "" };
  child.on("error", (error) => {
    ended.text = `the server could not be started: ${messageOf(error)}`;
  });
  child.on("exit", (code, signal) => {
    ended.text ||= `the server ended with ${signal ?? `exit code ${code}`}`;
  });
  return ended;
}

async function waitUntilReady(
  options: ServerOptions,
  port: number,
  ended: { readonly text: string },
): Promise<string | undefined> {
  const { user, password, database, clock } = options;
  const admin: Login = { port, user, password, database: "postgres" };
  const end = clock.now() + READY_TIMEOUT_MS;
  let last = "";
  while (clock.now() < end) {
    options.signal.throwIfAborted();
    if (ended.text) return ended.text;
    try {
      await makeDatabase(admin, database);
      const rows = await queryOnce({ ...admin, database }, "SELECT 1", 5000);
      if (rows[0]?.[0] === "1") return undefined;
    } catch (error) {
      last = messageOf(error);
    }
    await clock.sleep(READY_INTERVAL_MS, options.signal);
  }
  return `the server did not answer within ${READY_TIMEOUT_MS / 1000} s: ${last}`;
}

async function makeDatabase(admin: Login, name: string): Promise<void> {
  const isThere = await queryOnce(admin, `SELECT 1 FROM pg_database WHERE datname = ${literal(name)}`, 5000);
  if (isThere.length === 0) await queryOnce(admin, `CREATE DATABASE ${identifier(name)}`, 30_000);
}

function literal(text: string): string {
  return `'${text.replace(/'/g, "''")}'`;
}

function identifier(text: string): string {
  return `"${text.replace(/"/g, '""')}"`;
}

/** The child gets what it needs and none of the step's secrets. */
function serverEnv(options: ServerOptions): Record<string, string> {
  return { PATH: "/usr/bin:/bin", LC_ALL: "C", HOME: options.folder, TZ: "UTC" };
}

function asAccount(account: Account | undefined): { uid?: number; gid?: number } {
  return account ? { uid: account.uid, gid: account.gid } : {};
}

async function own(path: string, account: Account | undefined): Promise<void> {
  if (account) await chown(path, account.uid, account.gid);
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** One form for every way in which the database cannot be had. */
export function databaseFailed(message: string, evidence: readonly string[] = [], fix?: string): Failure {
  return new Failure(`the database did not start: ${message}`, {
    code: "DATABASE_FAILED",
    fix: fix ?? "see the server's last log lines, and check `database-settings` and `database-version`",
    evidence,
  });
}

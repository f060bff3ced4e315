import { type ChildProcess, execFile, type StdioOptions, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, closeSync, constants, openSync, readdirSync, readFileSync } from "node:fs";
import { chmod, chown, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";

/** A PostgreSQL of our own: the variables that lead to it, and the way to end it. */
export type PrivatePostgres = Readonly<{
  env: Readonly<Record<"HOST" | "USER" | "PASSWORD" | "DBNAME" | "DBPORT", string>>;
  stop: () => Promise<void>;
}>;

type Account = { uid: number; gid: number } | undefined;

const run = promisify(execFile);
const START_TIMEOUT_MS = 20_000;
const USER = "sample";
const DATABASE = "postgres";

/**
 * Starts a server from the binaries of this machine on a free loopback port, with its data in a temporary
 * folder. Nothing survives a stop, so nothing is synced to disk.
 */
export async function startPrivatePostgres(): Promise<PrivatePostgres> {
  const bin = findBinaries();
  const account = chooseAccount();
  const folder = await makeFolder(account);
  try {
    const password = randomBytes(12).toString("hex");
    await initialise(bin, folder, account, password);
    // Another process may take the port between the look and the start.
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const server = await start(bin, folder, account, port, password);
      if (server) return describe(server, folder, port, password);
      if (attempt === 3) throw new Error(`PostgreSQL does not start:\n${lastLines(join(folder, "log"))}`);
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function describe(server: ChildProcess, folder: string, port: number, password: string): PrivatePostgres {
  return {
    env: { HOST: "127.0.0.1", USER, PASSWORD: password, DBNAME: DATABASE, DBPORT: String(port) },
    stop: async () => {
      await end(server);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Newest folder that holds both programs; PATH counts too. */
function findBinaries(): string {
  const versions = listFolder("/usr/lib/postgresql").sort((a, b) => Number(b) - Number(a));
  const folders = [
    ...versions.map((version) => `/usr/lib/postgresql/${version}/bin`),
    ...(process.env["PATH"] ?? "").split(delimiter),
  ];
  const found = folders.find((folder) => ["initdb", "postgres"].every((name) => canRun(join(folder, name))));
  if (found) return found;
  throw new Error(
    "no PostgreSQL on this machine: install it (apt-get install postgresql) or set DATABASE_URL",
  );
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** PostgreSQL refuses to run as root, so root lends it the account made for it, or nobody's. */
function chooseAccount(): Account {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(
    "PostgreSQL does not run as root and there is no user postgres or nobody: run as another user",
  );
}

async function makeFolder(account: Account): Promise<string> {
  for (const parent of [tmpdir(), "/tmp", "/var/tmp"]) {
    if (account && !(await isOpenToAll(parent))) continue;
    const folder = await mkdtemp(join(parent, "sample-app-postgres-"));
    if (account) await chown(folder, account.uid, account.gid);
    await chmod(folder, 0o700);
    return folder;
  }
  throw new Error("no temporary folder that the user of PostgreSQL can reach: open /tmp (chmod 1777 /tmp)");
}

/** Whether everyone may pass through the folder and all above it. */
async function isOpenToAll(folder: string): Promise<boolean> {
  for (let path = folder; ; path = dirname(path)) {
    const { mode } = await stat(path);
    if ((mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

/** No variable of ours may change what the server does, least of all its PG* ones. */
function serverOptions(folder: string, account: Account) {
  return { cwd: folder, env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C" }, ...account };
}

async function initialise(bin: string, folder: string, account: Account, password: string): Promise<void> {
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account) await chown(passwordFile, account.uid, account.gid);
  const args = ["-D", join(folder, "data"), "-U", USER, "-A", "scram-sha-256", `--pwfile=${passwordFile}`];
  args.push("-E", "UTF8", "--locale=C", "--no-sync");
  await run(join(bin, "initdb"), args, { ...serverOptions(folder, account), timeout: 60_000 });
  await rm(passwordFile);
}

/** Resolves with the server once it answers, or with nothing when it ended. */
async function start(bin: string, folder: string, account: Account, port: number, password: string) {
  const settings = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    `port=${port}`,
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=60",
    "shared_buffers=16MB",
  ];
  const args = ["-D", join(folder, "data"), ...settings.flatMap((setting) => ["-c", setting])];
  const log = openSync(join(folder, "log"), "w");
  const stdio: StdioOptions = ["ignore", log, log];
  const server = spawn(join(bin, "postgres"), args, { ...serverOptions(folder, account), stdio });
  closeSync(log);
  let ended = false;
  server.once("exit", () => {
    ended = true;
  });
  server.once("error", () => {
    ended = true;
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!ended && Date.now() < deadline) {
    if (await answers(port, password)) return server;
    await delay(50);
  }
  await end(server);
  return undefined;
}

async function answers(port: number, password: string): Promise<boolean> {
  const client = new pg.Client({ host: "127.0.0.1", port, user: USER, password, database: DATABASE });
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** SIGINT is PostgreSQL's fast stop: it breaks off what runs. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const gone = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGINT");
  const hard = setTimeout(() => server.kill("SIGKILL"), 10_000);
  await gone;
  clearTimeout(hard);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

function lastLines(file: string): string {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-10).join("\n");
  } catch {
    return "(it left no log)";
  }
}

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { untilParentDies } from "./docker-engine.ts";
import { freePort } from "./sshd.ts";

/** One line of the registry's own access log. */
export interface AccessLine {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly status: number;
}

/** A Docker registry (Debian's docker-registry) on loopback. */
export interface TestRegistry {
  /** `127.0.0.1:<port>`, as it stands before a repository's name. */
  readonly host: string;
  readonly origin: string;
  /** Empty when it asks for no login. */
  readonly username: string;
  readonly password: string;
  /** What it was asked so far, by its own account. */
  accessLog(): AccessLine[];
  /** One request of the test's own, logged in. */
  fetch(target: string, init?: RequestInit): Promise<Response>;
  /** What a tag names now, undefined when there is no such tag. */
  digestOf(path: string, tag: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

export interface RegistryOptions {
  /** No login is asked for. */
  readonly open?: boolean;
  /** May lose digests by DELETE. */
  readonly deletes?: boolean;
}

/** Whether the registry's program is on this machine; the tests' set-up installs it. */
export function hasRegistry(): boolean {
  return existsSync("/usr/bin/docker-registry");
}

const USERNAME = "robot";
const PASSWORD = "pa55:wörd/with+signs";

/** All manifest types: asked with fewer it converts, and answers with another digest. */
export const ALL_MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** Starts a registry with a login (bcrypt htpasswd) and storage of its own in a temporary folder. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const folder = mkdtempSync(join(tmpdir(), "goci-registry-"));
  const port = await freePort();
  const username = options.open ? "" : USERNAME;
  const password = options.open ? "" : PASSWORD;
  if (!options.open) writeFileSync(join(folder, "htpasswd"), `${USERNAME}:${bcrypt(PASSWORD)}\n`);
  writeFileSync(join(folder, "config.yml"), configText(folder, port, options));
  const [program = "", ...words] = [
    ...untilParentDies(),
    ...["/usr/bin/docker-registry", "serve", join(folder, "config.yml")],
  ];
  const child = spawn(program, words, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: { PATH: process.env["PATH"], OTEL_TRACES_EXPORTER: "none" },
  });
  let log = "";
  const collect = (chunk: Buffer) => {
    log += chunk.toString("utf8");
  };
  child.stdout?.on("data", collect);
  child.stderr?.on("data", collect);
  const origin = `http://127.0.0.1:${port}`;
  await waitForStart(child, origin, () => log, folder);
  const login = Buffer.from(`${username}:${password}`).toString("base64");
  const authorization: Record<string, string> = options.open ? {} : { authorization: `Basic ${login}` };
  const ask = (target: string, init: RequestInit = {}) =>
    fetch(`${origin}${target}`, {
      ...init,
      headers: { ...authorization, ...(init.headers as Record<string, string> | undefined) },
    });
  return {
    host: `127.0.0.1:${port}`,
    origin,
    username,
    password,
    accessLog: () => parseAccessLog(log),
    fetch: ask,
    digestOf: async (path, tag) => {
      const answer = await ask(`/v2/${path}/manifests/${tag}`, {
        method: "HEAD",
        headers: { accept: ALL_MANIFEST_TYPES },
      });
      return answer.ok ? (answer.headers.get("docker-content-digest") ?? undefined) : undefined;
    },
    stop: () => stop(child, folder),
  };
}

function configText(folder: string, port: number, options: RegistryOptions): string {
  return [
    "version: 0.1",
    "log: { level: error, accesslog: { disabled: false } }",
    "storage:",
    `  filesystem: { rootdirectory: ${join(folder, "data")} }`,
    `  delete: { enabled: ${options.deletes ?? false} }`,
    `http: { addr: "127.0.0.1:${port}", secret: only-for-tests }`,
    ...(options.open ? [] : [`auth: { htpasswd: { realm: test, path: ${join(folder, "htpasswd")} } }`]),
    "",
  ].join("\n");
}

/** The registry knows bcrypt only; Perl's crypt (every Debian has it) makes one, with the lowest cost. */
function bcrypt(password: string): string {
  const program =
    "binmode STDIN; local $/; my $p = <STDIN>; print crypt($p, q($2b$04$abcdefghijklmnopqrstuu))";
  return execFileSync("perl", ["-e", program], { input: password, encoding: "utf8" });
}

/** The access log is in Apache's combined form. */
function parseAccessLog(log: string): AccessLine[] {
  return [...log.matchAll(/"([A-Z]+) (\S+) HTTP\/[\d.]+" (\d{3}) /g)]
    .map((match) => ({ method: match[1] ?? "", target: match[2] ?? "", status: Number(match[3]) }))
    .filter((line) => line.target !== READY);
}

/** A path that only the wait for the start asks for. */
const READY = "/?ready";

async function waitForStart(child: ChildProcess, origin: string, log: () => string, folder: string) {
  for (let tries = 0; tries < 400 && child.exitCode === null; tries++) {
    const answer = await fetch(`${origin}${READY}`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => undefined,
    );
    if (answer) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  await stop(child, folder);
  throw new Error(`docker-registry did not start:\n${log()}`);
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    process.kill(-child.pid, "SIGKILL");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}

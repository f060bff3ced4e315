import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tarEnd, tarHeader, tarPadding } from "../archive/tar-header.ts";

/** A Docker engine of the test's own: its socket, data and processes lie in one folder and end with it. */
export interface RunningEngine {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** What a child needs to reach it: PATH, HOME, DOCKER_HOST and an empty DOCKER_CONFIG. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs the docker CLI against it and returns what it printed; throws with stderr when it fails. */
  docker(args: readonly string[], env?: Readonly<Record<string, string>>): string;
  /** Everything that the engine logged so far. */
  log(): string;
  /** Ends it, unmounts what it left and removes its folder. */
  stop(): Promise<void>;
}

const FOLDERS = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/bin", "/sbin"];

/** The path of a program, also where a plain user's PATH does not reach; undefined when it is not there. */
export function findProgram(name: string): string | undefined {
  const path = (process.env["PATH"] ?? "").split(":");
  return [...path, ...FOLDERS].map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** Why no engine can be started here, undefined when one can. */
export function engineProblem(): string | undefined {
  const missing = ["dockerd", "docker", "containerd", "runc"].filter((name) => !findProgram(name));
  if (missing.length > 0) return `not installed: ${missing.join(", ")} (Debian: docker.io)`;
  if (process.getuid?.() !== 0) return "dockerd needs root";
  return undefined;
}

/** Starts dockerd without a network of its own (loopback and `--network host` work) and waits until it answers. */
export async function startDockerEngine(): Promise<RunningEngine> {
  const problem = engineProblem();
  if (problem) throw new Error(problem);
  // A socket's path may have 107 bytes: the folder has a short name.
  const folder = mkdtempSync(join(tmpdir(), "goci-dk-"));
  const host = `unix://${folder}/s`;
  const config = join(folder, "config");
  const env = { PATH: searchPath(), HOME: folder, DOCKER_HOST: host, DOCKER_CONFIG: config };
  let log = "";
  const [program, ...words] = [
    ...untilParentDies(),
    findProgram("dockerd") as string,
    ...engineArguments(folder, host),
  ];
  const child = spawn(program as string, words, {
    env: { PATH: searchPath() },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      log = (log + chunk.toString("utf8")).slice(-262_144);
    });
  const docker = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    execFileSync("docker", [...args], {
      env: { ...env, ...more },
      encoding: "utf8",
      maxBuffer: 1 << 26,
      stdio: "pipe",
    });
  const stop = () => stopEngine(child, folder);
  // A test run that is interrupted must not leave an engine behind.
  process.once("exit", () => killGroup(child, "SIGKILL"));
  try {
    await waitForEngine(child, env, () => log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, env, docker, log: () => log, stop };
}

/** A base image of 2 MB with a shell, made from the machine's static busybox; returns its name. */
export function importBase(engine: RunningEngine, name = "base:test"): string {
  const file = `${engine.env["HOME"]}/base.tar`;
  writeFileSync(file, baseTar());
  engine.docker(["import", file, name]);
  rmSync(file);
  return name;
}

/** The root file system of `importBase` as a tar: /bin/busybox and links to it. */
export function baseTar(): Buffer {
  const busybox = findProgram("busybox");
  if (!busybox) throw new Error("busybox is not installed (Debian: busybox-static)");
  const bytes = readFileSync(busybox);
  const links = [
    "sh",
    "cat",
    "cp",
    "echo",
    "false",
    "ls",
    "mkdir",
    "rm",
    "sleep",
    "touch",
    "true",
    "ln",
    "id",
    "wc",
  ];
  return Buffer.concat([
    tarHeader({ path: "bin/", type: "folder", mode: 0o755, size: 0 }),
    tarHeader({ path: "bin/busybox", type: "file", mode: 0o755, size: bytes.length }),
    bytes,
    tarPadding(bytes.length),
    ...links.map((link) =>
      tarHeader({ path: `bin/${link}`, type: "link", mode: 0o777, size: 0, link: "busybox" }),
    ),
    tarHeader({ path: "tmp/", type: "folder", mode: 0o1777, size: 0 }),
    tarEnd(),
  ]);
}

function engineArguments(folder: string, host: string): string[] {
  const own = [
    "--data-root",
    `${folder}/data`,
    "--exec-root",
    `${folder}/exec`,
    "--pidfile",
    `${folder}/pid`,
  ];
  // No bridge and no firewall rules: nothing of the machine's network is touched.
  return ["-H", host, ...own, "--bridge", "none", "--iptables=false", "--ip6tables=false"];
}

/** A test process that is killed can stop nothing: the kernel tells the engine then. */
export function untilParentDies(): string[] {
  const setpriv = findProgram("setpriv");
  return setpriv && process.platform === "linux" ? [setpriv, "--pdeathsig", "TERM"] : [];
}

function searchPath(): string {
  return [...new Set([...(process.env["PATH"] ?? "").split(":"), ...FOLDERS])].join(":");
}

async function waitForEngine(
  child: ChildProcess,
  env: Readonly<Record<string, string>>,
  log: () => string,
): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) break;
    // With a limit: while this waits nobody reads the engine's log, and an engine that cannot log does not answer.
    const answer = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], {
      env: { ...env },
      timeout: 5_000,
    });
    if (answer.status === 0) return;
    await sleep(100);
  }
  throw new Error(`dockerd did not start:\n${log().slice(-4000)}`);
}

async function stopEngine(child: ChildProcess, folder: string): Promise<void> {
  killGroup(child, "SIGTERM");
  for (let waited = 0; waited < 100 && child.exitCode === null && child.signalCode === null; waited++)
    await sleep(100);
  killGroup(child, "SIGKILL");
  unmountBelow(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** The engine and the containerd that it started are one group. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It is gone.
  }
}

function unmountBelow(folder: string): void {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const below = mounts
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of below.reverse()) spawnSync("umount", ["-l", path]);
}

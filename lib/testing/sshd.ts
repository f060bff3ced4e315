import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";

/** A real OpenSSH server for tests and for the demo: own keys, a free loopback port, the current user. */
export interface RunningSshd {
  readonly port: number;
  readonly username: string;
  /** Private key text that logs in. */
  readonly key: string;
  readonly keyPath: string;
  /** known_hosts line of this server. */
  readonly knownHosts: string;
  /** `SHA256:...` of its host key. */
  readonly fingerprint: string;
  /** Everything that sshd logged so far. */
  log(): string;
  /** How many logins there were so far. */
  logins(): number;
  /** Ends the server and its sessions and removes its folder. */
  stop(): Promise<void>;
}

/** How the server differs from the plain one. */
export interface SshdOptions {
  /** Further sshd_config lines, before the default ones (the first of a name wins). */
  readonly config?: readonly string[];
  /** Types of host key, for example `ed25519` and `rsa`; the first is what the pins are for. */
  readonly hostKeys?: readonly string[];
  /** Folder to work in; one under the system's temp folder by default. */
  readonly folder?: string;
  /** Fixed port; a free one by default. */
  readonly port?: number;
}

const SSHD_PATHS = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd", "/opt/homebrew/sbin/sshd"];

/** The path of the machine's sshd, undefined when it has none. */
export function findSshd(): string | undefined {
  return SSHD_PATHS.find((path) => existsSync(path));
}

/** Starts the server and waits until it answers; a text is the folder to work in. */
export async function startSshd(wanted: SshdOptions | string = {}): Promise<RunningSshd> {
  const options = typeof wanted === "string" ? { folder: wanted } : wanted;
  const program = findSshd();
  if (!program) throw new Error("sshd is not installed (Debian: apt-get install openssh-server)");
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "goci-sshd-"));
  mkdirSync(folder, { recursive: true });
  const username = userInfo().username;
  // sshd that starts as root wants this folder for its separated privileges.
  if (userInfo().uid === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const keyPath = join(folder, "id_ed25519");
  makeKey(keyPath, "ed25519");
  const hostKeys = (options.hostKeys ?? ["ed25519"]).map((type) => {
    const path = join(folder, `host_${type}`);
    makeKey(path, type);
    return path;
  });
  writeFileSync(join(folder, "authorized_keys"), readFileSync(`${keyPath}.pub`));
  const port = options.port ?? (await freePort());
  writeFileSync(join(folder, "sshd_config"), configText(folder, port, hostKeys, options.config ?? []));
  const child = spawn(program, ["-D", "-e", "-f", join(folder, "sshd_config")], {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  let log = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    log += chunk.toString("utf8");
  });
  await waitForStart(child, () => log);
  const publicKey = readFileSync(`${hostKeys[0]}.pub`, "utf8").trim().split(" ").slice(0, 2).join(" ");
  return {
    port,
    username,
    key: readFileSync(keyPath, "utf8"),
    keyPath,
    knownHosts: `[127.0.0.1]:${port} ${publicKey}`,
    fingerprint: fingerprintOf(`${hostKeys[0]}.pub`),
    log: () => log,
    logins: () => [...log.matchAll(/^Accepted publickey/gm)].length,
    stop: () => stop(child, folder),
  };
}

/** The SHA-256 fingerprint of a public key file. */
export function fingerprintOf(publicKeyPath: string): string {
  const line = execFileSync("ssh-keygen", ["-lf", publicKeyPath], { encoding: "utf8" });
  return line.split(" ")[1] ?? "";
}

/** Makes a key pair without a passphrase at `path` and `path`.pub, unless it exists. */
export function makeKey(path: string, type: string, extra: readonly string[] = []): void {
  if (existsSync(path)) return;
  execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "goci-test", "-f", path, ...extra]);
}

/** A loopback port that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

function configText(folder: string, port: number, hostKeys: readonly string[], extra: readonly string[]) {
  return [
    ...extra,
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    ...hostKeys.map((path) => `HostKey ${path}`),
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    `PidFile ${join(folder, "sshd.pid")}`,
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin yes",
    "PrintMotd no",
    "LogLevel VERBOSE",
    "Subsystem sftp internal-sftp",
    "",
  ].join("\n");
}

async function waitForStart(child: ChildProcess, log: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (log().includes("Server listening")) return;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  child.kill("SIGKILL");
  throw new Error(`sshd did not start:\n${log()}`);
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    // Its own process group: the sessions go with it, and nothing else does.
    if (child.pid !== undefined && child.exitCode === null) {
      process.kill(-child.pid, "SIGTERM");
      await ended;
    }
  } catch {
    // It is gone already.
  }
  rmSync(folder, { recursive: true, force: true });
}

import type { Duplex } from "node:stream";
import type {
  Client,
  ClientChannel,
  ConnectConfig,
  ParsedKey,
  PublicKeyAuthMethod,
  ServerHostKeyAlgorithm,
} from "ssh2";
import type { Clock } from "../../../lib/clock.ts";
import { messageOf, RemoteError } from "../../../lib/errors.ts";
import type { Log } from "../../../lib/log.ts";
import { backoff } from "../../../lib/poll.ts";
import { authFailed, connectFailed, hostKeyRefused, isRetryable } from "./connect-errors.ts";
import { fingerprint, judgeKey, keyType, type Pins, pinnedTypes } from "./host-keys.ts";
import type { Host } from "./hosts.ts";
import { openSocket } from "./socket.ts";

/** One login on one host; everything that is done there goes through it. */
export interface Connection {
  readonly host: Host;
  /** Starts a program; `command` is what the login shell gets, so it holds no secret. */
  exec(command: string): Promise<ClientChannel>;
  /** A connection from the host to an address that it can reach. */
  forward(address: string, port: number): Promise<Duplex>;
  /** Why the connection is no more, undefined while it stands. */
  lost(): string | undefined;
  close(): void;
}

/** How to get onto a host. */
export interface Login {
  readonly key: ParsedKey;
  readonly pins: Pins;
  /** Milliseconds for one try: TCP, handshake and login together. */
  readonly timeoutMs: number;
  /** The jump host, already connected. */
  readonly via?: Connection;
}

/** What connecting needs from outside. */
export interface ConnectPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const TRIES = 3;

/** Types of host keys, best first; ssh-rsa (SHA-1) and ssh-dss are not offered. */
const KEY_TYPES: readonly ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/**
 * Connects and logs in. Only what fails before the login is tried again (3
 * tries): a refused key or login stays refused. Fails with CONNECT_FAILED,
 * AUTH_FAILED, HOST_KEY_MISMATCH or HOST_KEY_UNKNOWN.
 */
export async function connect(host: Host, login: Login, ports: ConnectPorts): Promise<Connection> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await connectByType(host, login, ports);
    } catch (error) {
      ports.signal.throwIfAborted();
      if (attempt === TRIES || !isRetryable(error)) throw error;
      const pause = backoff(attempt, 1000, 5000);
      ports.log.info(`${messageOf(error)}; try ${attempt + 1} of ${TRIES} in ${pause} ms`);
      await ports.clock.sleep(pause, ports.signal);
    }
  }
}

/**
 * A fingerprint does not tell its key's type, and a server shows one key only:
 * the one that was asked for first. So a mismatch is final only when the host
 * has shown its keys of every type.
 */
async function connectByType(host: Host, login: Login, ports: ConnectPorts): Promise<Connection> {
  const pinned = pinnedTypes(login.pins, host);
  const isPinned = (type: string) => pinned.includes(type.replace(/^rsa-sha2-.*/, "ssh-rsa"));
  let left = [...KEY_TYPES].sort((a, b) => Number(isPinned(b)) - Number(isPinned(a)));
  const offered: string[] = [];
  for (;;) {
    const seen: { key?: Buffer } = {};
    try {
      return await connectOnce(host, login, ports, left, seen);
    } catch (error) {
      const refused = seen.key !== undefined && judgeKey(login.pins, host, seen.key) !== "trusted";
      if (seen.key && refused) {
        const type = keyType(seen.key);
        offered.push(`${type} ${fingerprint(seen.key)}`);
        left = left.filter((other) => other.replace(/^rsa-sha2-.*/, "ssh-rsa") !== type);
        const verdict = judgeKey(login.pins, host, seen.key);
        if (verdict === "mismatch" && left.length > 0) continue;
        throw hostKeyRefused(host, login.pins, verdict, offered);
      }
      if (offered.length > 0) throw hostKeyRefused(host, login.pins, "mismatch", offered);
      throw error;
    }
  }
}

async function connectOnce(
  host: Host,
  login: Login,
  ports: ConnectPorts,
  types: readonly ServerHostKeyAlgorithm[],
  seen: { key?: Buffer },
): Promise<Connection> {
  const startedAt = performance.now();
  const { default: ssh2 } = await import("ssh2");
  const sock = await openSocket(host, login.timeoutMs, ports.signal, login.via);
  const client = new ssh2.Client();
  const left = Math.max(500, login.timeoutMs - (performance.now() - startedAt));
  const method: PublicKeyAuthMethod = { type: "publickey", username: host.username, key: login.key };
  const config: ConnectConfig = {
    sock,
    username: host.username,
    readyTimeout: left,
    keepaliveInterval: 10_000,
    keepaliveCountMax: 3,
    algorithms: { serverHostKey: [...types] },
    // Without this ssh2 tries `none` first: a round trip, and one of the server's MaxAuthTries.
    authHandler: [method],
    hostVerifier: (key: Buffer) => {
      seen.key = key;
      return judgeKey(login.pins, host, key) === "trusted";
    },
  };
  await ready(client, config, host, ports.signal);
  return wrap(client, host);
}

function ready(client: Client, config: ConnectConfig, host: Host, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      client.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    const done = (error?: unknown) => {
      signal.removeEventListener("abort", onAbort);
      if (error === undefined) return resolve();
      client.destroy();
      reject(error);
    };
    client.once("ready", () => done());
    client.on("error", (error) =>
      done(error.level === "client-authentication" ? authFailed(host, error) : connectFailed(host, error)),
    );
    client.once("close", () =>
      done(connectFailed(host, new Error("the host closed the connection before the login"))),
    );
    client.connect(config);
  });
}

function wrap(client: Client, host: Host): Connection {
  let ended: string | undefined;
  client.on("error", (error) => {
    ended ??= messageOf(error);
  });
  client.on("close", () => {
    ended ??= "the connection was closed";
  });
  const guard = (reject: (error: unknown) => void) => {
    if (ended === undefined) return true;
    reject(lostConnection(host, ended));
    return false;
  };
  return {
    host,
    exec: (command) =>
      new Promise((resolve, reject) => {
        if (!guard(reject)) return;
        client.exec(command, (error, channel) =>
          error ? reject(lostConnection(host, messageOf(error), error)) : resolve(channel),
        );
      }),
    forward: (address, port) =>
      new Promise((resolve, reject) => {
        if (!guard(reject)) return;
        client.forwardOut("127.0.0.1", 0, address, port, (error, channel) =>
          error ? reject(error) : resolve(channel),
        );
      }),
    lost: () => ended,
    close: () => {
      ended ??= "closed by this run";
      client.end();
      // A host that does not answer the goodbye holds the process for no longer than this.
      setTimeout(() => client.destroy(), 500).unref();
    },
  };
}

/** A connection that broke after the login: another one may well stand. */
export class LostConnection extends RemoteError {}

/** The failure of a call on a connection that broke. */
export function lostConnection(host: Host, reason: string, cause?: unknown): LostConnection {
  return new LostConnection(`${host.name}: the SSH connection broke: ${reason}`, {
    code: "CONNECT_FAILED",
    fix: "look at the network and at the host; the host goes back by itself when it was being switched",
    cause,
  });
}

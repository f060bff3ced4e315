import { randomBytes } from "node:crypto";
import type { Connection, ConnectPorts, Login } from "./connect.ts";
import { connect } from "./connect.ts";
import type { Inputs } from "./inputs.ts";
import { loadKey } from "./private-key.ts";
import { HostSession } from "./session.ts";

/** A name of its own for each run's work on the hosts: its lock, its folder, its host script. */
export function newToken(): string {
  return randomBytes(8).toString("hex");
}

/** The hosts of a run, not connected yet, and how to let go of all of them. */
export interface Sessions {
  readonly all: readonly HostSession[];
  close(): void;
}

/** Parses the keys (a bad one is an input error, before anything is connected) and prepares a session for each host. */
export async function openSessions(inputs: Inputs, token: string, ports: ConnectPorts): Promise<Sessions> {
  const { access, release, service } = inputs;
  const key = await loadKey(access.key.input, access.key.text, access.key.passphrase);
  const login: Login = { key, pins: access.pins, timeoutMs: access.connectTimeoutMs };
  if (access.pins.acceptAny) {
    ports.log.warn("`insecure-ignore-host-key` is on: whoever answers at the host's address is believed");
  }
  const jump = await jumpDialer(inputs, login, ports);
  const settings = {
    target: release.target,
    token,
    unit: release.appName,
    appPort: service.appPort,
    stopSeconds: service.stopSeconds,
    keepReleases: release.keepReleases,
  };
  const all = access.hosts.map(
    (host) =>
      new HostSession(host, settings, async () => {
        const via = await jump?.dial();
        return connect(host, via ? { ...login, via } : login, ports);
      }),
  );
  return {
    all,
    close: () => {
      for (const session of all) session.close();
      jump?.close();
    },
  };
}

/** One connection to the jump host for all hosts behind it; made again when it broke. */
async function jumpDialer(inputs: Inputs, login: Login, ports: ConnectPorts) {
  const { jump } = inputs.access;
  if (!jump) return undefined;
  const key = await loadKey(jump.key.input, jump.key.text, jump.key.passphrase);
  let current: Promise<Connection> | undefined;
  let open: Connection | undefined;
  return {
    dial: async (): Promise<Connection> => {
      if (open?.lost() !== undefined) current = undefined;
      current ??= connect(jump.host, { ...login, key, pins: jump.pins }, ports);
      try {
        open = await current;
        return open;
      } catch (error) {
        current = undefined;
        throw error;
      }
    },
    close: () => open?.close(),
  };
}

import type { Server } from "node:http";
import type { Config, Environment } from "./config.ts";

/** Where to accept connections: a socket handed over by the parent, or a port to open. */
export type ListenTarget =
  | { kind: "inherited"; fd: number }
  | { kind: "port"; port: number; address?: string; note?: string };

/** First descriptor of the protocol: https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html */
const FIRST_FD = 3;

/**
 * Chooses by `LISTEN_FDS` and `LISTEN_PID`. A `LISTEN_PID` of another process means that the variables
 * were inherited by accident, so they are left alone, with a note.
 */
export function chooseListenTarget(
  env: Environment,
  pid: number,
  config: Pick<Config, "port" | "bindAddress">,
): ListenTarget {
  const port: ListenTarget = {
    kind: "port",
    port: config.port,
    ...(config.bindAddress ? { address: config.bindAddress } : {}),
  };
  const count = env["LISTEN_FDS"];
  if (!count || count === "0") return port;
  if (!/^[1-9][0-9]{0,3}$/.test(count)) {
    throw new Error(`\`LISTEN_FDS\` is "${count}": it must be the number of sockets handed over; unset it`);
  }
  const owner = env["LISTEN_PID"];
  if (owner && owner !== String(pid)) {
    return { ...port, note: `LISTEN_FDS is ignored: LISTEN_PID is ${owner}, this process is ${pid}` };
  }
  return { kind: "inherited", fd: FIRST_FD };
}

/** Starts to listen; resolves with the port, or undefined for a unix socket. */
export function listen(server: Server, target: ListenTarget): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(new Error(explain(error, target), { cause: error }));
    server.once("error", fail);
    const done = (): void => {
      server.removeListener("error", fail);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : undefined);
    };
    if (target.kind === "inherited") server.listen({ fd: target.fd }, done);
    else server.listen({ port: target.port, ...(target.address ? { host: target.address } : {}) }, done);
  });
}

function explain(error: Error, target: ListenTarget): string {
  const code = "code" in error ? String(error.code) : "";
  if (target.kind === "inherited") {
    return `LISTEN_FDS is set but descriptor ${target.fd} is no listening socket (${code || error.message})`;
  }
  const where = `${target.address ?? "*"}:${target.port}`;
  if (code === "EADDRINUSE") return `${where} is in use by another process: stop it or set \`PORT\``;
  if (code === "EACCES") return `${where} may not be opened by this user: set \`PORT\` to 1024 or more`;
  if (code === "EADDRNOTAVAIL") return `${where} is no address of this machine: set \`BIND_ADDRESS\``;
  return `cannot listen on ${where}: ${error.message}`;
}

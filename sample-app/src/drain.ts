import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Server as NetServer, type Socket } from "node:net";

/** How a stop went: requests finished by themselves, or how many had to be cut. */
export type DrainResult = { kind: "drained" } | { kind: "cut"; requests: number };

/** Time limits of a stop in milliseconds. */
export type DrainLimits = Readonly<{ idleGraceMs: number; timeoutMs: number }>;

/** A server that can be stopped without failing the requests it already has. */
export type Drainer = Readonly<{
  isDraining: () => boolean;
  drain: (limits: DrainLimits) => Promise<DrainResult>;
  /** Ends a drain at once. */
  cut: () => void;
}>;

/**
 * Watches a server from its birth; call before it listens.
 *
 * Node's own close() ends idle connections at once, which fails a request that is on its way on one of
 * them. Here they stay open for `idleGraceMs`: a request that arrives is answered with `Connection: close`,
 * so a busy client moves on without an error.
 */
export function createDrainer(server: Server): Drainer {
  const busy = new Map<Socket, Set<ServerResponse>>();
  let draining = false;
  server.on("connection", (socket: Socket) => {
    busy.set(socket, new Set());
    socket.once("close", () => busy.delete(socket));
  });
  // First in line, so that the header is set before a handler can answer.
  server.prependListener("request", (req: IncomingMessage, res: ServerResponse) => {
    if (draining) res.setHeader("Connection", "close");
    const responses = busy.get(req.socket);
    responses?.add(res);
    res.once("close", () => responses?.delete(res));
  });
  const inFlight = (): number => [...busy.values()].reduce((sum, responses) => sum + responses.size, 0);
  const closeIdle = (): void => {
    for (const [socket, responses] of busy) if (responses.size === 0) socket.destroy();
  };
  const cut = (): void => {
    for (const socket of busy.keys()) socket.destroy();
  };
  return {
    isDraining: () => draining,
    cut,
    drain: async ({ idleGraceMs, timeoutMs }) => {
      draining = true;
      for (const responses of busy.values()) {
        for (const res of responses) if (!res.headersSent) res.setHeader("Connection", "close");
      }
      let requestsCut = 0;
      const grace = setTimeout(closeIdle, idleGraceMs);
      const deadline = setTimeout(() => {
        requestsCut = inFlight();
        cut();
      }, timeoutMs);
      await stopAccepting(server);
      clearTimeout(grace);
      clearTimeout(deadline);
      return requestsCut > 0 ? { kind: "cut", requests: requestsCut } : { kind: "drained" };
    },
  };
}

/** Resolves when the last connection is gone. */
function stopAccepting(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    // The close() of net.Server, because that of http.Server ends idle connections first.
    NetServer.prototype.close.call(server, (error) => (error ? reject(error) : resolve()));
  });
}

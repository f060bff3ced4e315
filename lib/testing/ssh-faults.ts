import { connect, createServer, type Socket } from "node:net";

/** A way to a server that breaks when it is told to. */
export interface FaultyPath {
  readonly port: number;
  /** Bytes that clients have sent through so far, over all connections. */
  sent(): number;
  /** Breaks every connection of now, without a goodbye. */
  cut(): void;
  /** From now on lets nothing through in either direction, and closes nothing: a dead network. */
  freeze(): void;
  close(): Promise<void>;
}

/** When a path breaks by itself. */
export interface FaultyPathOptions {
  /** Breaks the first connection once its client has sent so many bytes; later connections stay whole. */
  readonly cutAfter?: number;
  /** The first so many connections are reset at once. */
  readonly refuse?: number;
}

/** Opens a path on a free loopback port to a server on another. */
export async function openFaultyPath(port: number, options: FaultyPathOptions = {}): Promise<FaultyPath> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let sent = 0;
  let frozen = false;
  const server = createServer((client) => {
    const number = ++connections;
    if (number <= (options.refuse ?? 0)) return void client.resetAndDestroy();
    const upstream = connect(port, "127.0.0.1");
    let own = 0;
    const drop = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", drop);
      socket.on("close", () => {
        sockets.delete(socket);
        if (!frozen) drop();
      });
    }
    client.on("data", (chunk: Buffer) => {
      if (frozen) return;
      const first = number === (options.refuse ?? 0) + 1;
      const room = first && options.cutAfter !== undefined ? options.cutAfter - own : chunk.length;
      own += chunk.length;
      sent += chunk.length;
      if (chunk.length < room || options.cutAfter === undefined || !first) return void upstream.write(chunk);
      upstream.write(chunk.subarray(0, room), drop);
    });
    upstream.on("data", (chunk: Buffer) => {
      if (!frozen) client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    sent: () => sent,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    freeze: () => {
      frozen = true;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

import { createServer as createHttp, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** A loopback server for one test; `close` also ends what is still connected. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** An HTTP server on a free port. */
export async function serveHttp(listener: RequestListener): Promise<TestServer> {
  const server = createHttp(listener);
  server.keepAliveTimeout = 60_000;
  return listen(server);
}

/** A TCP server on a free port that does with each connection what it is told. */
export async function serveTcp(onSocket: (socket: Socket) => void): Promise<TestServer> {
  return listen(
    createServer((socket) => {
      socket.on("error", () => {});
      onSocket(socket);
    }),
  );
}

async function listen(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A port that refuses connections: one that was free a moment ago. */
export async function refusingUrl(): Promise<string> {
  const server = await serveTcp(() => {});
  await server.close();
  return server.url;
}

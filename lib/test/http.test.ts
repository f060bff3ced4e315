import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import { probe } from "../http.ts";

const servers: { close(): void; closeAllConnections?(): void }[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections?.();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<{ url: string; port: number; server: Server }> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, port, server };
}

describe("probe", () => {
  test("gives status, headers and body", async () => {
    const { url } = await serve((request, response) => {
      response.writeHead(503, { "x-a": "1", "set-cookie": ["a=1", "b=2"] });
      response.end(`${request.method} ${request.headers["x-key"]} ${request.headers.connection}`);
    });
    expect(await probe({ url, timeoutMs: 5000, headers: new Map([["x-key", "k"]]) })).toMatchObject({
      kind: "response",
      status: 503,
      headers: { "x-a": "1", "set-cookie": "a=1, b=2" },
      body: "GET k close",
    });
  });

  test("does not follow a redirect", async () => {
    const { url } = await serve((_request, response) => response.writeHead(302, { location: "/x" }).end());
    expect(await probe({ url, timeoutMs: 5000 })).toMatchObject({ status: 302 });
  });

  test("goes through the connection it is given, and nowhere else", async () => {
    const wrong = await serve((_request, response) => response.end("direct"));
    const right = await serve((_request, response) => response.end("through the tunnel"));
    const answer = await probe({
      url: wrong.url,
      timeoutMs: 5000,
      connect: async () => connect(right.port, "127.0.0.1"),
    });
    expect(answer).toMatchObject({ kind: "response", body: "through the tunnel" });
  });

  test("uses a fresh connection each time", async () => {
    let connections = 0;
    const { url, server } = await serve((_request, response) => response.end("x"));
    server.on("connection", () => connections++);
    await probe({ url, timeoutMs: 5000 });
    await probe({ url, timeoutMs: 5000 });
    expect(connections).toBe(2);
  });

  test("keeps a long body only up to its limit", async () => {
    const { url } = await serve((_request, response) => response.end("x".repeat(1_000_000)));
    const answer = await probe({ url, timeoutMs: 5000, maxBodyBytes: 1000 });
    expect(answer).toMatchObject({ kind: "response", body: "x".repeat(1000) });
  });

  test.each<[string, RequestListener]>([
    ["before the answer", () => {}],
    ["in the middle of the body", (_request, response) => void response.writeHead(200).write("half")],
  ])("a server that stops %s is an error after the limit", async (_name, listener) => {
    const { url } = await serve(listener);
    expect(await probe({ url, timeoutMs: 200 })).toMatchObject({
      kind: "error",
      code: "ETIMEDOUT",
      message: "no answer within 200 ms",
    });
  });

  test("a body that is cut short is an error, not an answer", async () => {
    const { url } = await serve((request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => request.socket.destroy());
    });
    expect(await probe({ url, timeoutMs: 5000 })).toMatchObject({ kind: "error" });
  });

  test("a refused connection says so", async () => {
    const { url, server } = await serve(() => {});
    await new Promise((resolve) => server.close(resolve));
    expect(await probe({ url, timeoutMs: 5000 })).toMatchObject({ kind: "error", code: "ECONNREFUSED" });
  });

  test("an answer that is no HTTP is an error", async () => {
    const server = createTcpServer((socket) => socket.end("SSH-2.0-x\r\n"));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    expect(await probe({ url: `http://127.0.0.1:${port}/`, timeoutMs: 5000 })).toMatchObject({
      kind: "error",
    });
  });

  test("an address that cannot be read is an error, never a throw", async () => {
    expect(await probe({ url: "http://", timeoutMs: 5000 })).toMatchObject({ kind: "error" });
  });

  test("a tunnel that opens too late is closed again", async () => {
    const { port } = await serve(() => {});
    let open: ReturnType<typeof connect> | undefined;
    const late = async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      open = connect(port, "127.0.0.1");
      return open;
    };
    expect(await probe({ url: "http://host/", timeoutMs: 50, connect: late })).toMatchObject({
      code: "ETIMEDOUT",
    });
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(open?.destroyed).toBe(true);
  });

  test("a cancel ends it at once", async () => {
    const { url } = await serve(() => {});
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(new Error("cancelled")), 50);
    const answer = await probe({ url, timeoutMs: 60_000, signal: cancel.signal });
    expect(answer).toMatchObject({ kind: "error", message: "cancelled" });
  });
});

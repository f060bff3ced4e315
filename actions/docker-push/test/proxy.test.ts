import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Readable } from "node:stream";
import { afterEach, describe, expect, test } from "@jest/globals";
import { proxyFor } from "../src/registry/proxy.ts";
import { NetworkError, Transport } from "../src/registry/transport.ts";

const chosen = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)?.href;

describe("which proxy", () => {
  test.each([
    ["https://ghcr.io/v2/", { HTTPS_PROXY: "http://p:3128" }, "http://p:3128/"],
    ["https://ghcr.io/v2/", { https_proxy: "p:3128", HTTPS_PROXY: "http://q" }, "http://p:3128/"],
    ["https://ghcr.io/v2/", { HTTP_PROXY: "http://p" }, undefined],
    ["http://registry.example/v2/", { HTTP_PROXY: "http://p" }, "http://p/"],
    ["https://ghcr.io/v2/", {}, undefined],
    ["https://ghcr.io/v2/", { HTTPS_PROXY: "http://p", NO_PROXY: "*" }, undefined],
    ["https://ghcr.io/v2/", { HTTPS_PROXY: "http://p", no_proxy: "quay.io, .ghcr.io" }, undefined],
    ["https://a.ghcr.io/v2/", { HTTPS_PROXY: "http://p", NO_PROXY: "ghcr.io" }, undefined],
    ["https://notghcr.io/v2/", { HTTPS_PROXY: "http://p", NO_PROXY: "ghcr.io" }, "http://p/"],
    ["https://ghcr.io:8443/", { HTTPS_PROXY: "http://p", NO_PROXY: "ghcr.io:443" }, "http://p/"],
    ["https://ghcr.io/", { HTTPS_PROXY: "http://p", NO_PROXY: "ghcr.io:443" }, undefined],
    ["http://127.0.0.1:5000/", { HTTP_PROXY: "http://p" }, undefined],
    ["http://localhost:5000/", { HTTP_PROXY: "http://p" }, undefined],
    ["https://ghcr.io/", { HTTPS_PROXY: "http://[broken" }, undefined],
  ])("%s with %j", (url, env, proxy) => {
    expect(chosen(url, env)).toBe(proxy);
  });
});

describe("an answer that comes before the whole body is sent", () => {
  test("counts, and the rest of the body is not sent", async () => {
    let taken = 0;
    const server = createServer((incoming, outgoing) => {
      incoming.once("data", (chunk: Buffer) => {
        taken += chunk.length;
        incoming.pause();
        outgoing.writeHead(403).flushHeaders();
        setTimeout(() => outgoing.end("not here"), 50);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const transport = new Transport({}, 2000);
    const size = 64 << 20;
    let made = 0;
    const open = () =>
      Readable.from(
        (function* () {
          for (; made < size; made += 1 << 16) yield Buffer.alloc(1 << 16);
        })(),
      );
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const exchange = { method: "PUT", url, headers: {}, maxBytes: 1000, body: { size, open } } as const;
    const answer = await transport.send(exchange, new AbortController().signal);
    expect([answer.status, answer.body.toString()]).toEqual([403, "not here"]);
    expect(made).toBeLessThan(size);
    expect(taken).toBeGreaterThan(0);
    transport.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("through a proxy", () => {
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  async function proxy(onConnect: (target: string) => number | undefined) {
    const seen: { readonly method: string; readonly url: string; readonly login: string }[] = [];
    const note = (incoming: IncomingMessage) =>
      seen.push({
        method: incoming.method ?? "",
        url: incoming.url ?? "",
        login: incoming.headers["proxy-authorization"] ?? "",
      });
    const server = createServer((incoming, outgoing) => {
      note(incoming);
      outgoing.end("through the proxy");
    });
    server.on("connect", (incoming, socket) => {
      note(incoming);
      const port = onConnect(incoming.url ?? "");
      if (port === undefined) {
        socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
        return;
      }
      const onward = connect(port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        onward.pipe(socket).pipe(onward);
      });
      onward.on("error", () => socket.destroy());
      socket.on("error", () => onward.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ends.push(() => {
      server.close();
      server.closeAllConnections();
    });
    return { port: (server.address() as AddressInfo).port, seen };
  }

  function send(url: string, env: Record<string, string>) {
    const transport = new Transport(env, 2000);
    ends.push(() => transport.close());
    const exchange = { method: "GET", url: new URL(url), headers: {}, maxBytes: 1000 } as const;
    return transport.send(exchange, new AbortController().signal);
  }

  test("plain HTTP is asked for in full", async () => {
    const { port, seen } = await proxy(() => undefined);
    const env = { HTTP_PROXY: `http://me:p%40ss@127.0.0.1:${port}` };
    const answer = await send("http://registry.example:5000/v2/", env);
    expect(answer.body.toString()).toBe("through the proxy");
    const login = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;
    expect(seen).toEqual([{ method: "GET", url: "http://registry.example:5000/v2/", login }]);
  });

  test("HTTPS goes through a tunnel, TLS with the registry itself", async () => {
    // Whatever the tunnel leads to here speaks no TLS: that the handshake begins is proof enough.
    let hello = 0;
    const registry = createServer();
    registry.on("clientError", (error: Error & { rawPacket?: Buffer }, socket) => {
      hello = error.rawPacket?.[0] ?? 0;
      socket.destroy();
    });
    await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
    ends.push(() => registry.close());
    const { port, seen } = await proxy(() => (registry.address() as AddressInfo).port);
    const env = { HTTPS_PROXY: `http://127.0.0.1:${port}` };
    await expect(send("https://registry.example/v2/", env)).rejects.toBeInstanceOf(NetworkError);
    expect(seen).toEqual([{ method: "CONNECT", url: "registry.example:443", login: "" }]);
    expect(hello).toBe(0x16);
  });

  test("a proxy that refuses is named", async () => {
    const { port } = await proxy(() => undefined);
    const env = { HTTPS_PROXY: `http://127.0.0.1:${port}` };
    await expect(send("https://registry.example/v2/", env)).rejects.toThrow(
      `the proxy 127.0.0.1:${port} answered CONNECT with 403`,
    );
  });
});

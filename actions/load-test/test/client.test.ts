import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createTls } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Addresses } from "../src/http/addresses.ts";
import { Client, type Ending, type Exchange } from "../src/http/client.ts";
import { parseUrl } from "../src/target.ts";
import { refusingUrl, serveHttp, serveTcp } from "./server.ts";

/** A client for a URL, and a way to send one request and hear of its end. */
function clientFor(url: string, timeoutMs = 5000) {
  const base = parseUrl(url);
  if ("problem" in base) throw new Error(base.problem);
  const client = new Client({ target: base.target, timeoutMs, addresses: new Addresses(base.target.host) });
  const get = (path = "/", laterMs = 0) =>
    new Promise<Ending>((done) => {
      const text = `GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`;
      const exchange: Exchange = { text, bodiless: false, keepBody: true, sentAt: 0, over: false, done };
      client.send(exchange, performance.now() + laterMs);
    });
  return { client, get };
}

describe("Client", () => {
  test("keeps a connection for the next request, and opens more for requests at once", async () => {
    const server = await serveHttp((_request, response) => void response.end("ok"));
    const { client, get } = clientFor(server.url);
    await get();
    await get();
    expect(client.opened).toBe(1);
    await Promise.all([get(), get(), get()]);
    expect(client).toMatchObject({ opened: 3, inFlight: 0 });
    client.close();
    await server.close();
  });

  test("a connection that the server closed while idle is not used again", async () => {
    const server = await serveTcp((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        setTimeout(() => socket.end(), 10);
      });
    });
    const { client, get } = clientFor(server.url);
    for (let i = 0; i < 3; i++) {
      expect(await get()).toMatchObject({ answered: true, status: 200, body: "ok" });
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    expect(client.opened).toBe(3);
    client.close();
    await server.close();
  });

  test("a connection that sat idle for long is left before the server closes it", async () => {
    const server = await serveHttp((_request, response) => void response.end("ok"));
    const { client, get } = clientFor(server.url);
    await Promise.all([get(), get()]);
    await get("/", 3900);
    expect(client.opened).toBe(2);
    expect(await get("/", 4100)).toMatchObject({ answered: true });
    expect(client.opened).toBe(3);
    await get();
    expect(client.opened).toBe(3);
    client.close();
    await server.close();
  });

  test("an answer that comes after its timeout is never taken for the next one's", async () => {
    let first = true;
    let closed = 0;
    const server = await serveHttp((request, response) => {
      const wait = first ? 150 : 0;
      if (first) request.socket.on("close", () => closed++);
      first = false;
      setTimeout(() => response.end(request.url), wait);
    });
    const { client, get } = clientFor(server.url, 50);
    const watch = setInterval(() => client.expire(performance.now()), 5);
    expect(await get("/slow")).toMatchObject({ answered: false, failure: "timeout" });
    await new Promise((resolve) => setTimeout(resolve, 75));
    // Given up means hung up: nobody waits for what is left, and the server learns of it.
    expect(closed).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 125));
    expect(await get("/next")).toMatchObject({ answered: true, body: "/next" });
    clearInterval(watch);
    client.close();
    await server.close();
  });

  test.each([
    ["closes without a word", (socket: { end(): void }) => socket.end(), "closed"],
    ["resets", (socket: { resetAndDestroy(): void }) => socket.resetAndDestroy(), "reset"],
    [
      "speaks something else",
      (socket: { write(text: string): void }) => socket.write("220 smtp\r\n\r\n"),
      "malformed",
    ],
  ])("a server that %s", async (_name, act, failure) => {
    const server = await serveTcp((socket) => socket.once("data", () => act(socket as never)));
    const { client, get } = clientFor(server.url);
    expect(await get()).toMatchObject({ answered: false, failure });
    client.close();
    await server.close();
  });

  test("a reset on a kept connection before the first byte is a class of its own", async () => {
    const server = await serveTcp((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        socket.once("data", () => socket.resetAndDestroy());
      });
    });
    const { client, get } = clientFor(server.url);
    await get();
    expect(await get()).toMatchObject({ answered: false, failure: "idle-closed" });
    client.close();
    await server.close();
  });

  test("refused, and a name that does not exist", async () => {
    const refused = clientFor(await refusingUrl());
    expect(await refused.get()).toMatchObject({ failure: "connect-refused", detail: "ECONNREFUSED" });
    const nowhere = clientFor("http://no-such-host.invalid");
    expect(await nowhere.get()).toMatchObject({ failure: "dns" });
  });

  test("localhost reaches a server that listens on one of its addresses only", async () => {
    const server = await serveHttp((_request, response) => void response.end("ok"));
    const addresses = new Addresses("localhost");
    await addresses.start();
    const target = { origin: "http://localhost", secure: false, host: "localhost", port: server.port };
    const client = new Client({ target, timeoutMs: 5000, addresses });
    const text = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for (let i = 0; i < 4; i++) {
      const ending = await new Promise<Ending>((done) => {
        client.send(
          { text, bodiless: false, keepBody: false, sentAt: 0, over: false, done },
          performance.now(),
        );
      });
      expect(ending).toMatchObject({ answered: true, status: 200 });
    }
    addresses.stop();
    client.close();
    await server.close();
  });

  test("TLS is verified: a certificate that nobody vouches for fails as tls", async () => {
    const folder = mkdtempSync(join(tmpdir(), "goci-tls-"));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const options = [
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-subj",
      "/CN=localhost",
    ];
    execFileSync("openssl", ["req", "-x509", ...options, "-keyout", key, "-out", cert], { stdio: "ignore" });
    const server = createTls({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => {
      response.end("ok");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { client, get } = clientFor(`https://127.0.0.1:${port}`);
    expect(await get()).toMatchObject({
      answered: false,
      failure: "tls",
      detail: "DEPTH_ZERO_SELF_SIGNED_CERT",
    });
    client.close();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });
});

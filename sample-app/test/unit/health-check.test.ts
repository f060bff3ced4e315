import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { checkHealth, ownUrl } from "../../src/health-check.ts";
import { serveApp } from "../http.ts";
import { createMemoryStore } from "../memory-store.ts";
import { startProcess } from "../service-process.ts";

describe("health check", () => {
  test("asks where the service of the same environment listens", () => {
    const asked = (env: Record<string, string>) => {
      const url = ownUrl(env, "/healthz");
      return url.ok ? url.value.href : url.problems.join();
    };
    assert.equal(asked({}), "http://127.0.0.1:8000/healthz");
    assert.equal(asked({ PORT: "81", BIND_ADDRESS: "0.0.0.0" }), "http://127.0.0.1:81/healthz");
    assert.equal(asked({ PORT: "81", BIND_ADDRESS: "10.0.0.7" }), "http://10.0.0.7:81/healthz");
    assert.equal(asked({ PORT: "81", BIND_ADDRESS: "::1" }), "http://[::1]:81/healthz");
    assert.match(asked({ PORT: "eighty" }), /`PORT` is "eighty"/);
    assert.equal(ownUrl({}, "readyz").ok, false);
  });

  test("is content with 2xx only, and says what it met", async () => {
    const readiness = async () => ({ ready: false as const, reason: "no database" });
    const server = await serveApp(createMemoryStore(), readiness);
    try {
      assert.equal(await checkHealth(new URL(`${server.url}/healthz`)), "");
      assert.match(await checkHealth(new URL(`${server.url}/readyz`)), /answers 503$/);
    } finally {
      await server.close();
    }
    assert.match(await checkHealth(new URL(`${server.url}/healthz`)), /ECONNREFUSED/);
  });

  test("gives up on a service that accepts and says nothing", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    assert.match(await checkHealth(new URL(`http://127.0.0.1:${port}/`), 50), /no answer within 50 ms/);
    silent.closeAllConnections();
    silent.close();
  });

  test("is a command that needs no database and exits as the answer was", async () => {
    const service = startProcess({ PORT: "1" }, ["healthcheck", "/readyz"]);
    assert.equal(await service.exit, 1);
    assert.match(service.output(), /not healthy: http:\/\/127\.0\.0\.1:1\/readyz/);
    assert.doesNotMatch(service.output(), /HOST/);
  });
});

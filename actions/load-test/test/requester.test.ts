import { describe, expect, test } from "@jest/globals";
import { type Endpoint, GOOD_STATUSES, redirectPath, requestText, type Target } from "../src/endpoint.ts";
import { Addresses } from "../src/http/addresses.ts";
import { judge, Requester } from "../src/requester.ts";
import { Tally } from "../src/tally.ts";
import { weightedChoice } from "../src/weights.ts";
import { serveHttp } from "./server.ts";

const TARGET: Target = {
  origin: "http://shop.example:8080",
  secure: false,
  host: "shop.example",
  port: 8080,
};
const GET: Endpoint = {
  name: "GET /",
  method: "GET",
  path: "/",
  weight: 1,
  headers: [],
  body: "",
  expect: { statuses: GOOD_STATUSES, contains: "" },
};

describe("latency", () => {
  test("counts from the due time, service from the send", async () => {
    const server = await serveHttp((_request, response) => void response.end());
    const target = { origin: server.url, secure: false, host: "127.0.0.1", port: server.port };
    const tally = new Tally(1);
    const addresses = new Addresses("127.0.0.1");
    const requester = new Requester({ target, endpoints: [GET], timeoutMs: 5000, addresses, tally });
    await new Promise<boolean>((done) => {
      const now = performance.now();
      requester.send(0, now - 60_000, true, now, done);
    });
    const news = tally.drain(0, 0, 0, 0);
    expect(news.measured[0]?.latency.min).toBeGreaterThanOrEqual(60_000_000);
    expect(news.service.max).toBeLessThan(60_000_000);
    requester.client.close();
    await server.close();
  });
});

test("a redirect chain without an end is a failure, though 302 is a good status", async () => {
  const server = await serveHttp((_request, response) => {
    response.writeHead(302, { Location: "/again" });
    response.end();
  });
  const target = { origin: server.url, secure: false, host: "127.0.0.1", port: server.port };
  const tally = new Tally(1);
  const addresses = new Addresses("127.0.0.1");
  const requester = new Requester({ target, endpoints: [GET], timeoutMs: 5000, addresses, tally });
  await new Promise<boolean>((done) => {
    const now = performance.now();
    requester.send(0, now, true, now, done);
  });
  expect(tally.drain(0, 0, 0, 0).measured[0]).toMatchObject({
    answered: 1,
    failures: [{ failure: "unexpected-status", count: 1, detail: "status 302 behind 5 redirects" }],
  });
  requester.client.close();
  await server.close();
});

describe("requestText", () => {
  test("one's own headers replace the defaults; a body has its length in bytes", () => {
    const endpoint = {
      ...GET,
      method: "POST",
      body: "\u00c5\u00bb",
      headers: [
        ["user-agent", "me"],
        ["X-Name", "Żółw"],
      ] as const,
    };
    expect(requestText(TARGET, endpoint)).toBe(
      `POST / HTTP/1.1\r\nHost: shop.example:8080\r\nuser-agent: me\r\nAccept: */*\r\nContent-Length: 2\r\nX-Name: ${Buffer.from("Żółw").toString("latin1")}\r\n\r\n\u00c5\u00bb`,
    );
  });

  test.each([
    [{ secure: false, port: 80 }, "shop.example"],
    [{ secure: true, port: 443 }, "shop.example"],
    [{ secure: true, port: 80 }, "shop.example:80"],
    [{ host: "::1", port: 80 }, "[::1]"],
  ])("%j: Host %s", (change, host) => {
    expect(requestText({ ...TARGET, ...change }, GET)).toContain(`\r\nHost: ${host}\r\n`);
  });
});

test.each([
  ["/next?a=1", "/next?a=1"],
  ["next", "/a/next"],
  ["http://shop.example:8080/x", "/x"],
  ["http://shop.example/x", undefined],
  ["https://shop.example:8080/x", undefined],
  ["//evil.example/x", undefined],
  ["http://evil.example:8080/x", undefined],
  ["http://[", undefined],
  ["", undefined],
])("a redirect to %s leads to %s", (location, path) => {
  expect(redirectPath(location, "/a/b", TARGET)).toBe(path);
});

test.each([
  [200, "", [[200, 399]], "", undefined],
  [404, "", [[200, 399]], "", "http-4xx"],
  [503, "", [[200, 399]], "", "http-5xx"],
  [200, "", [[201, 201]], "", "unexpected-status"],
  [404, "", [[404, 404]], "", undefined],
  [200, "all fine", [[200, 399]], "fine", undefined],
  [200, "all bad", [[200, 399]], "fine", "unexpected-body"],
] as const)("status %d, body %j, expected %j and %j: %s", (status, body, statuses, contains, failure) => {
  expect(judge({ ...GET, expect: { statuses, contains } }, status, body)).toBe(failure);
});

test("weights give each its share, evenly, also to threads that send every second request", () => {
  const choose = weightedChoice([3, 1]);
  for (const step of [1, 2]) {
    const picks = Array.from({ length: 1000 }, (_, i) => choose(i * step));
    for (let from = 0; from + 100 <= picks.length; from += 100) {
      const first = picks.slice(from, from + 100).filter((pick) => pick === 0).length;
      expect(Math.abs(first - 75)).toBeLessThanOrEqual(3);
    }
  }
});

import { afterAll, describe, expect, test } from "@jest/globals";
import { load, loadFor, resultOf, runner, withServer } from "./bundle.ts";
import { refusingUrl, serveHttp, serveTcp } from "./server.ts";

afterAll(() => runner.dispose());

describe("a target that fails", () => {
  test("all refused, with a latency gate only: no-data", async () => {
    const step = await load({ url: await refusingUrl(), "ready-timeout": "0", thresholds: "p95<5s" });
    expect(step.outputs).toMatchObject({
      outcome: "no-data",
      verdict: "no-data",
      "failure-code": "NO_ANSWERS",
      requests: "200",
      "error-rate": "100",
      p95: "",
    });
    expect(step.outputs["reason"]).toContain("200 connect-refused: ECONNREFUSED");
  });

  test("all refused in the closed model: no-data too, and the users do not spin", async () => {
    const step = await load({ url: await refusingUrl(), "ready-timeout": "0", rate: "", users: "5" });
    expect(step.outputs).toMatchObject({ verdict: "no-data", "failure-code": "NO_ANSWERS" });
    expect(Number(step.outputs["requests"])).toBeLessThan(5 * 2 * 25);
  });

  test("never ready: no load at all", async () => {
    const step = await load({ url: await refusingUrl(), "ready-timeout": "1s" });
    expect(step.outputs).toMatchObject({
      outcome: "no-data",
      verdict: "no-data",
      "failure-code": "NOT_READY",
      requests: "0",
    });
    expect(step.outputs["reason"]).toMatch(/5 times in a row within 1 s.*ECONNREFUSED/);
  });

  test("only 500: fail, with count, class, and first and last time", async () => {
    const server = serveHttp((_request, response) => {
      response.statusCode = 500;
      response.end();
    });
    await withServer(server, async ({ url }) => {
      const before = Date.now();
      const step = await loadFor("fail", { url, thresholds: "p95<5s" });
      expect(step.outputs).toMatchObject({ "error-rate": "100", requests: "200" });
      const [failure] = resultOf(step).failures;
      expect(failure).toMatchObject({ class: "http-5xx", count: 200, details: ["status 500"] });
      expect(Date.parse(failure?.first ?? "")).toBeGreaterThanOrEqual(before);
      expect(Date.parse(failure?.last ?? "")).toBeLessThanOrEqual(Date.now());
      expect(Date.parse(failure?.last ?? "") - Date.parse(failure?.first ?? "")).toBeGreaterThan(1000);
      expect(step.summary).toContain("| HTTP 5xx | 200 |");
    });
  });

  test("hangs for most of the run: fail, and the waits are in the percentiles", async () => {
    let startedAt = 0;
    const server = serveHttp((_request, response) => {
      startedAt ||= performance.now();
      if (performance.now() - startedAt < 1000) response.end();
    });
    await withServer(server, async ({ url }) => {
      const step = await loadFor("fail", {
        url,
        rate: "50",
        duration: "4s",
        "request-timeout": "500ms",
        thresholds: "p50<400ms",
      });
      expect(step.outputs).toMatchObject({ requests: "200" });
      expect(Number(step.outputs["p50"])).toBeGreaterThanOrEqual(500);
      expect(resultOf(step).failures).toEqual([expect.objectContaining({ class: "timeout" })]);
      expect(Number(step.outputs["error-rate"])).toBeGreaterThan(50);
    });
  });

  test("cuts connections: each is counted in its class, and nothing is retried", async () => {
    let hits = 0;
    const server = serveTcp((socket) => {
      socket.once("data", () => {
        hits++;
        if (hits % 2 === 0) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        else socket.end("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
      });
    });
    await withServer(server, async ({ url }) => {
      const step = await loadFor("fail", { url, "ready-timeout": "0" });
      expect(step.outputs).toMatchObject({ requests: "200", "error-rate": "50" });
      expect(resultOf(step).failures).toEqual([expect.objectContaining({ class: "closed", count: 100 })]);
      expect(hits % 200).toBe(0);
    });
  });

  test("more in flight than allowed: invalid, and the run stops there", async () => {
    const server = serveHttp(() => {});
    await withServer(server, async ({ url }) => {
      const step = await load({
        url,
        "ready-timeout": "0",
        "max-in-flight": "20",
        duration: "60s",
        "max-duration": "2m",
      });
      expect(step.outputs).toMatchObject({ outcome: "invalid", "failure-code": "IN_FLIGHT_CAP" });
      expect(step.outputs["reason"]).toContain("not one was answered");
      expect(step.durationMs).toBeLessThan(20_000);
    });
    let hits = 0;
    const half = serveHttp((_request, response) => {
      if (++hits <= 50) response.end();
    });
    await withServer(half, async ({ url }) => {
      const step = await load({ url, "max-in-flight": "20", duration: "60s", "max-duration": "2m" });
      expect(step.outputs).toMatchObject({
        outcome: "invalid",
        verdict: "invalid",
        "failure-code": "IN_FLIGHT_CAP",
      });
      expect(step.durationMs).toBeLessThan(20_000);
    });
  });

  test("abort-on-fail stops once abort-after is over", async () => {
    const server = serveHttp((_request, response) => {
      response.statusCode = 404;
      response.end();
    });
    await withServer(server, async ({ url }) => {
      const step = await loadFor("fail", {
        url,
        duration: "60s",
        "abort-on-fail": "true",
        "abort-after": "1s",
      });
      if (step.outputs["verdict"] === "fail") {
        expect(step.outputs).toMatchObject({ outcome: "failed", "failure-code": "THRESHOLD_BROKEN" });
        expect(step.outputs["reason"]).toContain("stopped early");
      }
      expect(step.durationMs).toBeLessThan(30_000);
    });
  });
});

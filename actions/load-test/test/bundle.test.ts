import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { expectValidReport } from "../../../lib/testing/report-schema.ts";
import { FakeRunner, type StepResult } from "../../../lib/testing/runner.ts";
import { OUTPUTS } from "../src/outputs.ts";
import type { ResultDocument } from "../src/result.ts";
import { refusingUrl, serveHttp, serveTcp, type TestServer } from "./server.ts";

let runner: FakeRunner;
beforeAll(() => {
  runner = new FakeRunner();
});
afterAll(() => runner.dispose());

const QUICK = { "warm-up": "0", duration: "2s", rate: "100", "ready-timeout": "5s" };

/** Runs the bundle; holds what every run must keep: the report's schema, all outputs, one error when red. */
async function load(inputs: Record<string, string>): Promise<StepResult> {
  const step = await runner.main("load-test", { ...QUICK, ...inputs });
  expectWhole(step);
  return step;
}

function expectWhole(step: StepResult): void {
  expectValidReport(step.report);
  expect(Object.keys(step.outputs).sort()).toEqual([...OUTPUTS].sort());
  const green = ["succeeded", "planned"].includes(step.outputs["outcome"] ?? "");
  expect({ code: step.exitCode, errors: step.errors.length }).toEqual({
    code: green ? 0 : 1,
    errors: green ? 0 : 1,
  });
}

/** The same again when the machine was too busy to measure: the action says so itself, and no test can change that. */
async function loadTrusted(inputs: Record<string, string>): Promise<StepResult> {
  for (let tries = 1; ; tries++) {
    const step = await load(inputs);
    if (!["GENERATOR_LAG", "RATE_NOT_REACHED"].includes(step.outputs["failure-code"] ?? "") || tries >= 4)
      return step;
  }
}

function resultOf(step: StepResult): ResultDocument {
  return JSON.parse(readFileSync(step.outputs["result-path"] ?? "", "utf8")) as ResultDocument;
}

async function withServer<T>(
  server: Promise<TestServer>,
  body: (server: TestServer) => Promise<T>,
): Promise<T> {
  const started = await server;
  try {
    return await body(started);
  } finally {
    await started.close();
  }
}

const ok = () => serveHttp((_request, response) => void response.end("hello"));

describe("a healthy target", () => {
  test("passes, with every number, and gets exactly the planned requests", async () => {
    let hits = 0;
    const server = serveHttp((request, response) => {
      if (request.url === "/bruno?x=1") hits++;
      response.end("hello");
    });
    await withServer(server, async ({ url }) => {
      hits = 0;
      const step = await load({
        url,
        path: "/bruno?x=1",
        rate: "200",
        "warm-up": "1s",
        thresholds: "p95<5s",
      });
      // 5 readiness tries, 100 requests of warm-up, 400 that count.
      expect(hits).toBe(505);
      expect(step.outputs).toMatchObject({ requests: "400", "error-rate": "0", url });
      expect(Number(step.outputs["achieved-rate-ratio"])).toBe(1);
      const numbers = ["p50", "p90", "p95", "p99", "p999", "max"].map((name) => Number(step.outputs[name]));
      expect(numbers.every((value) => value > 0)).toBe(true);
      expect([...numbers].sort((a, b) => a - b)).toEqual(numbers);
      const result = resultOf(step);
      expect(result).toMatchObject({
        schema: "goci/load-result/v1",
        requests: 400,
        answered: 400,
        failed: 0,
      });
      expect(result.warmUp.requests).toBe(100);
      expect(result.histograms.latency.filter((_, i) => i % 2 === 1).reduce((a, b) => a + b, 0)).toBe(400);
      expect(result.seconds.reduce((sum, item) => sum + item.sent, 0)).toBe(500);
    });
  });

  test("green verdict, summary and page", async () => {
    await withServer(ok(), async ({ url }) => {
      const step = await loadTrusted({ url, thresholds: "p95<5s", duration: "3s" });
      expect(step.outputs).toMatchObject({ outcome: "succeeded", verdict: "pass", "failure-code": "" });
      for (const part of [
        "verdict **pass**",
        "| p95&lt;5s |",
        "from due time",
        "```mermaid\nxychart-beta",
        "send lag p99",
      ]) {
        expect(step.summary).toContain(part);
      }
      const page = readFileSync(step.outputs["html-path"] ?? "", "utf8");
      expect(page).toContain("<svg");
      expect(page).not.toMatch(/(src|href|url)\s*[=(]/);
    });
  });

  test("two threads send what one would", async () => {
    await withServer(ok(), async ({ url }) => {
      const step = await load({ url, rate: "501", workers: "2", thresholds: "p95<5s" });
      expect(step.outputs["requests"]).toBe("1002");
      expect(resultOf(step).generator.workers).toBe(2);
    });
  });

  test("closed model: as many in flight as users, and the summary says what it cannot see", async () => {
    let now = 0;
    let most = 0;
    const server = serveHttp((_request, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        response.end();
      }, 20);
    });
    await withServer(server, async ({ url }) => {
      const step = await load({ url, rate: "", users: "7", "spawn-rate": "70" });
      expect(step.outputs).toMatchObject({ outcome: "succeeded", "achieved-rate-ratio": "" });
      expect(most).toBe(7);
      expect(step.summary).toContain("hide stalls");
    });
  });

  test("find-max finds no more than max-rate and shows each rate that it tried", async () => {
    await withServer(ok(), async ({ url }) => {
      const inputs = {
        url,
        profile: "find-max",
        rate: "50",
        "max-rate": "150",
        duration: "8s",
        thresholds: "p50<2s",
      };
      const step = await loadTrusted(inputs);
      const tried = (resultOf(step).probes ?? []).map((probe) => probe.rate);
      expect(tried[0]).toBe(50);
      expect(Math.max(...tried)).toBeLessThanOrEqual(150);
      expect(tried).toContain(Number(step.outputs["max-rate-found"]));
    });
  });
});

describe("a target that stalls", () => {
  /** Answers after 10 ms, but nothing in the second half of each second: known percentiles for independent arrivals. */
  function stalling(): Promise<TestServer> {
    const startedAt = performance.now();
    return serveHttp((_request, response) => {
      const inSecond = (performance.now() - startedAt) % 1000;
      setTimeout(() => response.end(), 10 + (inSecond > 500 ? 1000 - inSecond : 0));
    });
  }

  test("the stall shows in p95 and p99, counted from due time", async () => {
    await withServer(stalling(), async ({ url }) => {
      const step = await load({ url, rate: "200", duration: "4s", thresholds: "p95<5s" });
      // Half of the requests wait 0 to 500 ms: the top 5 % start at 450 + 10, the top 1 % at 490 + 10.
      const [p95, p99] = [Number(step.outputs["p95"]), Number(step.outputs["p99"])];
      expect(p95).toBeGreaterThan(460 / 1.5);
      expect(p95).toBeLessThan(460 * 2);
      expect(p99).toBeGreaterThan(500 / 1.5);
      expect(p99).toBeLessThan(500 * 2);
    });
  });
});

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
      const step = await loadTrusted({ url, thresholds: "p95<5s" });
      expect(step.outputs).toMatchObject({
        outcome: "failed",
        verdict: "fail",
        "error-rate": "100",
        requests: "200",
      });
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
      const step = await loadTrusted({
        url,
        rate: "50",
        duration: "4s",
        "request-timeout": "500ms",
        thresholds: "p50<400ms",
      });
      expect(step.outputs).toMatchObject({ outcome: "failed", verdict: "fail", requests: "200" });
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
      const step = await loadTrusted({ url, "ready-timeout": "0" });
      expect(step.outputs).toMatchObject({ verdict: "fail", requests: "200", "error-rate": "50" });
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
      // Not one answer came, so there is no data to be invalid.
      expect(step.outputs).toMatchObject({ outcome: "no-data", verdict: "no-data" });
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
      const step = await loadTrusted({ url, duration: "60s", "abort-on-fail": "true", "abort-after": "1s" });
      expect(step.outputs).toMatchObject({
        outcome: "failed",
        verdict: "fail",
        "failure-code": "THRESHOLD_BROKEN",
      });
      expect(step.outputs["reason"]).toContain("stopped early");
      expect(step.durationMs).toBeLessThan(30_000);
    });
  });
});

describe("requests", () => {
  test("weights, methods, bodies, headers and expectations", async () => {
    const seen = new Map<string, number>();
    let body = "";
    const server = serveHttp((request, response) => {
      const key = `${request.method} ${request.url}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
      if (request.method !== "POST") return void response.end('{"items":[]}');
      request.on("data", (chunk: Buffer) => {
        body = `${request.headers["content-type"]} ${request.headers["x-key"]} ${chunk.toString("utf8")}`;
      });
      request.on("end", () => {
        response.statusCode = 201;
        response.end();
      });
    });
    const requests = `
- { path: /items, weight: 3, expect: { contains: items } }
- { method: POST, path: /items, body: { name: Zoë }, headers: { X-Key: secret-of-mine }, expect: { status: 201 } }
- { path: /none, weight: 1, name: wrong, expect: { contains: nothing like this } }
`;
    await withServer(server, async ({ url }) => {
      const step = await loadTrusted({
        url,
        requests,
        rate: "250",
        "ready-timeout": "0",
        thresholds: "errors<50%\nGET /items errors<1%\nwrong errors<10%",
      });
      expect(step.outputs).toMatchObject({ verdict: "fail", "error-rate": "20" });
      expect(step.outputs["reason"]).toMatch(/^wrong errors<10% is broken: 100 %$/);
      expect(body).toBe('application/json secret-of-mine {"name":"Zoë"}');
      const rows = resultOf(step).endpoints.map(({ name, requests: count, failed }) => ({
        name,
        count,
        failed,
      }));
      expect(rows).toEqual([
        { name: "GET /items", count: 300, failed: 0 },
        { name: "POST /items", count: 100, failed: 0 },
        { name: "wrong", count: 100, failed: 100 },
      ]);
      expect(step.output).not.toMatch(/(?<!add-mask::)secret-of-mine/);
    });
  });

  test("a redirect to another host is not followed, one on the same host is", async () => {
    let strangers = 0;
    const other = await serveHttp((_request, response) => {
      strangers++;
      response.end();
    });
    let landed = 0;
    const server = serveHttp((request, response) => {
      if (request.url === "/end") landed++;
      else response.writeHead(302, { Location: request.url === "/away" ? `${other.url}/x` : "/end" });
      response.end();
    });
    const requests = "- path: /away\n- path: /near\n";
    await withServer(server, async ({ url }) => {
      const step = await load({ url, requests, "ready-timeout": "0" });
      await other.close();
      expect(strangers).toBe(0);
      expect(landed).toBe(100);
      expect(step.outputs["requests"]).toBe("200");
      expect(step.summary).toContain("100 answers redirected to another host");
    });
  });

  test("secret headers reach the target and nothing else", async () => {
    const seen = new Set<string>();
    const server = serveHttp((request, response) => {
      seen.add(request.headers.authorization ?? "");
      response.end();
    });
    await withServer(server, async ({ url }) => {
      const step = await load({ url, headers: "Authorization=Bearer top.secret.value" });
      expect([...seen]).toEqual(["Bearer top.secret.value"]);
      expect(step.masks).toContain("Bearer top.secret.value");
      const files = ["report", "result-path", "html-path"].map((name) =>
        readFileSync(step.outputs[name] ?? "", "utf8"),
      );
      const texts = [
        ...files,
        step.summary,
        JSON.stringify(step.outputs),
        step.output.replace(/^::add-mask::.*$/gm, ""),
      ];
      for (const text of texts) expect(text).not.toContain("top.secret.value");
    });
  });
});

describe("before any request", () => {
  async function untouched(inputs: Record<string, string>): Promise<StepResult> {
    let connections = 0;
    const server = serveTcp(() => {
      connections++;
    });
    return withServer(server, async ({ url }) => {
      const step = await load({ url, ...inputs });
      expect(connections).toBe(0);
      return step;
    });
  }

  test("dry-run prints the plan and sends nothing", async () => {
    const step = await untouched({ "dry-run": "true", rate: "300", "warm-up": "2s", profile: "spike:900" });
    expect(step.outputs).toMatchObject({ outcome: "planned", verdict: "" });
    for (const text of [step.output, step.summary]) expect(text).toContain("profile spike:900");
    expect(step.summary).toContain("at 900 requests/s");
  });

  test("bad input: one message with all of it", async () => {
    const step = await untouched({ rate: "99999", duration: "20m", thresholds: "p95<300", engine: "locust" });
    expect(step.outputs).toMatchObject({ outcome: "failed", "failure-code": "BAD_INPUT", verdict: "" });
    for (const text of ["max-rate", "max-duration", "needs its unit", "`engine`"]) {
      expect(step.outputs["failure-reason"]).toContain(text);
    }
  });
});

describe("cancel", () => {
  test("in the middle of the load: partial numbers, invalid, within 5 s", async () => {
    await withServer(ok(), async ({ url }) => {
      const step = runner.start("load-test", { ...QUICK, url, duration: "60s" });
      await step.waitFor("measuring");
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const cancelledAt = performance.now();
      const end = await step.cancel();
      expect(performance.now() - cancelledAt).toBeLessThan(5000);
      expectWhole(end);
      expect(end.outputs).toMatchObject({
        outcome: "cancelled",
        "failure-code": "CANCELLED",
        verdict: "invalid",
      });
      expect(Number(end.outputs["requests"])).toBeGreaterThan(0);
      expect(resultOf(end)).toMatchObject({
        verdict: "invalid",
        reason: expect.stringContaining("interrupted"),
      });
    });
  });

  test("while it waits for the target", async () => {
    const step = runner.start("load-test", { ...QUICK, url: await refusingUrl(), "ready-timeout": "5m" });
    await step.waitFor("connect-refused");
    const end = await step.cancel();
    expectWhole(end);
    expect(end.outputs).toMatchObject({ outcome: "cancelled", verdict: "invalid" });
    expect(existsSync(end.outputs["result-path"] || "/nowhere")).toBe(false);
  });
});

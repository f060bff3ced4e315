import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "@jest/globals";
import { load, loadFor, resultOf, runner, wellServer, withServer } from "./bundle.ts";
import { serveHttp, type TestServer } from "./server.ts";

afterAll(() => runner.dispose());

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
    await withServer(wellServer(), async ({ url }) => {
      const step = await loadFor("pass", { url, thresholds: "p95<5s", duration: "3s" });
      if (step.exitCode === 0)
        expect(step.outputs).toMatchObject({ outcome: "succeeded", "failure-code": "" });
      for (const part of [
        "verdict **",
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
    await withServer(wellServer(), async ({ url }) => {
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
    await withServer(wellServer(), async ({ url }) => {
      const inputs = {
        url,
        profile: "find-max",
        rate: "50",
        "max-rate": "150",
        duration: "8s",
        thresholds: "p50<2s",
      };
      const step = await loadFor("pass", inputs);
      const tried = (resultOf(step).probes ?? []).map((probe) => probe.rate);
      expect(tried[0]).toBe(50);
      expect(Math.max(...tried)).toBeLessThanOrEqual(150);
      if (step.exitCode === 0) expect(tried).toContain(Number(step.outputs["max-rate-found"]));
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

  test("a user who waits sees next to nothing of it, which is why the closed model says what it hides", async () => {
    await withServer(stalling(), async ({ url }) => {
      const step = await load({ url, rate: "", users: "1", duration: "4s" });
      // One request of each second meets the stall: one of about 45.
      expect(Number(step.outputs["p95"])).toBeLessThan(460 / 2);
      expect(step.summary).toContain("hide stalls");
    });
  });
});

import { existsSync } from "node:fs";
import { afterAll, describe, expect, test } from "@jest/globals";
import type { StepResult } from "../../../lib/testing/runner.ts";
import { expectWhole, load, loadFor, QUICK, resultOf, runner, wellServer, withServer } from "./bundle.ts";
import { refusingUrl, serveHttp, serveTcp } from "./server.ts";

afterAll(() => runner.dispose());

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

test("the target is probed on the base path when no request only reads", async () => {
  const seen = new Set<string>();
  const server = serveHttp((request, response) => {
    seen.add(`${request.method} ${request.url}`);
    response.end();
  });
  await withServer(server, async ({ url }) => {
    await load({ url: `${url}/api`, requests: "- { method: POST, path: /items }", duration: "1s" });
    expect([...seen]).toEqual(["GET /api", "POST /api/items"]);
  });
});

describe("baseline", () => {
  test("the result of one run is the baseline of the next", async () => {
    await withServer(wellServer(), async ({ url }) => {
      const first = await loadFor("pass", { url, duration: "6s" });
      const path = first.outputs["result-path"] ?? "";
      const second = await load({ url, duration: "6s", baseline: path, "max-regression": "100000%" });
      const { baseline } = resultOf(second);
      if (resultOf(first).verdict === "pass") {
        expect(baseline).toMatchObject({ compared: true, regressed: false });
        expect(Number(second.outputs["baseline-delta-p95"])).toBeGreaterThan(-100);
        expect(second.summary).toContain("p95 against the baseline");
      } else {
        expect(baseline).toMatchObject({ compared: false });
      }
    });
  });

  test("a file that is not there, or is none, is bad input before any request", async () => {
    const url = await refusingUrl();
    const missing = await load({ url, baseline: "gone.json" });
    expect(missing.outputs).toMatchObject({ "failure-code": "BAD_INPUT", verdict: "" });
    const other = await load({ url, baseline: missing.outputs["report"] ?? "" });
    expect(other.outputs["failure-reason"]).toContain("is not a result.json of load-test");
  });
});

describe("cancel", () => {
  test("in the middle of the load: partial numbers, invalid, within 5 s", async () => {
    await withServer(wellServer(), async ({ url }) => {
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
    expect(end.outputs).toMatchObject({ outcome: "cancelled", verdict: "invalid", requests: "0" });
    expect(end.outputs["reason"]).not.toBe("");
    expect(existsSync(end.outputs["result-path"] || "/nowhere")).toBe(false);
  });
});

import { readFileSync } from "node:fs";
import { expect } from "@jest/globals";
import { expectValidReport } from "../../../lib/testing/report-schema.ts";
import { FakeRunner, type StepResult } from "../../../lib/testing/runner.ts";
import { OUTPUTS } from "../src/outputs.ts";
import type { ResultDocument } from "../src/result.ts";
import { serveHttp, type TestServer } from "./server.ts";

/** Runs short enough for tests. */
export const QUICK = { "warm-up": "0", duration: "2s", rate: "100", "ready-timeout": "5s" };

/** One job; `dispose` it after the tests of a file. */
export const runner = new FakeRunner();

/** Runs the bundle; holds what every run must keep: the report's schema, all outputs, one error when red. */
export async function load(inputs: Record<string, string>): Promise<StepResult> {
  const step = await runner.main("load-test", { ...QUICK, ...inputs });
  expectWhole(step);
  return step;
}

export function expectWhole(step: StepResult): void {
  expectValidReport(step.report);
  expect(Object.keys(step.outputs).sort()).toEqual([...OUTPUTS].sort());
  const green = ["succeeded", "planned"].includes(step.outputs["outcome"] ?? "");
  expect({ code: step.exitCode, errors: step.errors.length }).toEqual({
    code: green ? 0 : 1,
    errors: green ? 0 : 1,
  });
}

/** As often as a run is repeated when the machine was too busy to send in time. */
const TRIES = 3;

/**
 * Runs the bundle and holds its verdict. A machine that is too busy to measure
 * makes every run invalid, and rightly so: then it is tried again, and at last
 * only its own proof of that is asked for.
 */
export async function loadFor(verdict: string, inputs: Record<string, string>): Promise<StepResult> {
  for (let tries = 1; ; tries++) {
    const step = await load(inputs);
    const { "failure-code": code = "", verdict: found } = step.outputs;
    if (code !== "GENERATOR_LAG" && code !== "RATE_NOT_REACHED") {
      expect(found).toBe(verdict);
      return step;
    }
    if (tries < TRIES) continue;
    const { lagP99, achievedRateRatio } = resultOf(step).generator;
    expect((lagP99 ?? 0) > 10 || (achievedRateRatio ?? 1) < 0.98).toBe(true);
    return step;
  }
}

/** The result.json of a run. */
export function resultOf(step: StepResult): ResultDocument {
  return JSON.parse(readFileSync(step.outputs["result-path"] ?? "", "utf8")) as ResultDocument;
}

/** Lends a server to a body and ends it afterwards. */
export async function withServer<T>(
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

/** A server that always answers at once. */
export function wellServer(): Promise<TestServer> {
  return serveHttp((_request, response) => void response.end("hello"));
}

import { describe, expect, test } from "@jest/globals";
import { judgeThresholds, measuredOf, threeDigits } from "../src/judge.ts";
import { Measurement } from "../src/measurement.ts";
import { Tally } from "../src/tally.ts";
import { parseThresholds } from "../src/thresholds.ts";
import { type GeneratorHealth, judgeRun } from "../src/verdict.ts";

const HEALTHY: GeneratorHealth = { achievedRatio: 1, lagP99: 1, cut: "", lost: [], localFailures: 0 };
const NAMES = ["GET /", "GET /slow"];

/** A measurement of `ok` answers of 10 ms, `bad` answers 500 of 10 ms, and `refused` connections, on the first endpoint. */
function measure(ok: number, bad = 0, refused = 0): Measurement {
  const tally = new Tally(NAMES.length);
  const counts = tally.of(0, true);
  for (let i = 0; i < ok + bad; i++) {
    counts.answer(10, 100, false, 1);
    tally.service.record(8);
  }
  for (let i = 0; i < bad; i++) counts.fail("http-5xx", "status 500", 1);
  for (let i = 0; i < refused; i++) counts.fail("connect-refused", "ECONNREFUSED", 1);
  counts.sent = ok + bad + refused;
  const measurement = new Measurement(NAMES.length);
  measurement.add(tally.drain(0, 0, 0, 0));
  return measurement;
}

function verdictOf(measurement: Measurement, thresholds: string, health: Partial<GeneratorHealth> = {}) {
  const parsed = parseThresholds(thresholds, NAMES);
  expect(parsed.problems).toEqual([]);
  const judged = judgeThresholds(parsed.thresholds, measuredOf(measurement, NAMES, 10));
  return judgeRun({ ...HEALTHY, ...health }, measurement.total, judged);
}

describe("verdict", () => {
  test.each([
    ["all kept", measure(1000), "p95<300ms", {}, "pass", ""],
    ["a latency gate broken", measure(1000), "p95<9ms", {}, "fail", "THRESHOLD_BROKEN"],
    ["from send, not from due", measure(1000), "service-p95<9ms", {}, "pass", ""],
    ["too many errors", measure(980, 20), "errors<1%", {}, "fail", "THRESHOLD_BROKEN"],
    ["errors at the limit of <", measure(990, 10), "errors<1%", {}, "fail", "THRESHOLD_BROKEN"],
    ["errors at the limit of <=", measure(990, 10), "errors<=1%", {}, "pass", ""],
    ["too few answers", measure(1000), "rps>=101", {}, "fail", "THRESHOLD_BROKEN"],
    ["answers enough", measure(1000), "rps>=100", {}, "pass", ""],
    ["no request at all", measure(0), "p95<300ms", {}, "no-data", "NO_ANSWERS"],
    ["all refused, latency gate only", measure(0, 0, 500), "p95<300ms", {}, "no-data", "NO_ANSWERS"],
    ["all refused, a gate that allows it", measure(0, 0, 500), "errors<=100%", {}, "no-data", "NO_ANSWERS"],
    ["half refused, latency gate only", measure(500, 0, 500), "p95<300ms", {}, "fail", "THRESHOLD_BROKEN"],
    ["all 500, latency gate only", measure(0, 500), "p95<300ms", {}, "fail", "THRESHOLD_BROKEN"],
    ["a silent endpoint", measure(1000), "GET /slow p95<1s", {}, "no-data", "NO_DATA"],
    [
      "a broken gate beside a silent endpoint",
      measure(1000),
      "GET /slow p95<1s\np95<1ms",
      {},
      "fail",
      "THRESHOLD_BROKEN",
    ],
    ["an endpoint's own gate", measure(1000), "GET / p95<9ms", {}, "fail", "THRESHOLD_BROKEN"],
    ["rate not reached", measure(1000), "p95<300ms", { achievedRatio: 0.979 }, "invalid", "RATE_NOT_REACHED"],
    ["rate just reached", measure(1000), "p95<300ms", { achievedRatio: 0.98 }, "pass", ""],
    ["late", measure(1000), "p95<300ms", { lagP99: 10.1 }, "invalid", "GENERATOR_LAG"],
    ["just not late", measure(1000), "p95<300ms", { lagP99: 10 }, "pass", ""],
    ["late with a broken gate", measure(1000), "p95<9ms", { lagP99: 11 }, "invalid", "GENERATOR_LAG"],
    [
      "closed model has no rate",
      measure(1000),
      "p95<300ms",
      { achievedRatio: undefined, lagP99: undefined },
      "pass",
      "",
    ],
    ["cap reached", measure(1000), "p95<300ms", { cut: "in-flight-cap" }, "invalid", "IN_FLIGHT_CAP"],
    [
      "cap reached before an answer",
      measure(0),
      "p95<300ms",
      { cut: "in-flight-cap" },
      "invalid",
      "IN_FLIGHT_CAP",
    ],
    ["cut by max-requests", measure(1000), "p95<300ms", { cut: "max-requests" }, "invalid", "MAX_REQUESTS"],
    ["cancelled", measure(1000), "p95<300ms", { cut: "cancelled" }, "invalid", "CANCELLED"],
    [
      "a thread lost",
      measure(1000),
      "p95<300ms",
      { lost: ["load thread 0 ended"] },
      "invalid",
      "WORKER_LOST",
    ],
    ["no ports left", measure(1000), "p95<300ms", { localFailures: 1 }, "invalid", "GENERATOR_LIMIT"],
    [
      "aborted on a broken gate",
      measure(1000),
      "p95<9ms",
      { cut: "aborted", achievedRatio: 0.2 },
      "fail",
      "THRESHOLD_BROKEN",
    ],
    [
      "aborted on a gate that the last answers kept",
      measure(1000),
      "p95<300ms",
      { cut: "aborted", achievedRatio: 0.2 },
      "invalid",
      "ABORTED",
    ],
  ] as const)("%s", (_name, measurement, thresholds, health, verdict, code) => {
    expect(verdictOf(measurement, thresholds, health)).toMatchObject({ verdict, code });
  });

  test("the reason names every broken threshold with its value", () => {
    expect(verdictOf(measure(900, 100), "p95<9ms\nerrors<5%").reason).toBe(
      "p95<9ms is broken: 10 ms; errors<5% is broken: 10 %",
    );
  });

  test("the reason of no answers names the cause", () => {
    expect(verdictOf(measure(0, 0, 7), "p95<1s").reason).toBe(
      "not one of 7 requests was answered (7 connect-refused: ECONNREFUSED)",
    );
  });

  test.each([
    ["p95<20ms", 50],
    ["p95<8ms", -25],
    ["rps>=50", 100],
    ["errors<0%", undefined],
  ])("margin of %s", (text, margin) => {
    const { thresholds } = parseThresholds(text, NAMES);
    const [judged] = judgeThresholds(thresholds, measuredOf(measure(1000), NAMES, 10));
    expect(judged?.marginPercent).toBe(margin);
  });
});

test.each([
  [0, "0"],
  [0.0412, "0.0412"],
  [4.1234, "4.12"],
  [41.26, "41.3"],
  [412.4, "412"],
  [41_234.4, "41234"],
  [99.999, "100"],
])("three digits of %d", (value, text) => {
  expect(threeDigits(value)).toBe(text);
});

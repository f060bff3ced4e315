import { describe, expect, test } from "@jest/globals";
import { keeps, parseThreshold, parseThresholds } from "../src/thresholds.ts";

describe("one line", () => {
  test.each([
    ["p95<300ms", "", { kind: "percentile", percent: 95, of: "latency" }, "<", 300],
    ["p99.9<=1s", "", { kind: "percentile", percent: 99.9, of: "latency" }, "<=", 1000],
    ["p50 < 800us", "", { kind: "percentile", percent: 50, of: "latency" }, "<", 0.8],
    ["p100<1m", "", { kind: "percentile", percent: 100, of: "latency" }, "<", 60_000],
    ["service-p99<50ms", "", { kind: "percentile", percent: 99, of: "service" }, "<", 50],
    ["max<2s", "", { kind: "max" }, "<", 2000],
    ["avg<=0.1s", "", { kind: "mean" }, "<=", 100],
    ["mean>1ms", "", { kind: "mean" }, ">", 1],
    ["errors<0.5%", "", { kind: "errors" }, "<", 0.5],
    ["rps>=480", "", { kind: "rps" }, ">=", 480],
    ["GET /items p95<200ms", "GET /items", { kind: "percentile", percent: 95, of: "latency" }, "<", 200],
    ["the slow one errors<=2%", "the slow one", { kind: "errors" }, "<=", 2],
  ])("%s", (text, endpoint, metric, operator, limit) => {
    expect(parseThreshold(text)).toEqual({ text, endpoint, metric, operator, limit, implied: false });
  });

  test.each([
    ["p95", /not a threshold/],
    ["p95=300ms", /not a threshold/],
    ["p95<ms", /not a threshold/],
    ["p95<-3ms", /not a threshold/],
    ["p95<300", /unit/],
    ["p95<300%", /unit/],
    ["p95<300rps", /unit/],
    ["p0<300ms", /not a metric/],
    ["p101<300ms", /not a metric/],
    ["p99.9999<1s", /not a metric/],
    ["latency<300ms", /not a metric/],
    ["errors<5", /percent/],
    ["errors<101%", /0% to 100%/],
    ["rps>480/s", /not a threshold/],
    ["rps>480ms", /without a unit/],
    ["p95<1.2.3ms", /not a number/],
    ["GET / service-p95<1ms", /all requests together/],
  ])("%s is refused with what is allowed", (text, why) => {
    const parsed = parseThreshold(text);
    expect(parsed).toHaveProperty("problem", expect.stringMatching(why));
    expect(parsed).toHaveProperty("problem", expect.stringContaining(`\`${text}\``));
  });
});

describe("the whole input", () => {
  test("blank lines and comments are skipped; every bad line is told", () => {
    const { thresholds, problems } = parseThresholds("# gate\n\np95<1s\nfoo<1\nbar", ["GET /"]);
    expect(thresholds.map((item) => item.text)).toEqual(["p95<1s"]);
    expect(problems).toHaveLength(2);
  });

  test("a latency gate alone gets a gate on errors beside it", () => {
    const { thresholds } = parseThresholds("p95<1s", ["GET /"]);
    expect(thresholds.at(-1)).toMatchObject({
      metric: { kind: "errors" },
      operator: "<",
      limit: 1,
      implied: true,
    });
  });

  test("one's own gate on all errors stands alone; one endpoint's does not replace it", () => {
    expect(parseThresholds("errors<50%", ["GET /"]).thresholds).toHaveLength(1);
    expect(parseThresholds("GET / errors<50%", ["GET /"]).thresholds).toHaveLength(2);
    expect(parseThresholds("errors>=0%", ["GET /"]).thresholds).toHaveLength(2);
  });

  test("an endpoint that does not exist is a problem that names those that do", () => {
    expect(parseThresholds("GET /x p95<1s", ["GET /a", "POST /b"]).problems).toEqual([
      expect.stringMatching(/`GET \/x`.*`GET \/a`, `POST \/b`/),
    ]);
  });
});

test.each([
  ["<", 1, 1, false],
  ["<=", 1, 1, true],
  [">", 1, 1, false],
  [">=", 1, 1, true],
  ["<", 0.9, 1, true],
  [">", 1.1, 1, true],
] as const)("%s: %d against %d is %s", (operator, value, limit, kept) => {
  expect(keeps(operator, value, limit)).toBe(kept);
});

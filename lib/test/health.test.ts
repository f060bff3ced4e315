import { describe, expect, test } from "@jest/globals";
import { UserError } from "../errors.ts";
import { forRollback, type HealthCheck, judge, readHealthCheck, watchHealth } from "../health.ts";
import type { ProbeAnswer } from "../http.ts";
import { InputReader } from "../inputs.ts";
import { Mask } from "../mask.ts";
import { backoff, poll } from "../poll.ts";
import { FakeClock } from "../testing/fake-clock.ts";

function read(inputs: Record<string, string> = {}): {
  check: HealthCheck;
  problems: readonly string[];
  mask: Mask;
} {
  const mask = new Mask(() => {});
  const env = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const reader = new InputReader(env, mask);
  const check = readHealthCheck(reader, mask, "/");
  try {
    reader.finish();
    return { check, problems: [], mask };
  } catch (error) {
    return { check, problems: error instanceof UserError ? error.problems : [String(error)], mask };
  }
}

const ok = (body = "", status = 200): ProbeAnswer => ({ kind: "response", status, headers: {}, body, ms: 1 });
const refused: ProbeAnswer = { kind: "error", code: "ECONNREFUSED", message: "connect ECONNREFUSED", ms: 1 };

describe("readHealthCheck", () => {
  test("has the defaults of the contract", () => {
    expect(read().check).toMatchObject({
      url: "",
      path: "/",
      status: [[200, 399]],
      passes: 3,
      intervalMs: 2000,
      requestTimeoutMs: 5000,
      timeoutMs: 120_000,
    });
  });

  test.each([
    ["health-check-url", "localhost:80"],
    ["health-check-url", "ftp://h/"],
    ["health-check-path", "ready"],
    ["health-check-status", "200-"],
    ["health-check-status", "399-200"],
    ["health-check-status", "99"],
    ["health-check-status", "200,,201"],
    ["health-check-header", "no colon"],
    ["health-check-passes", "0"],
    ["health-check-interval", "0"],
  ])("refuses %s = %j", (name, value) => {
    const { problems } = read({ [name]: value });
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]).toContain(`\`${name}\``);
  });

  test("masks a token in a header, and its scheme's remainder, but no plain header", () => {
    const { check, mask } = read({
      "health-check-header": "Authorization: Bearer hunter22\nX-Forwarded-Proto: https",
    });
    expect([...check.headers]).toEqual([
      ["Authorization", "Bearer hunter22"],
      ["X-Forwarded-Proto", "https"],
    ]);
    expect(mask.redact("hunter22 https://h")).toBe("*** https://h");
  });
});

describe("judge", () => {
  const check = read({
    "health-check-status": "200, 204-206",
    "health-check-contains": "ok",
    "health-check-json": "version=1.4.2\ncount=3\ndeep.list.0=x\nnothing=null",
  }).check;
  const body = '{"version":"1.4.2","count":3,"deep":{"list":["x"]},"nothing":null,"state":"ok"}';

  test.each<[string, ProbeAnswer, string]>([
    ["all as asked", ok(body), ""],
    ["another status", ok(body, 203), "status 203"],
    ["the text is missing", ok("{}"), "does not contain"],
    ["no JSON", ok("ok"), "not JSON"],
    ["another value", ok(body.replace("1.4.2", "1.4.1")), "`version` is `1.4.1`, not `1.4.2`"],
    ["a missing value", ok(body.replace('"count":3,', "")), "`count` is `missing`"],
    ["no answer", refused, "connect ECONNREFUSED"],
  ])("%s", (_name, answer, reason) => {
    if (reason === "") expect(judge(check, answer)).toBe("");
    else expect(judge(check, answer)).toContain(reason);
  });

  test("does not take what every object has for a value of the body", () => {
    const wanted = read({ "health-check-json": "constructor.name=Object" }).check;
    expect(judge(wanted, ok("{}"))).toContain("missing");
  });

  test("of a rollback looks at the status only", () => {
    expect(judge(forRollback(check), ok("old"))).toBe("");
    expect(judge(forRollback(check), ok("old", 500))).not.toBe("");
  });
});

describe("watchHealth", () => {
  async function watch(
    answers: readonly ProbeAnswer[],
    options: { hopelessAt?: number; probeMs?: number } = {},
  ) {
    const clock = new FakeClock(0, true);
    const lines: string[] = [];
    let tries = 0;
    const verdict = await watchHealth(read({ "health-check-timeout": "20s" }).check, {
      clock,
      signal: new AbortController().signal,
      probe: async () => {
        await clock.sleep(options.probeMs ?? 0);
        return answers[Math.min(tries++, answers.length - 1)] ?? refused;
      },
      hopeless: () => (tries === options.hopelessAt ? "the process ended" : ""),
      log: (line) => lines.push(line),
    });
    return { verdict, lines, now: clock.now() };
  }

  test("needs its passes in a row", async () => {
    const { verdict, lines } = await watch([ok(), ok(), refused, ok(), ok(), ok()]);
    expect(verdict).toMatchObject({ kind: "healthy", tries: 6, status: 200, ms: 10_000 });
    expect(lines).toHaveLength(3);
  });

  test("gives up when the budget is used up, and says why", async () => {
    const { verdict, now } = await watch([ok("starting", 503)]);
    expect(verdict).toMatchObject({ kind: "unhealthy", status: 503, tries: 11 });
    expect(verdict).toMatchObject({
      reason: expect.stringContaining("status 503: starting (after 11 tries"),
    });
    expect(now).toBeLessThanOrEqual(20_000);
  });

  test("passes that come too late are not healthy", async () => {
    const { verdict } = await watch([refused, refused, refused, ok()], { probeMs: 5000 });
    expect(verdict.kind).toBe("unhealthy");
  });

  test("stops early when there is no hope", async () => {
    const { verdict } = await watch([refused], { hopelessAt: 2 });
    expect(verdict).toMatchObject({ kind: "unhealthy", reason: "the process ended", tries: 2 });
  });

  test("a cancel rejects", async () => {
    const cancel = new AbortController();
    const watching = watchHealth(read().check, {
      clock: new FakeClock(0, true),
      signal: cancel.signal,
      probe: async () => {
        cancel.abort(new Error("cancelled"));
        return ok();
      },
    });
    await expect(watching).rejects.toThrow("cancelled");
  });
});

describe("poll", () => {
  test("looks at once, then at the interval, and a last time when the budget ends", async () => {
    const clock = new FakeClock(0, true);
    const looks: number[] = [];
    const result = await poll(
      async () => {
        looks.push(clock.now());
        return undefined;
      },
      { clock, timeoutMs: 2500, intervalMs: 1000 },
    );
    expect(result).toBeUndefined();
    expect(looks).toEqual([0, 1000, 2000, 2500]);
  });

  test("gives what was found, also when it is 0 or empty", async () => {
    const clock = new FakeClock(0, true);
    expect(await poll(async () => 0, { clock, timeoutMs: 0, intervalMs: 1 })).toBe(0);
    expect(await poll(async () => "", { clock, timeoutMs: 0, intervalMs: 1 })).toBe("");
  });

  test("does not look again after a cancel", async () => {
    const cancel = new AbortController();
    let looks = 0;
    const polling = poll(
      async () => {
        looks++;
        cancel.abort(new Error("cancelled"));
        return undefined;
      },
      { clock: new FakeClock(0, true), signal: cancel.signal, timeoutMs: 1000, intervalMs: 1 },
    );
    await expect(polling).rejects.toThrow("cancelled");
    expect(looks).toBe(1);
  });
});

test("backoff doubles, stays under its ceiling, and never falls below half", () => {
  expect([1, 2, 3, 9].map((attempt) => backoff(attempt, 100, 1000, () => 1))).toEqual([100, 200, 400, 1000]);
  expect(backoff(3, 100, 1000, () => 0)).toBe(200);
  expect(backoff(5000, 100, 1000, () => 1)).toBe(1000);
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { classifyFailure } from "../../src/database.ts";
import { chooseListenTarget } from "../../src/listen.ts";
import { createLog } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import { readMigrations } from "../../src/migrations.ts";
import { backoff, createMigrator } from "../../src/migrator.ts";
import { createReadiness } from "../../src/readiness.ts";
import { readRelease } from "../../src/release.ts";

const silent = createLog({ level: "error", write: () => {}, now: () => new Date(0) });

describe("log", () => {
  test("writes JSON, leaves out lower levels and masks secrets in any form", () => {
    const lines: string[] = [];
    const log = createLog({
      level: "info",
      write: (line) => lines.push(line),
      now: () => new Date(0),
      secrets: ['pa"ss\\word', "abc"],
    });
    log.debug("unseen");
    log.info('failed with pa"ss\\word', { abc: "abc" });
    assert.equal(lines.length, 1);
    assert.deepEqual(JSON.parse(lines[0] ?? ""), {
      time: "1970-01-01T00:00:00.000Z",
      level: "info",
      msg: "failed with ***",
      abc: "abc",
    });
  });
});

describe("listen target", () => {
  const config = { port: 8000 };
  const choose = (env: Record<string, string>) => chooseListenTarget(env, 42, config);
  test("is the port, or the socket handed to this very process", () => {
    assert.deepEqual(choose({}), { kind: "port", port: 8000 });
    assert.deepEqual(choose({ LISTEN_FDS: "0" }), { kind: "port", port: 8000 });
    assert.deepEqual(choose({ LISTEN_FDS: "1" }), { kind: "inherited", fd: 3 });
    assert.deepEqual(choose({ LISTEN_FDS: "1", LISTEN_PID: "42" }), { kind: "inherited", fd: 3 });
    const other = choose({ LISTEN_FDS: "1", LISTEN_PID: "41" });
    assert.ok(other.kind === "port" && /LISTEN_PID is 41/.test(other.note ?? ""));
    assert.throws(() => choose({ LISTEN_FDS: "one" }), /`LISTEN_FDS` is "one"/);
  });
});

describe("metrics", () => {
  test("buckets are cumulative and agree with the count", () => {
    const metrics = createMetrics([{ name: "g", help: "h", read: () => [[{ a: 'x"\\\n' }, 1]] }]);
    for (const seconds of [0.001, 0.002, 3, 99]) {
      metrics.begin();
      metrics.end({ method: "GET", route: "/", status: 200 }, seconds);
    }
    const text = metrics.render();
    const bucket = (le: string) => text.match(new RegExp(`_bucket\\{.*le="${le}"\\} (\\d+)`))?.[1];
    assert.deepEqual(["0.001", "0.0025", "2.5", "5", "10", "\\+Inf"].map(bucket), [
      "1",
      "2",
      "2",
      "3",
      "3",
      "4",
    ]);
    assert.match(text, /_count\{.*\} 4\n/);
    assert.match(text, /^g\{a="x\\"\\\\\\n"\} 1$/m);
    assert.equal(metrics.inFlight(), 0);
  });
});

describe("database failures", () => {
  for (const [error, kind] of [
    [Object.assign(new Error("x"), { code: "57P01" }), "unavailable"],
    [Object.assign(new Error("x"), { code: "28P01" }), "unavailable"],
    [Object.assign(new Error("relation does not exist"), { code: "42P01" }), "unavailable"],
    [new Error("Connection terminated unexpectedly"), "unavailable"],
    [new Error("timeout exceeded when trying to connect"), "unavailable"],
    [
      Object.assign(new AggregateError([new Error("a"), new Error("b")]), { code: "ECONNREFUSED" }),
      "unavailable",
    ],
    [Object.assign(new Error("syntax error"), { code: "42601" }), "other"],
    ["text", "other"],
  ] as const) {
    test(`${String(error)} is ${kind}`, () => {
      const failure = classifyFailure(error);
      assert.ok(failure.kind !== "duplicate" && !failure.reason.includes("\n"));
      assert.equal(failure.kind, kind);
    });
  }
});

describe("migrator", () => {
  test("tries again until it works, logs a reason once, and runs once at a time", async () => {
    const warnings: string[] = [];
    const log = { ...silent, warn: (msg: string) => void warnings.push(msg) };
    let calls = 0;
    const done = Promise.withResolvers<void>();
    const migrate = async (): Promise<string[]> => {
      calls++;
      if (calls < 4) throw new Error("database is starting");
      done.resolve();
      return ["0001"];
    };
    const migrator = createMigrator({ migrate, log, delayMs: () => 0 });
    migrator.start();
    migrator.start();
    await done.promise;
    await migrator.stop();
    assert.equal(calls, 4);
    assert.equal(warnings.length, 1);
    assert.equal(migrator.lastFailure(), undefined);
  });

  test("stop ends a wait at once", async () => {
    const migrator = createMigrator({
      migrate: () => Promise.reject(new Error("no")),
      log: silent,
      delayMs: () => 1e6,
    });
    migrator.start();
    await migrator.stop();
    assert.equal(migrator.lastFailure(), "no");
  });

  test("waits longer each time, at most 5 s", () => {
    assert.deepEqual([1, 2, 3, 6, 99].map(backoff), [250, 500, 1000, 5000, 5000]);
  });
});

describe("readiness", () => {
  const migrations = readMigrations(new URL("../../migrations/", import.meta.url));
  const rows = migrations.map(({ id, checksum }) => ({ id, checksum }));
  const make = (applied: Record<string, unknown>[], more = {}) =>
    createReadiness({
      db: { query: async (text) => ({ rows: text.includes("to_regclass") ? [{ yes: true }] : applied }) },
      migrations,
      timeoutMs: 50,
      isDraining: () => false,
      onPending: () => {},
      migrationFailure: () => undefined,
      ...more,
    });
  test("needs every migration, unchanged; newer ones are no harm", async () => {
    assert.deepEqual(await make([...rows, { id: "9999", checksum: "x" }])(), {
      ready: true,
      migrations: rows.length,
    });
    const pending = await make(rows.slice(1), { migrationFailure: () => "locked" })();
    assert.ok(!pending.ready && /1 of 2 migrations pending: locked/.test(pending.reason));
    const changed = await make(rows.map((row) => ({ ...row, checksum: "x" })))();
    assert.ok(!changed.ready && /edited after it was applied/.test(changed.reason));
  });
  test("is off while draining and when the database keeps silent", async () => {
    assert.deepEqual(await make(rows, { isDraining: () => true })(), {
      ready: false,
      reason: "shutting down",
    });
    const silentDb = { query: () => new Promise<never>(() => {}) };
    const answer = await make(rows, { db: silentDb })();
    assert.ok(!answer.ready && /no answer within 50 ms/.test(answer.reason));
  });
});

describe("release", () => {
  const root = new URL("../../", import.meta.url);
  test("comes from the deployment first", () => {
    assert.equal(readRelease(root, { RELEASE: "8-abc", RELEASE_ID: "9" }).release, "8-abc");
    assert.equal(readRelease(root, { RELEASE_ID: "9" }).release, "9");
    assert.equal(readRelease(root, {}).release, null);
    assert.match(readRelease(root, {}).version, /^\d+\.\d+\.\d+$/);
  });
});

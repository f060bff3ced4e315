import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readConfig } from "../../src/config.ts";

const PARTS = { HOST: "db", USER: "ana", PASSWORD: "s3cret!", DBNAME: "school" };

function configOf(env: Record<string, string>) {
  const parsed = readConfig(env);
  assert.ok(parsed.ok, parsed.ok ? "" : parsed.problems.join("\n"));
  return parsed.value;
}

function problemsOf(env: Record<string, string>): string[] {
  const parsed = readConfig(env);
  assert.ok(!parsed.ok, "expected problems");
  return parsed.problems;
}

describe("configuration", () => {
  test("takes parts, with defaults for the ports", () => {
    const config = configOf(PARTS);
    assert.deepEqual(config.database, {
      host: "db",
      port: 5432,
      user: "ana",
      password: "s3cret!",
      database: "school",
      tls: "disable",
    });
    assert.equal(config.port, 8000);
    assert.equal(config.migrateOnStart, true);
  });

  test("DATABASE_URL wins over the parts and decodes its own", () => {
    const url = "postgres://b%40b:p%2Fw%25@[::1]:5433/my%20db?sslmode=verify-full&sslrootcert=/ca.pem";
    const { database } = configOf({ ...PARTS, DATABASE_URL: url });
    assert.deepEqual(database, {
      host: "::1",
      port: 5433,
      user: "b@b",
      password: "p/w%",
      database: "my db",
      tls: "verify-full",
      rootCertPath: "/ca.pem",
    });
  });

  test("lists all problems at once", () => {
    const problems = problemsOf({
      PORT: "70000",
      DBPORT: "x",
      LOG_LEVEL: "loud",
      DBPOOL: "0",
      STOP_TIMEOUT: "-1",
    });
    for (const name of [
      "HOST",
      "USER",
      "PASSWORD",
      "DBNAME",
      "DBPORT",
      "PORT",
      "DBPOOL",
      "LOG_LEVEL",
      "STOP_TIMEOUT",
    ]) {
      assert.equal(problems.filter((problem) => problem.includes(`\`${name}\` is`)).length, 1, name);
    }
  });

  test("an empty password is a choice, a missing one is not", () => {
    assert.equal(configOf({ ...PARTS, PASSWORD: "" }).database.password, "");
    const { PASSWORD: _, ...rest } = PARTS;
    assert.match(problemsOf(rest).join(), /`PASSWORD` is not set/);
  });

  for (const [what, url, expected] of [
    ["no URL", "secret-text", /not a URL/],
    ["another scheme", "mysql://u:secret-text@h/d", /starts with "mysql:"/],
    ["no database", "postgres://u:secret-text@h", /names no database/],
    ["no user", "postgres://h/d", /names no user/],
    ["unknown parameter", "postgres://u:secret-text@h/d?pool=3", /parameter "pool"/],
    [
      "unknown sslmode",
      "postgres://u:secret-text@h/d?sslmode=prefer",
      /allowed are disable, require, verify-full/,
    ],
    ["a stray percent", "postgres://u:secret-text%zz@h/d", /write it as %25/],
  ] as const) {
    test(`refuses a DATABASE_URL with ${what} and never quotes it`, () => {
      const problems = problemsOf({ DATABASE_URL: url }).join("\n");
      assert.match(problems, expected);
      assert.doesNotMatch(problems, /secret-text/);
    });
  }

  test("refuses booleans and hosts that are something else", () => {
    assert.match(problemsOf({ ...PARTS, MIGRATE_ON_START: "yes" }).join(), /allowed are true, false/);
    assert.match(problemsOf({ ...PARTS, HOST: "postgres://db" }).join(), /`HOST` is a URL/);
  });
});

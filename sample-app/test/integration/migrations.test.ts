import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { applyMigrations, inspectMigrations, type Migration, readMigrations } from "../../src/migrations.ts";
import { createSchema, type TestSchema } from "../database.ts";
import { startProcess } from "../service-process.ts";

const MIGRATIONS = readMigrations(new URL("../../migrations/", import.meta.url));
const IDS = MIGRATIONS.map((migration) => migration.id);

describe("migrations in PostgreSQL", () => {
  let schema: TestSchema;
  beforeEach(async () => {
    schema = await createSchema();
  });
  afterEach(() => schema.drop());
  const apply = async (migrations: readonly Migration[]): Promise<string[]> => {
    const client = await schema.pool.connect();
    try {
      return await applyMigrations(client, migrations);
    } finally {
      client.release();
    }
  };

  test("run once when several instances start at once", async () => {
    const results = await Promise.all([1, 2, 3, 4].map(() => apply(MIGRATIONS)));
    assert.deepEqual(results.flat(), IDS);
    assert.deepEqual(await apply(MIGRATIONS), []);
    assert.deepEqual(await inspectMigrations(schema.pool, MIGRATIONS), { pending: [], changed: [] });
  });

  test("leave the schema as it was when one of them fails", async () => {
    const broken = { id: "0003-broken", sql: "CREATE TABLE half (x int); SELECT 1/0", checksum: "c" };
    await assert.rejects(apply([...MIGRATIONS, broken]), /migration 0003-broken failed: division by zero/);
    const { rows } = await schema.pool.query(
      "SELECT to_regclass('half') AS half, to_regclass('students') AS students, to_regclass('schema_migrations') AS list",
    );
    assert.deepEqual(rows, [{ half: null, students: null, list: null }]);
    assert.deepEqual(await apply(MIGRATIONS), IDS);
  });

  test("refuse a step that was edited after it was applied, and accept those of a newer version", async () => {
    await apply([...MIGRATIONS, { id: "0009-newer", sql: "SELECT 1", checksum: "n" }]);
    assert.deepEqual(await apply(MIGRATIONS), []);
    const edited = MIGRATIONS.map((migration) => ({ ...migration, checksum: "other" }));
    await assert.rejects(apply(edited), /was edited after it was applied/);
  });

  test("are one command for a deployment, which says what it did", async () => {
    const first = startProcess(schema.env, ["migrate"]);
    assert.equal(await first.exit, 0, first.output());
    assert.match(first.output(), new RegExp(`"applied":\\["${IDS.join('","')}"\\]`));
    const second = startProcess(schema.env, ["migrate"]);
    assert.equal(await second.exit, 0);
    assert.match(second.output(), /no migrations to apply/);
  });

  test("the command fails with the reason when the database is away", async () => {
    const { DATABASE_URL: _, ...env } = schema.env;
    const away = startProcess(
      { ...env, HOST: "127.0.0.1", USER: "u", PASSWORD: "hidden-word", DBNAME: "d", DBPORT: "1" },
      ["migrate"],
    );
    assert.equal(await away.exit, 1);
    assert.match(away.output(), /cannot migrate: connect ECONNREFUSED 127\.0\.0\.1:1/);
    assert.doesNotMatch(away.output(), /hidden-word/);
    // A password that slipped into another setting is masked where an error quotes that.
    const slipped = { HOST: "/hidden-word", USER: "u", PASSWORD: "hidden-word", DBNAME: "d" };
    const masked = startProcess(slipped, ["migrate"]);
    assert.equal(await masked.exit, 1);
    assert.match(masked.output(), /connect ENOENT \/\*\*\*\/\.s\.PGSQL\.5432/);
  });
});

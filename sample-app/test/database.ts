import { randomBytes } from "node:crypto";
import pg from "pg";
import { readConfig } from "../src/config.ts";
import { clientSettings } from "../src/database.ts";

/** A schema of its own in the database of the environment, so that tests neither meet nor harm what is there. */
export type TestSchema = Readonly<{
  pool: pg.Pool;
  /** Variables with which a service uses this schema. */
  env: Record<string, string>;
  /** Where the database listens. */
  host: string;
  port: number;
  drop: () => Promise<void>;
}>;

/** Makes an empty schema; fails with the reason when the environment leads to no database. */
export async function createSchema(): Promise<TestSchema> {
  const parsed = readConfig(process.env);
  if (!parsed.ok) throw new Error(`no database to test with: ${parsed.problems.join("; ")}`);
  const { database } = parsed.value;
  const name = `test_${randomBytes(6).toString("hex")}`;
  const admin = new pg.Client(clientSettings(database));
  await admin.connect();
  await admin.query(`CREATE SCHEMA ${name}`);
  const options = `-c search_path=${name}`;
  const pool = new pg.Pool({ ...clientSettings(database), options, max: 5 });
  const { HOST, USER, PASSWORD, DBNAME, DBPORT, DATABASE_URL } = process.env;
  const known = { HOST, USER, PASSWORD, DBNAME, DBPORT, DATABASE_URL, PGOPTIONS: options };
  return {
    pool,
    env: Object.fromEntries(Object.entries(known).flatMap(([key, value]) => (value ? [[key, value]] : []))),
    host: database.host,
    port: database.port,
    drop: async () => {
      await pool.end();
      await admin.query(`DROP SCHEMA ${name} CASCADE`);
      await admin.end();
    },
  };
}

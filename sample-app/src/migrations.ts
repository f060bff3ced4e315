import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

/** One step of the schema; `checksum` is the SHA-256 of its text. */
export type Migration = Readonly<{ id: string; sql: string; checksum: string }>;

/** The minimum of a database connection that migrations need. */
export type Queryable = Readonly<{
  query: (text: string, values?: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>;
}>;

/** What is left to do, judged by what the database says it has. */
export type MigrationState = Readonly<{ pending: readonly Migration[]; changed: readonly string[] }>;

// Any number will do as long as every instance uses the same: "samp" in ASCII.
const LOCK_KEY = 0x73616d70;

/** Reads `<folder>/NNNN-name.sql` in order. Fails when there is none: a build without them is broken. */
export function readMigrations(folder: URL): Migration[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  if (names.length === 0) throw new Error(`no migrations in ${folder.pathname}: build again`);
  return names.sort().map((name) => {
    const sql = readFileSync(new URL(name, folder), "utf8");
    const checksum = createHash("sha256").update(sql).digest("hex");
    return { id: name.replace(/\.sql$/, ""), sql, checksum };
  });
}

/**
 * Compares the migrations of this build with those the database has.
 * Ones that only the database knows are fine: a newer version put them there, and this one was rolled back to.
 */
export async function inspectMigrations(
  db: Queryable,
  wanted: readonly Migration[],
): Promise<MigrationState> {
  const exists = await db.query("SELECT to_regclass('schema_migrations') IS NOT NULL AS yes");
  if (exists.rows[0]?.["yes"] !== true) return { pending: wanted, changed: [] };
  const { rows } = await db.query("SELECT id, checksum FROM schema_migrations");
  const applied = new Map(rows.map((row) => [row["id"], row["checksum"]]));
  return {
    pending: wanted.filter((migration) => !applied.has(migration.id)),
    changed: wanted
      .filter((migration) => applied.has(migration.id) && applied.get(migration.id) !== migration.checksum)
      .map((migration) => migration.id),
  };
}

/**
 * Applies what is missing and returns the ids it applied.
 * One transaction holds the lock and all steps: of two instances that start at once one waits and then finds
 * nothing to do, and a step that fails leaves the schema as it was.
 */
export async function applyMigrations(db: Queryable, wanted: readonly Migration[]): Promise<string[]> {
  // Without this look, every start of every instance would queue for the lock.
  const before = await inspectMigrations(db, wanted);
  refuseChanged(before);
  if (before.pending.length === 0) return [];
  await db.query("BEGIN");
  try {
    await db.query("SET LOCAL lock_timeout = '60s'");
    await db.query("SELECT pg_advisory_xact_lock($1)", [LOCK_KEY]);
    await db.query(
      "CREATE TABLE IF NOT EXISTS schema_migrations (id text PRIMARY KEY, checksum text NOT NULL," +
        " applied_at timestamptz NOT NULL DEFAULT now())",
    );
    const state = await inspectMigrations(db, wanted);
    refuseChanged(state);
    for (const migration of state.pending) await applyOne(db, migration);
    await db.query("COMMIT");
    return state.pending.map((migration) => migration.id);
  } catch (error) {
    // The first error says why; a rollback that fails as well means the connection is gone, which undoes too.
    await db.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

async function applyOne(db: Queryable, migration: Migration): Promise<void> {
  try {
    await db.query(migration.sql);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`migration ${migration.id} failed: ${why}`, { cause: error });
  }
  await db.query("INSERT INTO schema_migrations (id, checksum) VALUES ($1, $2)", [
    migration.id,
    migration.checksum,
  ]);
}

/** One line that says which applied migrations differ from this build, or nothing. */
export function describeChanged(state: MigrationState): string | undefined {
  if (state.changed.length === 0) return undefined;
  return `migration ${state.changed.join(", ")} was edited after it was applied: restore it and add a new one`;
}

function refuseChanged(state: MigrationState): void {
  const problem = describeChanged(state);
  if (problem) throw new Error(problem);
}

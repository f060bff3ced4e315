import pg from "pg";
import { classifyFailure, clientSettings } from "./database.ts";
import type { DatabaseConfig } from "./database-url.ts";
import type { Log } from "./log.ts";
import { applyMigrations, type Migration } from "./migrations.ts";

/** Connects, applies what is missing, disconnects; returns the ids applied. */
export async function migrateOnce(
  config: DatabaseConfig,
  migrations: readonly Migration[],
): Promise<string[]> {
  // A connection of its own: a migration may run longer than the pool lets a statement run.
  const client = new pg.Client(clientSettings(config));
  client.on("error", () => {}); // a query that is cut reports the same error through its promise
  try {
    await client.connect();
    return await applyMigrations(client, migrations);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Applies migrations in the background until they are in place. */
export type Migrator = Readonly<{
  /** Starts unless it is already at work. */
  start: () => void;
  /** Ends the retries; resolves when a running attempt is over. */
  stop: () => Promise<void>;
  lastFailure: () => string | undefined;
}>;

/** What the migrator works with. */
export type MigratorOptions = Readonly<{
  migrate: () => Promise<string[]>;
  log: Log;
  /** Milliseconds before retry number `attempt`, counted from 1. */
  delayMs: (attempt: number) => number;
}>;

/** Waits 250 ms, 500 ms, 1 s ... at most 5 s between attempts. */
export function backoff(attempt: number): number {
  return Math.min(5_000, 250 * 2 ** Math.min(attempt - 1, 10));
}

/** Makes a migrator: a database that is down or still starting is retried for as long as the service lives. */
export function createMigrator({ migrate, log, delayMs }: MigratorOptions): Migrator {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let failure: string | undefined;

  const attempt = async (): Promise<boolean> => {
    try {
      const applied = await migrate();
      if (applied.length > 0) log.info("migrations applied", { applied });
      failure = undefined;
      return true;
    } catch (error) {
      const found = classifyFailure(error);
      const reason = found.kind === "duplicate" ? `duplicate key ${found.constraint}` : found.reason;
      // A database that stays down would otherwise fill the log with one and the same line.
      if (reason !== failure) log.warn("migrations not applied yet", { reason });
      failure = reason;
      return false;
    }
  };
  const run = async (): Promise<void> => {
    for (let count = 1; !stopping.signal.aborted; count++) {
      if (await attempt()) return;
      await pause(delayMs(count), stopping.signal);
    }
  };
  return {
    start: () => {
      running ??= run().finally(() => {
        running = undefined;
      });
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
    lastFailure: () => failure,
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

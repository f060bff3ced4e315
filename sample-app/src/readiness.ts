import { classifyFailure } from "./database.ts";
import { describeChanged, inspectMigrations, type Migration, type Queryable } from "./migrations.ts";

/** Whether requests that need the database can be served, and if not, why in one line. */
export type Readiness = Readonly<{ ready: true; migrations: number } | { ready: false; reason: string }>;

/** What readiness is judged by. */
export type ReadinessOptions = Readonly<{
  db: Queryable;
  migrations: readonly Migration[];
  /** Longest wait for an answer of the database, in milliseconds. */
  timeoutMs: number;
  isDraining: () => boolean;
  /** Called when migrations are missing, so that they can be applied. */
  onPending: () => void;
  /** Why the last attempt to migrate failed, if it did. */
  migrationFailure: () => string | undefined;
}>;

/** Makes the check. Calls that overlap share one look at the database, so probes cannot pile up on it. */
export function createReadiness(options: ReadinessOptions): () => Promise<Readiness> {
  let running: Promise<Readiness> | undefined;
  return () => {
    if (options.isDraining()) return Promise.resolve({ ready: false, reason: "shutting down" });
    running ??= look(options).finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function look(options: ReadinessOptions): Promise<Readiness> {
  try {
    const state = await withTimeout(inspectMigrations(options.db, options.migrations), options.timeoutMs);
    const changed = describeChanged(state);
    if (changed) return { ready: false, reason: changed };
    if (state.pending.length === 0) return { ready: true, migrations: options.migrations.length };
    options.onPending();
    const why = options.migrationFailure() ?? "not applied yet";
    return {
      ready: false,
      reason: `${state.pending.length} of ${options.migrations.length} migrations pending: ${why}`,
    };
  } catch (error) {
    const failure = classifyFailure(error);
    const reason = failure.kind === "duplicate" ? failure.constraint : failure.reason;
    return { ready: false, reason: `database: ${reason}` };
  }
}

async function withTimeout<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

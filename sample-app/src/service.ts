import { createServer } from "node:http";
import { createApp } from "./app.ts";
import type { Config } from "./config.ts";
import { classifyFailure, createPool } from "./database.ts";
import { createDrainer, type DrainResult } from "./drain.ts";
import { createGauges } from "./gauges.ts";
import { type ListenTarget, listen } from "./listen.ts";
import type { Log } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { readMigrations } from "./migrations.ts";
import { backoff, createMigrator, migrateOnce } from "./migrator.ts";
import { createReadiness } from "./readiness.ts";
import type { Release } from "./release.ts";
import { createStudentStore } from "./students/store.ts";

/** What a running service is made of. */
export type ServiceOptions = Readonly<{
  config: Config;
  release: Release;
  log: Log;
  target: ListenTarget;
  /** Folder with `migrations/` and `openapi.json`; ends with a slash. */
  root: URL;
}>;

/** A service that accepts requests. */
export type Service = Readonly<{
  /** The port in use; undefined on a unix socket. */
  port: number | undefined;
  /** Stops accepting, finishes what is in flight, closes the database. */
  stop: () => Promise<DrainResult>;
  /** Ends a stop that takes too long for the caller. */
  cut: () => void;
}>;

/** Not `performance.now()`: the first touch of that global loads a module tree that nothing else here needs. */
function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

const READY_TIMEOUT_MS = 2_000;
const IDLE_GRACE_MS = 300;

/** Starts everything. The database may be down: requests that need it get 503 until it answers. */
export async function startService({ config, release, log, target, root }: ServiceOptions): Promise<Service> {
  const migrations = readMigrations(new URL("migrations/", root));
  const pool = createPool(config.database, config.poolSize, (error) => {
    const failure = classifyFailure(error);
    log.warn("idle database connection lost", {
      reason: "reason" in failure ? failure.reason : failure.kind,
    });
  });
  const server = createServer();
  const drainer = createDrainer(server);
  const migrator = createMigrator({
    migrate: () => migrateOnce(config.database, migrations),
    log,
    delayMs: backoff,
  });
  const readiness = createReadiness({
    db: pool,
    migrations,
    timeoutMs: READY_TIMEOUT_MS,
    isDraining: drainer.isDraining,
    onPending: () => config.migrateOnStart && migrator.start(),
    migrationFailure: migrator.lastFailure,
  });
  const metrics = createMetrics(createGauges(release, pool));
  const students = createStudentStore(pool);
  const openapi = new URL("openapi.json", root);
  server.on("request", createApp({ release, readiness, metrics, openapi, students, log, monotonicMs }));
  // Longer than the 60 s after which common load balancers drop an idle connection, or they would
  // sometimes send a request on one that is being closed here.
  server.keepAliveTimeout = 65_000;
  server.headersTimeout = 70_000;
  const port = await listen(server, target);
  if (config.migrateOnStart) migrator.start();
  return {
    port,
    cut: drainer.cut,
    stop: async () => {
      const stopped = migrator.stop();
      const result = await drainer.drain({
        idleGraceMs: IDLE_GRACE_MS,
        timeoutMs: config.stopTimeoutSeconds * 1000,
      });
      await stopped;
      await pool.end();
      return result;
    },
  };
}

import type { Gauge } from "./metrics.ts";
import type { Release } from "./release.ts";

/** Connections of the pool as `pg` counts them. */
export type PoolCounts = Readonly<{ totalCount: number; idleCount: number; waitingCount: number }>;

/** What this process says about itself; names follow the Prometheus client libraries. */
export function createGauges(release: Release, pool: PoolCounts): Gauge[] {
  const startSeconds = Date.now() / 1000 - process.uptime();
  return [
    {
      name: "app_info",
      help: "Which code runs; always 1.",
      read: () => [[{ version: release.version, commit: release.commit, release: release.release ?? "" }, 1]],
    },
    {
      name: "process_start_time_seconds",
      help: "Start of the process since the epoch.",
      read: () => startSeconds,
    },
    {
      name: "process_cpu_seconds_total",
      help: "User and system time.",
      type: "counter",
      read: () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      },
    },
    {
      name: "process_resident_memory_bytes",
      help: "Resident memory.",
      read: () => process.memoryUsage.rss(),
    },
    {
      name: "nodejs_heap_size_used_bytes",
      help: "JavaScript heap in use.",
      read: () => process.memoryUsage().heapUsed,
    },
    {
      name: "db_pool_connections",
      help: "Connections to the database; waiting counts requests that wait for one.",
      read: () => [
        [{ state: "idle" }, pool.idleCount],
        [{ state: "busy" }, pool.totalCount - pool.idleCount],
        [{ state: "waiting" }, pool.waitingCount],
      ],
    },
  ];
}

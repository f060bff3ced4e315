import { messageOf } from "../../../../lib/errors.ts";
import { execute } from "../../../../lib/exec.ts";
import { cacheExport } from "./arguments.ts";
import type { EnginePorts } from "./engine.ts";

/** A cache that takes longer to give out than this is done without, milliseconds. */
const CACHE_MS = 5 * 60_000;

/**
 * Gives the cache out in a run of its own after the build, which finds every
 * step done: whatever goes wrong with it can neither spoil nor hold up the image.
 */
export async function exportCache(
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  caches: readonly string[],
  ports: EnginePorts,
): Promise<void> {
  if (caches.length === 0) return;
  try {
    const exit = await execute({
      argv: cacheExport(argv, caches),
      env,
      onLine: (line) => ports.log.debug(line),
      timeoutMs: CACHE_MS,
      signal: ports.signal,
    });
    if (exit.code === 0) return;
    const last = exit.stderr.trim().split("\n").at(-1) ?? "";
    ports.log.warn(
      `\`cache-to\`: the cache was not stored: ${exit.timedOut ? "it took over 5 minutes" : last}`,
    );
  } catch (error) {
    ports.log.warn(`\`cache-to\`: the cache was not stored: ${messageOf(error)}`);
  }
}

import { Failure } from "../../../../lib/errors.ts";
import { runBuild } from "./child.ts";
import type { BuildSpec, EnginePorts } from "./engine.ts";
import type { Transcript } from "./transcript.ts";

/** A cache that does not answer within this time is done without, milliseconds. */
const IMPORT_MS = 2 * 60_000;

type Argv = readonly [string, ...string[]];

/**
 * Runs a BuildKit build with the caches of `cache-from`; one that hangs or
 * breaks the build before its first step costs a warning, and the build starts
 * without any. A build that has begun a step is never repeated.
 */
export async function runWithCaches(
  argvFor: (spec: BuildSpec) => Argv,
  env: Readonly<Record<string, string>>,
  spec: BuildSpec,
  ports: EnginePorts,
  limitMs = IMPORT_MS,
): Promise<Transcript> {
  if (spec.cacheFrom.length === 0) return runBuild([...argvFor(spec)], env, spec, ports);
  const watch = new ImportWatch(limitMs);
  const signal = AbortSignal.any([ports.signal, watch.signal]);
  try {
    return await runBuild([...argvFor(spec)], env, spec, { ...ports, signal, log: watch.around(ports.log) });
  } catch (error) {
    if (ports.signal.aborted || !(watch.signal.aborted || watch.broke(error))) throw error;
    ports.log.warn("`cache-from`: a cache cannot be read; the build starts without it");
    const without = { ...spec, cacheFrom: [] };
    return await runBuild([...argvFor(without)], env, without, ports);
  } finally {
    watch.end();
  }
}

/** Follows the lines about imports in BuildKit's progress. */
class ImportWatch {
  private readonly controller = new AbortController();
  private readonly open = new Set<string>();
  private readonly limitMs: number;
  private timer: NodeJS.Timeout | undefined;
  private began = false;

  constructor(limitMs: number) {
    this.limitMs = limitMs;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  around(log: EnginePorts["log"]): EnginePorts["log"] {
    return {
      info: (text) => {
        this.see(text);
        log.info(text);
      },
      warn: (text) => log.warn(text),
      debug: (text) => log.debug(text),
      // The place of an import's failure is no line of the Dockerfile: the repeated build tells its own.
      annotate: (annotation) => {
        if (this.began) log.annotate(annotation);
      },
      group: (title, body) => log.group(title, body),
    };
  }

  /** Whether it was a cache that ended a build that had not begun. */
  broke(error: unknown): boolean {
    // The evidence holds the lines of every import, also of those that went well.
    const text = error instanceof Failure ? error.message : "";
    return !this.began && /cache (?:importer|manifest|import)|importing cache/i.test(text);
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private see(line: string): void {
    const [, id = "", rest = ""] = /^#(\d+) (.*)$/.exec(line) ?? [];
    if (rest.startsWith("importing cache manifest")) {
      this.open.add(id);
      this.timer ??= setTimeout(() => this.controller.abort(new Error("a cache hangs")), this.limitMs);
    } else if (/^(?:DONE|ERROR|CANCELED)/.test(rest)) this.open.delete(id);
    else if (/^\[(?!internal\])[^\]]*\d+\/\d+\] /.test(rest)) this.began = true;
    if (this.began || this.open.size === 0) clearTimeout(this.timer);
  }
}

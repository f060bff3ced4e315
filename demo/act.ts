import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";

/** One line of act's JSON log, as far as it is used here. */
export interface ActEvent {
  readonly job?: string;
  readonly jobID?: string;
  readonly jobResult?: string;
  readonly step?: string;
  readonly stepID?: readonly string[];
  readonly stage?: string;
  readonly stepResult?: string;
  readonly msg?: string;
  readonly raw_output?: boolean;
  readonly command?: string;
  readonly name?: string;
  readonly arg?: string;
  readonly content?: string;
  readonly time?: string;
  readonly level?: string;
}

/** A job summary, as the step wrote it. */
export interface JobSummary {
  readonly job: string;
  readonly markdown: string;
}

/** How a workflow run ended. */
export interface ActResult {
  readonly exitCode: number | null;
  readonly ms: number;
  /** Outputs of steps that have an id, by `<job id>.<step id>.<output>`. */
  readonly outputs: ReadonlyMap<string, string>;
  /** `success`, `failure` or `skipped` by job name. */
  readonly jobs: ReadonlyMap<string, string>;
  readonly summaries: readonly JobSummary[];
  /** `::error` annotations in the order they came. */
  readonly errors: readonly string[];
  /** The end of the log, for people. */
  readonly tail: readonly string[];
}

export interface ActRun {
  readonly result: Promise<ActResult>;
  /** Resolves when a log line holds the text; rejects when the run ends without it. */
  waitFor(text: string): Promise<void>;
  /** Ctrl-C, and 10 s later the end. */
  stop(): Promise<void>;
}

/** What a run needs; secrets come as a file, so that they are in no argument and in no environment. */
export interface ActOptions {
  readonly act: string;
  readonly folder: string;
  readonly workflow: string;
  readonly event: "push" | "workflow_dispatch";
  readonly inputs?: Readonly<Record<string, string>>;
  readonly variables?: Readonly<Record<string, string>>;
  readonly secretFile?: string;
  /** `owner/name@ref` to the folder that stands for it. */
  readonly repositories: ReadonlyMap<string, string>;
  readonly cache: string;
  readonly artifacts: string;
  readonly artifactPort: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  readonly onEvent?: (event: ActEvent) => void;
}

/** The arguments of act; pure. Host mode: jobs run on this machine, without Docker. */
export function actArguments(options: ActOptions): string[] {
  const pairs = (flag: string, values: Readonly<Record<string, string>> = {}) =>
    Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
  return [
    options.event,
    "--workflows",
    options.workflow,
    "--json",
    "--platform",
    "ubuntu-latest=-self-hosted",
    "--no-cache-server",
    "--action-offline-mode",
    "--action-cache-path",
    options.cache,
    "--artifact-server-path",
    options.artifacts,
    "--artifact-server-addr",
    "127.0.0.1",
    "--artifact-server-port",
    String(options.artifactPort),
    ...(options.secretFile ? ["--secret-file", options.secretFile] : []),
    ...[...options.repositories].flatMap(([name, folder]) => ["--local-repository", `${name}=${folder}`]),
    ...pairs("--var", options.variables),
    ...pairs("--input", options.inputs),
  ];
}

/** Starts a workflow run. */
export function startAct(options: ActOptions): ActRun {
  const startedAt = performance.now();
  const child = spawn(options.act, actArguments(options), {
    cwd: options.folder,
    env: options.env as NodeJS.ProcessEnv,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const log = createWriteStream(options.logFile);
  const record = new Recorder(options.onEvent);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      log.write(`${line}\n`);
      record.take(line);
    });
  }
  const result = new Promise<ActResult>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => {
      log.end();
      record.end();
      resolve({ exitCode, ms: performance.now() - startedAt, ...record.result() });
    });
  });
  let stopping: Promise<void> | undefined;
  const stopOnce = () => {
    // A second Ctrl-C would make act skip the post steps, which clean up.
    stopping ??= stop(child, result);
    return stopping;
  };
  return { result, waitFor: (text) => record.waitFor(text), stop: stopOnce };
}

async function stop(child: ChildProcess, result: Promise<ActResult>): Promise<void> {
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid) process.kill(-child.pid, name);
    } catch {
      // It has ended by itself.
    }
  };
  signal("SIGINT");
  const timer = setTimeout(() => signal("SIGKILL"), 10_000);
  await result.catch(() => {});
  clearTimeout(timer);
}

/** Gathers what a run says while it says it. */
class Recorder {
  private readonly outputs = new Map<string, string>();
  private readonly jobs = new Map<string, string>();
  private readonly summaries: JobSummary[] = [];
  private readonly errors: string[] = [];
  private readonly tail: string[] = [];
  private readonly waiting = new Set<{ text: string; done: () => void; fail: (error: Error) => void }>();
  private readonly seen: string[] = [];
  private readonly onEvent: ((event: ActEvent) => void) | undefined;

  constructor(onEvent: ((event: ActEvent) => void) | undefined) {
    this.onEvent = onEvent;
  }

  take(line: string): void {
    const event = parseEvent(line);
    const text = event?.msg ?? line;
    this.tail.push(`${event?.job ? `[${event.job}] ` : ""}${text.trimEnd()}`);
    if (this.tail.length > 60) this.tail.shift();
    if (event) this.note(event);
    this.seen.push(text);
    for (const waiter of this.waiting) {
      if (text.includes(waiter.text)) waiter.done();
    }
  }

  end(): void {
    for (const waiter of this.waiting) waiter.fail(new Error(`the run ended without "${waiter.text}"`));
  }

  result(): Omit<ActResult, "exitCode" | "ms"> {
    const { outputs, jobs, summaries, errors, tail } = this;
    return { outputs, jobs, summaries, errors, tail };
  }

  waitFor(text: string): Promise<void> {
    if (this.seen.some((line) => line.includes(text))) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        this.waiting.delete(waiter);
        finish();
      };
      const waiter = {
        text,
        done: () => settle(resolve),
        fail: (error: Error) => settle(() => reject(error)),
      };
      this.waiting.add(waiter);
    });
  }

  private note(event: ActEvent): void {
    this.onEvent?.(event);
    if (event.jobResult && event.job) this.jobs.set(event.job, event.jobResult);
    if (event.command === "set-output" && event.name) {
      this.outputs.set(`${event.jobID}.${event.stepID?.at(-1)}.${event.name}`, event.arg ?? "");
    }
    if (event.command === "summary")
      this.summaries.push({ job: event.job ?? "", markdown: event.content ?? "" });
    if (event.command === "error") this.errors.push(event.arg ?? "");
  }
}

function parseEvent(line: string): ActEvent | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as ActEvent;
  } catch {
    return undefined;
  }
}

import { spawn } from "node:child_process";

/** How a program ended; `output` is stdout and stderr in the order they came. */
export interface Ended {
  /** -1 when a signal or the time limit ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly output: string;
}

export interface SpawnOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Time limit, milliseconds. */
  readonly timeoutMs?: number;
  /** The output goes straight to the terminal and is not kept. */
  readonly show?: boolean;
}

/** Runs a program without a shell and without input; never rejects: what cannot be started ends with code -1. */
export function run(argv: readonly [string, ...string[]], options: SpawnOptions = {}): Promise<Ended> {
  const [program, ...rest] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, rest, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", options.show ? "inherit" : "pipe", options.show ? "inherit" : "pipe"],
    });
    // Not the option of `spawn`: its timer outlives a program that could not be started.
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 600_000);
    let stdout = "";
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      output += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve({ code: -1, stdout, output: `${output}${error.message}\n` });
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (signal) output += `\n${program} was stopped by ${signal}\n`;
      resolve({ code: code ?? -1, stdout, output });
    });
  });
}

/** Calls `work` for every item, at most `width` at a time; results keep the order of the items. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.max(1, width) }, worker));
  return results;
}

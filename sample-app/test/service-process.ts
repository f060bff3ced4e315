import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const PATIENCE_MS = 15_000;

/** The service as a process of its own. */
export type ServiceProcess = Readonly<{
  child: ChildProcess;
  /** All it has printed so far. */
  output: () => string;
  /** Resolves with its address once it listens. */
  url: () => Promise<string>;
  /** Resolves with its exit code; null when a signal ended it. */
  exit: Promise<number | null>;
}>;

/** Starts the service with exactly these variables, those for coverage aside. */
export function startProcess(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  fd3?: number,
): ServiceProcess {
  const stdio: StdioOptions = ["ignore", "pipe", "pipe", ...(fd3 === undefined ? [] : [fd3])];
  const coverage = process.env["NODE_V8_COVERAGE"];
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio,
    env: {
      PORT: "0",
      BIND_ADDRESS: "127.0.0.1",
      ...env,
      ...(coverage ? { NODE_V8_COVERAGE: coverage } : {}),
    },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      text += String(chunk);
    });
  }
  const exit = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  const url = async (): Promise<string> => {
    const line = await eventually(
      () => text.split("\n").find((one) => one.includes('"msg":"listening"')),
      text,
    );
    return `http://127.0.0.1:${JSON.parse(line).port}`;
  };
  return { child, output: () => text, url, exit };
}

/** Asks until there is an answer; fails after 15 s with `what`. */
export async function eventually<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  what: string,
): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await delay(20);
  }
  throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
}

/** Waits until the service says that it is ready. */
export async function untilReady(url: string): Promise<void> {
  await eventually(async () => ((await fetch(`${url}/readyz`)).ok ? true : undefined), `${url}/readyz`);
}

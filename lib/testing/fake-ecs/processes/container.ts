import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { constants } from "node:os";

/** What a container's image stands for on this machine. */
export interface LocalImage {
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A container that is a process of this machine. */
export interface Container {
  /** The port that it was told to listen on (PORT). */
  readonly port: number;
  readonly pid: number | undefined;
  /** Resolves with the exit code; a signal counts as 128 plus its number, as with Docker. */
  readonly ended: Promise<number>;
  /** SIGTERM, and SIGKILL when it is still there after `graceMs`. */
  stop(graceMs: number): void;
  kill(): void;
}

/** What is started, and where its output goes. */
export interface ContainerPlan {
  readonly image: LocalImage;
  /** Replaces the image's arguments. */
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly onLines: (lines: readonly string[]) => void;
}

/** Starts a container; rejects when the program cannot be started. */
export async function startContainer(plan: ContainerPlan): Promise<Container> {
  const port = await freePort();
  const { image } = plan;
  const child = spawn(image.command, [...(plan.args ?? image.args ?? [])], {
    ...(image.cwd === undefined ? {} : { cwd: image.cwd }),
    env: { PATH: process.env["PATH"] ?? "", ...image.env, ...plan.env, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<number>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
  for (const stream of [child.stdout, child.stderr]) readLines(stream, plan.onLines);
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  return {
    port,
    pid: child.pid,
    ended,
    stop: (graceMs) => stop(child, ended, graceMs),
    kill: () => child.kill("SIGKILL"),
  };
}

function stop(child: ChildProcess, ended: Promise<number>, graceMs: number): void {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  timer.unref();
  void ended.then(() => clearTimeout(timer));
}

function readLines(stream: NodeJS.ReadableStream, onLines: (lines: readonly string[]) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    if (lines.length > 0) onLines(lines);
  });
  stream.on("end", () => {
    if (rest !== "") onLines([rest]);
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no free port");
  return address.port;
}

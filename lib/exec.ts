import { spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import { getExecOutput } from "@actions/exec";
import { messageOf, RemoteError } from "./errors.ts";

/** A program to run: an argument vector, never a shell line. */
export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly cwd?: string;
  /** The whole environment of the child; nothing is added to it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  /** Run as another user (root only). */
  readonly uid?: number;
  readonly gid?: number;
  /** Called for each whole line, in order within a stream. */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
  /** Called with stdout's bytes as they come; for output too large to keep. */
  readonly onStdout?: (chunk: Buffer) => void;
  /** Milliseconds; the whole process group is stopped when it is used up. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** How many bytes of the end of each stream are kept (default 64 KiB). */
  readonly keepBytes?: number;
}

/** How a program ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it printed. */
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly cancelled: boolean;
  readonly ms: number;
}

/** Steps of stopping a process group: what is sent, and how long is waited before the next, milliseconds. */
const STOP_LADDER: readonly (readonly [NodeJS.Signals, number])[] = [
  ["SIGINT", 3000],
  ["SIGTERM", 1500],
  ["SIGKILL", 1000],
];

/**
 * After a program has ended, something it left behind may still hold its
 * output open; that long is waited for the rest, milliseconds.
 */
const DRAIN_MS = 1000;

/** A longer line is handed on in parts, characters. */
const LONGEST_LINE = 65_536;

/**
 * Runs a program in a process group of its own, so that a cancel or a timeout
 * reaches its children too. Resolves however it ends; rejects with a
 * RemoteError (`COMMAND_NOT_FOUND`) only when it cannot be started.
 */
export function execute(command: Command): Promise<Exit> {
  const startedAt = performance.now();
  const [program, ...rest] = command.argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      cwd: command.cwd,
      env: command.env as NodeJS.ProcessEnv,
      stdio: [command.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      detached: true,
      ...(command.uid === undefined ? {} : { uid: command.uid }),
      ...(command.gid === undefined ? {} : { gid: command.gid }),
    });
    const stdout = new Tail("stdout", command);
    const stderr = new Tail("stderr", command);
    let timedOut = false;
    let cancelled = false;
    let stop: (() => void) | undefined;
    const halt = () => {
      stop ??= stopGroup(child.pid);
    };
    const onAbort = () => {
      cancelled = true;
      halt();
    };
    const timer = command.timeoutMs
      ? setTimeout(() => {
          timedOut = true;
          halt();
        }, command.timeoutMs)
      : undefined;
    command.signal?.addEventListener("abort", onAbort, { once: true });
    if (command.signal?.aborted) onAbort();
    child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
    // A child that ends without reading its input breaks the pipe; its exit code tells the story.
    child.stdin?.on("error", () => {});
    child.stdin?.end(command.stdin);
    const tidy = () => {
      clearTimeout(timer);
      command.signal?.removeEventListener("abort", onAbort);
      stop?.();
    };
    child.on("error", (error) => {
      tidy();
      reject(notStarted(program, error));
    });
    let settled = false;
    const settle = (code: number | null, signal: NodeJS.Signals | null) => {
      if (settled) return;
      settled = true;
      tidy();
      child.stdout?.destroy();
      child.stderr?.destroy();
      const ms = performance.now() - startedAt;
      resolve({ code, signal, stdout: stdout.end(), stderr: stderr.end(), timedOut, cancelled, ms });
    };
    child.on("exit", (code, signal) => setTimeout(() => settle(code, signal), DRAIN_MS).unref());
    child.on("close", settle);
  });
}

/** Runs a short program that only reads (`git rev-parse`, `node --version`) and returns what it printed, or undefined. */
export async function query(argv: readonly [string, ...string[]], cwd?: string): Promise<string | undefined> {
  try {
    const [program, ...rest] = argv;
    const options = { silent: true, ignoreReturnCode: true, ...(cwd === undefined ? {} : { cwd }) };
    const result = await getExecOutput(`"${program}"`, rest, options);
    return result.exitCode === 0 ? result.stdout.trim() : undefined;
  } catch {
    return undefined;
  }
}

/** Climbs the ladder on a whole process group; the function returned ends the climb with a SIGKILL of what is left. */
function stopGroup(pid: number | undefined): () => void {
  if (pid === undefined) return () => {};
  let timer: NodeJS.Timeout | undefined;
  const climb = (step: number) => {
    const rung = STOP_LADDER[step];
    if (!rung) return;
    signalGroup(pid, rung[0]);
    timer = setTimeout(() => climb(step + 1), rung[1]);
  };
  climb(0);
  return () => {
    clearTimeout(timer);
    signalGroup(pid, "SIGKILL");
  };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone: that is what was wanted.
  }
}

function notStarted(program: string, error: Error): RemoteError {
  return new RemoteError(`\`${program}\` could not be started: ${messageOf(error)}`, {
    code: "COMMAND_NOT_FOUND",
    fix: `install \`${program}\` or correct the command`,
    cause: error,
  });
}

/** Splits a stream into lines and keeps its end. */
class Tail {
  private readonly decoder = new StringDecoder("utf8");
  private readonly name: "stdout" | "stderr";
  private readonly command: Command;
  private readonly limit: number;
  private kept = "";
  private line = "";

  constructor(name: "stdout" | "stderr", command: Command) {
    this.name = name;
    this.command = command;
    this.limit = command.keepBytes ?? 65_536;
  }

  push(chunk: Buffer): void {
    if (this.name === "stdout") this.command.onStdout?.(chunk);
    this.take(this.decoder.write(chunk));
  }

  end(): string {
    this.take(this.decoder.end());
    if (this.line !== "") this.command.onLine?.(this.line, this.name);
    this.line = "";
    return this.kept;
  }

  private take(text: string): void {
    this.kept = (this.kept + text).slice(-this.limit);
    if (!this.command.onLine) return;
    const lines = (this.line + text).split(/\r?\n/);
    this.line = lines.pop() ?? "";
    for (const line of lines) this.command.onLine(line, this.name);
    // A program that never ends its line must not fill the memory.
    if (this.line.length > LONGEST_LINE) {
      this.command.onLine(this.line, this.name);
      this.line = "";
    }
  }
}

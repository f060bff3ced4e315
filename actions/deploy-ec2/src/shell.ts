import { randomBytes } from "node:crypto";
import type { ClientChannel } from "ssh2";
import { RemoteError } from "../../../lib/errors.ts";
import { type Connection, lostConnection } from "./connect.ts";

/** What a call on the host printed and how it ended. */
export interface CallResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A call's output is kept up to here, characters: a manifest of 250,000 files. */
const OUTPUT_LIMIT = 32_000_000;
/** The closing mark stands in so many last characters. */
const MARK_SPAN = 80;

/**
 * One `sh` on the host that takes script after script on its stdin, so that a
 * deploy is one login and nothing but `sh -s` is ever seen in the host's
 * process list. Each script runs in a subshell whose closing bracket comes
 * last: a connection cut in the middle of it leaves a syntax error, not half
 * a script.
 */
export class HostShell {
  private readonly connection: Connection;
  private readonly channel: ClientChannel;
  private tail: Promise<unknown> = Promise.resolve();
  private stdout = "";
  private stderr = "";
  private ended = false;
  private wake: () => void = () => {};

  private constructor(connection: Connection, channel: ClientChannel) {
    this.connection = connection;
    this.channel = channel;
    channel.setEncoding("utf8");
    channel.stderr.setEncoding("utf8");
    channel.on("data", (text: string) => {
      if (this.stdout.length < OUTPUT_LIMIT) this.stdout += text;
      this.wake();
    });
    channel.stderr.on("data", (text: string) => {
      if (this.stderr.length < OUTPUT_LIMIT) this.stderr += text;
      this.wake();
    });
    for (const event of ["close", "error"]) {
      channel.on(event, () => {
        this.ended = true;
        this.wake();
      });
    }
  }

  /** Starts the shell and loads `library` into it; `sudo` runs it as root. */
  static async open(connection: Connection, library: string, sudo: boolean): Promise<HostShell> {
    const channel = await connection.exec(sudo ? "exec sudo -n sh -s" : "exec sh -s");
    const shell = new HostShell(connection, channel);
    const loaded = await shell.send(library, "{", "}", 30_000);
    if (loaded.code !== 0) throw unusable(connection, loaded.stderr || `exit code ${loaded.code}`);
    return shell;
  }

  /** Runs a script; calls wait for one another. Rejects when the connection breaks or the time (milliseconds) is up. */
  run(script: string, timeoutMs = 60_000): Promise<CallResult> {
    const result = this.tail.then(() => this.send(script, "(", ")", timeoutMs));
    this.tail = result.catch(() => {});
    return result;
  }

  /** Whether calls can be made: false once the shell has ended or a call was given up. */
  usable(): boolean {
    return !this.ended;
  }

  close(): void {
    this.channel.end();
  }

  private async send(script: string, open: string, close: string, timeoutMs: number): Promise<CallResult> {
    const mark = `goci-${randomBytes(12).toString("hex")}`;
    if (this.ended) throw this.broken();
    this.stdout = "";
    this.stderr = "";
    this.channel.write(
      `${open}\n${script}\n${close} </dev/null\nprintf '\\n%s %d\\n' ${mark} $?; printf '\\n%s\\n' ${mark} >&2\n`,
    );
    const done = new RegExp(`\\n${mark} (\\d+)\\n$`);
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const match = done.exec(this.stdout.slice(-MARK_SPAN));
      if (match && this.stderr.endsWith(`\n${mark}\n`)) {
        return {
          code: Number(match[1]),
          stdout: this.stdout.slice(0, -match[0].length),
          stderr: this.stderr.slice(0, -mark.length - 2).trim(),
        };
      }
      if (this.ended) throw this.broken();
      const left = deadline - performance.now();
      if (left <= 0) throw this.timedOut(timeoutMs);
      await this.next(left);
    }
  }

  private next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private broken(): RemoteError {
    const said = this.stderr.trim();
    if (/sudo: /.test(said)) return unusable(this.connection, said);
    return lostConnection(this.connection.host, this.connection.lost() ?? (said || "the host's shell ended"));
  }

  /** The answer to a call that was given up would be taken for that of the next one, so the shell is given up too. */
  private timedOut(ms: number): RemoteError {
    this.ended = true;
    this.channel.close();
    return lostConnection(this.connection.host, `the host did not answer within ${Math.round(ms / 1000)} s`);
  }
}

function unusable(connection: Connection, reason: string): RemoteError {
  const name = connection.host.name;
  if (/sudo/.test(reason)) {
    return new RemoteError(`${name}: sudo does not work without a password: ${reason}`, {
      code: "PERMISSION_DENIED",
      fix: "allow the user password-less sudo, or set `sudo: never` and a `target` that the user owns",
    });
  }
  return new RemoteError(`${name}: the host's shell cannot be used: ${reason}`, {
    code: "CONNECT_FAILED",
    fix: "the login shell must be able to run `sh -s`; look for output or errors in the user's shell start files",
  });
}

/** A text as one word of sh. */
export function quote(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}

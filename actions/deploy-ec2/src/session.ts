import { Failure } from "../../../lib/errors.ts";
import type { HealthCheck } from "../../../lib/health.ts";
import { type ProbeAnswer, probe } from "../../../lib/http.ts";
import type { Log } from "../../../lib/log.ts";
import { type Connection, lostConnection } from "./connect.ts";
import { type Inspection, parseFacts } from "./facts.ts";
import { scripts } from "./host/scripts.ts";
import type { Host } from "./hosts.ts";
import { isForbidden, probeOnHost } from "./probe-on-host.ts";
import type { Manager } from "./release-files.ts";
import { HostShell, quote } from "./shell.ts";
import { follow, writeFailed } from "./upload.ts";

/** What every script on a host is told. */
export interface HostSettings {
  readonly target: string;
  readonly token: string;
  /** Name of the unit. */
  readonly unit: string;
  readonly appPort: number;
  readonly stopSeconds: number;
  readonly keepReleases: number;
}

/** How the host script of this run stands. */
export interface Standing {
  /** `none` when the host's last deployment is not this run's. */
  readonly state: string;
  readonly code: string;
  readonly text: string;
  readonly running: boolean;
  readonly current: string;
}

/** Why the rollout engine ends a call whose budget is used up. */
const OUT_OF_TIME = "timeout";

/** The runner's side of the lease, milliseconds between two signs of life. */
const BEAT_MS = 15_000;

/** One host during one run: a connection that is made when it is needed, and again when it broke. */
export class HostSession {
  readonly host: Host;
  /** Whether a login ever worked: after that, a broken connection is a fault that may pass. */
  reached = false;
  /** Set when somebody else holds the lock that was ours. */
  lockLost = false;
  /** Chosen after the first inspection. */
  manager: Manager = "nohup";
  asRoot = false;
  /** Manifest lines of the release whose files may be reused, and its id; programs that the host has. */
  known: ReadonlySet<string> = new Set();
  knownRelease = "";
  tools: readonly string[] = [];
  /** Whether the host forwards TCP connections; false once it has refused to. */
  private tunnel = true;
  private readonly settings: HostSettings;
  private readonly dial: () => Promise<Connection>;
  private connection: Promise<Connection> | undefined;
  private open: Connection | undefined;
  private shells = new Map<boolean, Promise<HostShell>>();
  private timer: NodeJS.Timeout | undefined;

  constructor(host: Host, settings: HostSettings, dial: () => Promise<Connection>) {
    this.host = host;
    this.settings = settings;
    this.dial = dial;
  }

  /** The connection; a broken one is replaced. */
  async connect(): Promise<Connection> {
    if (this.open?.lost() !== undefined) this.forget();
    this.connection ??= this.dial();
    try {
      this.open = await this.connection;
    } catch (error) {
      this.connection = undefined;
      throw error;
    }
    this.reached = true;
    return this.open;
  }

  /** Runs functions of the host's library; what they print. A non-zero end is a failure with `code`. */
  async call(script: string, what: string, code = "REMOTE_FAILED", timeoutMs = 60_000): Promise<string> {
    const result = await this.run(script, timeoutMs);
    if (result.code === 0) return result.stdout.trim();
    throw writeFailed(this.host.name, what, result.stderr || `exit code ${result.code}`, code);
  }

  /** The same without a judgement of the end. */
  async run(script: string, timeoutMs = 60_000, asRoot = this.asRoot) {
    const shell = await this.shell(asRoot);
    return shell.run(`MANAGER=${this.manager}\n${script}`, timeoutMs);
  }

  async inspect(): Promise<Inspection> {
    return parseFacts(await this.call("inspect_host", "reading the host"));
  }

  /** How this run's host script stands. */
  async look(): Promise<Standing> {
    const [first, second] = (await this.call("look", "reading the deployment's state")).split("\n");
    const [, state, code, text] = /^(\S+) (\S+) ?(.*)$/.exec(first ?? "") ?? [];
    const [life, current] = (second ?? "").split(" ");
    return {
      state: state ?? "none",
      code: code === undefined || code === "-" ? "" : code,
      text: text ?? "",
      running: life === "alive",
      current: current ?? "",
    };
  }

  /** Leaves a verdict for the host script, if it is this run's. */
  async tell(verdict: "commit" | "rollback" | "leave" | "confirm" | "refute"): Promise<void> {
    const file = verdict === "confirm" || verdict === "refute" ? "verdict-old" : "verdict";
    await this.call(`tell ${file} ${verdict}`, "leaving the verdict");
  }

  /** Signs of life from now on, for the lock and for the host script. */
  startBeating(): void {
    this.timer ??= setInterval(() => {
      this.beat().catch(() => {
        // The next sign of life is in 15 s, and the lease is good for 60 s.
      });
    }, BEAT_MS).unref();
  }

  async beat(): Promise<void> {
    if ((await this.call("beat", "renewing the lease")) === "lost") this.lockLost = true;
  }

  stopBeating(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** One GET to the service, from the host's own loopback: through the tunnel, or where that is forbidden by the host's curl. */
  async probe(check: HealthCheck, signal: AbortSignal): Promise<ProbeAnswer> {
    const port = this.settings.appPort;
    const connect = async () => {
      try {
        return await (await this.connect()).forward("127.0.0.1", port);
      } catch (error) {
        if (isForbidden(error)) this.tunnel = false;
        throw error;
      }
    };
    if (this.tunnel) {
      const url = `http://127.0.0.1:${port}${check.path}`;
      const answer = await probe({
        url,
        headers: check.headers,
        timeoutMs: check.requestTimeoutMs,
        signal,
        connect,
      });
      if (this.tunnel) return answer;
    }
    return probeOnHost((script) => this.run(script, check.requestTimeoutMs + 10_000), check, port);
  }

  /**
   * Runs commands in a release with its environment; they travel on stdin.
   * Their output goes to the log line by line.
   */
  async hook(name: string, release: string, commands: string, log: Log, signal: AbortSignal): Promise<void> {
    const connection = await this.connect();
    const meta = `${this.settings.target}/.goci/releases/${release}`;
    const channel = await connection.exec(this.asRoot ? "exec sudo -n sh -s" : "exec sh -s");
    let pid = "";
    const lines = lineWriter((line) => {
      if (pid === "") pid = line;
      else log.info(`[${this.host.name}] ${line}`);
    });
    const ending = follow(channel, lines);
    const stop = () => {
      if (/^\d+$/.test(pid)) void this.run(`kill -TERM -${pid}`, 5000).catch(() => {});
      channel.close();
    };
    signal.addEventListener("abort", stop, { once: true });
    channel.end(
      `{\necho "$$"\nset -a\n. ${quote(`${meta}/env`)}\nset +a\ncd ${quote(`${this.settings.target}/releases/${release}`)}\nset -e\n${commands}\n} </dev/null 2>&1\n`,
    );
    const end = await ending;
    signal.removeEventListener("abort", stop);
    if (signal.aborted && signal.reason !== OUT_OF_TIME) signal.throwIfAborted();
    if (signal.aborted || end.code !== 0) throw hookFailed(this.host.name, name, end.code, end.stdout);
  }

  /** Ends the connection; nothing more can be asked. */
  close(): void {
    this.stopBeating();
    this.open?.close();
    this.forget();
  }

  private forget(): void {
    this.connection = undefined;
    this.open = undefined;
    this.shells.clear();
  }

  private async shell(asRoot: boolean): Promise<HostShell> {
    const connection = await this.connect();
    const shell = this.shells.get(asRoot) ?? HostShell.open(connection, this.library(), asRoot);
    this.shells.set(asRoot, shell);
    try {
      const opened = await shell;
      if (!opened.usable()) throw lostConnection(this.host, "the shell on the host ended");
      return opened;
    } catch (error) {
      this.shells.delete(asRoot);
      throw error;
    }
  }

  /** Settings and functions of every call. */
  library(): string {
    const { target, token, unit, appPort, stopSeconds, keepReleases } = this.settings;
    return [
      `T=${quote(target)}`,
      `TOKEN=${token}`,
      `UNIT=${unit}`,
      `PORT=${appPort}`,
      `STOP_S=${stopSeconds}`,
      `KEEP=${keepReleases}`,
      `MANAGER=${this.manager}`,
      scripts.lib,
      scripts.lock,
      scripts.service,
      scripts.inspect,
      scripts.deploy,
      scripts.prune,
    ].join("\n");
  }
}

function hookFailed(host: string, name: string, code: number | null, output: string): Failure {
  const lines = output.trim().split("\n").slice(1);
  const how =
    code === null
      ? "was ended before it was done (`timeout`, or a broken connection)"
      : `ended with exit code ${code}`;
  return new Failure(`${host}: \`${name}\` ${how}${lines.length > 0 ? `: ${lines.at(-1)}` : ""}`, {
    code: "HOOK_FAILED",
    fix: `run the commands of \`${name}\` on the host to see why`,
    evidence: lines.slice(-20),
  });
}

function lineWriter(onLine: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
}

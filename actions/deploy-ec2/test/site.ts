import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { FakeRunner } from "../../../lib/testing/runner.ts";
import { freePort, type RunningSshd, startSshd } from "../../../lib/testing/sshd.ts";

/** What the deployed program does. */
export type Behaviour = "good" | "crash" | "unhealthy" | "deaf" | "slow-stop" | "poisoned";

/** A program of a few lines that stands in for a service: `VERSION`, and one way to behave or misbehave. */
export function writeApp(
  folder: string,
  version: string,
  behaviour: Behaviour = "good",
  extra: Record<string, string> = {},
): void {
  mkdirSync(folder, { recursive: true });
  const lines = [
    `#!${process.execPath}`,
    'const { createServer } = require("node:http");',
    `console.log("version ${version} starts with", process.env.GREETING ?? "no greeting");`,
    ...(behaviour === "crash" ? ['console.error("cannot find the flux capacitor"); process.exit(7);'] : []),
    ...(behaviour === "poisoned"
      ? ['if (require("node:fs").existsSync("../../shared/poison")) process.exit(9);']
      : []),
    "const server = createServer((request, response) => {",
    `  response.statusCode = ${behaviour === "unhealthy" ? 503 : 200};`,
    `  response.end(JSON.stringify({ version: "${version}", pid: process.pid, env: process.env.GREETING, release: process.env.RELEASE_ID, cwd: process.cwd() }));`,
    "});",
    ...(behaviour === "deaf"
      ? ["setInterval(() => {}, 1000);"]
      : ['server.listen(Number(process.env.PORT), "127.0.0.1");']),
    behaviour === "slow-stop"
      ? 'process.on("SIGTERM", () => {});'
      : 'process.on("SIGTERM", () => process.exit(0));',
    "",
  ];
  writeFileSync(join(folder, "main"), lines.join("\n"));
  writeFileSync(join(folder, "version.txt"), `${version}\n`);
  for (const [path, text] of Object.entries(extra)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** One host with sshd, one runner, one deploy root: what a bundle test deploys to. */
export class Site {
  readonly runner: FakeRunner;
  readonly sshd: RunningSshd;
  readonly target: string;
  readonly port: number;
  readonly inputs: Readonly<Record<string, string>>;

  private constructor(runner: FakeRunner, sshd: RunningSshd, port: number) {
    this.runner = runner;
    this.sshd = sshd;
    this.port = port;
    this.target = join(runner.root, "host", "shop");
    this.inputs = {
      host: `127.0.0.1:${sshd.port}`,
      username: sshd.username,
      key: sshd.key,
      "known-hosts": sshd.knownHosts,
      source: "build",
      target: this.target,
      "app-name": "shop",
      "app-port": String(port),
      "service-manager": "nohup",
      "health-check-passes": "1",
      "health-check-interval": "100ms",
      "health-check-timeout": "10s",
      "stop-timeout": "2s",
    };
  }

  static async open(config: readonly string[] = []): Promise<Site> {
    const runner = new FakeRunner();
    const sshd = await startSshd({ config });
    mkdirSync(join(runner.root, "host"));
    return new Site(runner, sshd, await freePort());
  }

  /** Writes the app into the workspace's build folder. */
  build(version: string, behaviour: Behaviour = "good", extra: Record<string, string> = {}): void {
    const folder = join(this.runner.workspace, "build");
    rmSync(folder, { recursive: true, force: true });
    writeApp(folder, version, behaviour, extra);
  }

  /** Deploys what `build` wrote. */
  deploy(release: string, inputs: Record<string, string> = {}) {
    return this.runner.main("deploy-ec2", { ...this.inputs, release, ...inputs });
  }

  /** What the service answers, undefined when nobody does. */
  ask(): Promise<{ version: string; pid: number; env?: string; release?: string; cwd: string } | undefined> {
    return new Promise((resolve) => {
      const request = get({ host: "127.0.0.1", port: this.port, agent: false }, (response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += String(chunk);
        });
        response.on("end", () => resolve(JSON.parse(body)));
        response.on("error", () => resolve(undefined));
      });
      request.on("error", () => resolve(undefined));
    });
  }

  current(): string | undefined {
    try {
      return readlinkSync(join(this.target, "current"));
    } catch {
      return undefined;
    }
  }

  releases(): string[] {
    const folder = join(this.target, "releases");
    return existsSync(folder) ? readdirSync(folder).sort() : [];
  }

  isLocked(): boolean {
    return existsSync(join(this.target, ".goci/lock"));
  }

  /** Processes that work below the deploy root. */
  processes(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        try {
          return readlinkSync(`/proc/${pid}/cwd`).startsWith(this.target);
        } catch {
          return false;
        }
      });
  }

  /** A listing with checksums of everything below the deploy root. */
  snapshot(): string {
    if (!existsSync(this.target)) return "";
    return execFileSync("sh", ["-c", "find . -printf '%p %y %m %s %T@ %l\\n' | sort"], {
      cwd: this.target,
      encoding: "utf8",
    });
  }

  /** What the host script wrote while it worked. */
  scriptLog(): string {
    const path = join(this.target, ".goci/deploy/log");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  async close(): Promise<void> {
    for (const pid of this.processes()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Gone already.
      }
    }
    await this.sshd.stop();
    this.runner.dispose();
  }
}

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { findSshd, makeKey } from "../../../lib/testing/sshd.ts";

/** Whether this machine lets us make others inside of itself: namespaces need root. */
export function canMakeMachines(): boolean {
  return process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "--net", "ip", "link"]).status === 0;
}

/** Several hosts with the same paths and the same ports: each has mounts and a network of its own, and an sshd. */
export class Machines {
  readonly ports: number[] = [];
  readonly key: string;
  private readonly holders: ChildProcess[] = [];
  private readonly servers: Server[] = [];
  private readonly folder: string;
  private readonly shared: string;

  /** `shared` is the folder that is another one on each host. */
  constructor(folder: string, shared: string) {
    this.folder = folder;
    this.shared = shared;
    mkdirSync(shared, { recursive: true });
    mkdirSync("/run/sshd", { recursive: true });
    makeKey(join(folder, "id"), "ed25519");
    makeKey(join(folder, "host"), "ed25519");
    this.key = join(folder, "id");
  }

  async add(): Promise<void> {
    const own = join(this.folder, `machine-${this.ports.length}`);
    mkdirSync(own);
    const script = `ip link set lo up && mount --bind ${own} ${this.shared} && echo ready && exec sleep 1000`;
    const holder = spawn("unshare", ["--mount", "--net", "sh", "-c", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => holder.stdout?.once("data", resolve));
    this.holders.push(holder);
    const config = join(this.folder, "sshd_config");
    const lines = [
      `HostKey ${join(this.folder, "host")}`,
      `AuthorizedKeysFile ${this.key}.pub`,
      "StrictModes no",
      "UsePAM no",
      "PermitRootLogin yes",
      "",
    ];
    writeFileSync(config, lines.join("\n"));
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      const inside = [
        "-t",
        String(holder.pid),
        "--mount",
        "--net",
        findSshd() ?? "sshd",
        "-i",
        "-e",
        "-f",
        config,
      ];
      const child = spawn("nsenter", inside, { stdio: [socket, socket, "ignore"] });
      child.on("exit", () => socket.destroy());
      socket.on("error", () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.servers.push(server);
    const address = server.address();
    this.ports.push(typeof address === "object" && address ? address.port : 0);
  }

  /** Runs a program on one of the hosts. */
  on(index: number, ...argv: string[]): string {
    const pid = String(this.holders[index]?.pid);
    return execFileSync("nsenter", ["-t", pid, "--mount", "--net", ...argv], { encoding: "utf8" });
  }

  async stop(): Promise<void> {
    for (const [index, holder] of this.holders.entries()) {
      const net = this.on(index, "readlink", "/proc/self/ns/net").trim();
      // Everything in that network goes with it.
      execFileSync("sh", [
        "-c",
        `for p in /proc/[0-9]*; do [ "$(readlink $p/ns/net)" = "${net}" ] && kill -9 "\${p##*/}"; done; true`,
      ]);
      holder.kill("SIGKILL");
    }
    for (const server of this.servers) await new Promise((resolve) => server.close(resolve));
  }
}

import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { freePort, type RunningSshd, startSshd } from "../lib/testing/sshd.ts";
import { type PrivatePostgres, startPrivatePostgres } from "../sample-app/scripts/private-postgres.ts";

/** The "production" of the demo: a database and a host that is reached over SSH, all on this machine. */
export interface Machine {
  readonly postgres: PrivatePostgres;
  readonly sshd: RunningSshd;
  readonly appPort: number;
  /** Deploy root on the host. */
  readonly target: string;
  /** The service's environment, as lines for a secret. */
  readonly serviceEnvironment: string;
}

/** Starts a private PostgreSQL and a private sshd on free loopback ports. */
export async function startMachine(folder: string): Promise<Machine> {
  const postgres = await startPrivatePostgres();
  try {
    const sshd = await startSshd(join(folder, "sshd"));
    const appPort = await freePort();
    const serviceEnvironment = [
      "NODE_ENV=production",
      ...Object.entries(postgres.env).map(([name, value]) => `${name}=${value}`),
    ].join("\n");
    const target = join(folder, "opt/shop");
    return { postgres, sshd, appPort, target, serviceEnvironment };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

/** Stops everything of the machine, and whatever still works below the demo's folder: the deployed service, cut-off tests. */
export async function stopMachine(machine: Machine, folder: string): Promise<void> {
  killBelow(folder);
  await machine.sshd.stop();
  await machine.postgres.stop();
}

/** Ends every process that works in a folder: services run in sessions of their own, so nobody else would. */
function killBelow(folder: string): void {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)) process.kill(Number(pid), "SIGKILL");
    } catch {
      // It ended meanwhile, or is not ours to look at.
    }
  }
}

import { RemoteError } from "../../../lib/errors.ts";
import type { Call, GateMode, GateResult } from "../../../lib/rollout/target.ts";
import { isFinal } from "./facts.ts";
import type { FleetPorts } from "./fleet.ts";
import { launchOn } from "./launch.ts";
import type { HostSession } from "./session.ts";
import { quote } from "./shell.ts";

/** How long an unfinished deployment of a dead run may take to go back, milliseconds. */
const SETTLE_MS = 120_000;

/**
 * Takes the lock on every host, or on none. Hosts are asked in the order of
 * their names, so that two runs cannot each hold half. Behind the lock, what a
 * dead run left half done is brought back first.
 */
export async function passLock(ports: FleetPorts, mode: GateMode, call: Call): Promise<GateResult> {
  const ordered = [...ports.sessions].sort((a, b) => (a.host.address < b.host.address ? -1 : 1));
  const taken: HostSession[] = [];
  for (const session of ordered) {
    call.signal.throwIfAborted();
    await ownRoot(session, ports.inputs.release.target, ports.inputs.service.sudo);
    const answer = await session.call(
      `lock_take ${quote(ports.holder)}`,
      "taking the lock",
      "PERMISSION_DENIED",
    );
    const held = /^held (-?\d+) ?(.*)$/.exec(answer);
    if (held) {
      if (mode === "supersede") await session.call("supersede", "asking the other run to go back");
      for (const other of taken) await other.call("lock_release", "giving the lock back");
      return { kind: "busy", by: `${session.host.name}: ${held[2] || "another run"}`, code: "LOCKED" };
    }
    taken.push(session);
    session.startBeating();
  }
  for (const session of ordered) await settle(session, ports, call);
  return { kind: "clear" };
}

/** Makes a deploy root that only root can make, and gives it to the login's user. */
async function ownRoot(session: HostSession, target: string, sudo: string): Promise<void> {
  if (session.asRoot || sudo === "never") return;
  const free = await session.run(`mkdir -p ${quote(target)} 2>/dev/null && [ -w ${quote(target)} ]`);
  if (free.code === 0) return;
  const script = `mkdir -p ${quote(target)} && chown ${quote(session.host.username)} ${quote(target)}`;
  const made = await session.run(script, 60_000, true);
  if (made.code !== 0) {
    throw new RemoteError(`${session.host.name}: ${target} cannot be made: ${made.stderr}`, {
      code: "PERMISSION_DENIED",
      fix: "let the user own `target`",
    });
  }
}

async function settle(session: HostSession, ports: FleetPorts, call: Call): Promise<void> {
  const [release, previous, fresh] = (await session.call("settle", "reading the last deployment")).split(" ");
  if (!release) return;
  ports.log.info(`${session.host.name}: the deployment of ${release} was left unfinished; going back first`);
  const step = {
    name: session.host.name,
    release,
    previous: previous === "-" ? "" : (previous ?? ""),
    fresh: fresh === "1",
  };
  const settings = {
    limitSeconds: 60,
    backSeconds: SETTLE_MS / 1000,
    rollback: true,
    healthPath: ports.inputs.health.path,
  };
  await launchOn(session, step, settings, "recover");
  const end = ports.clock.now() + SETTLE_MS;
  while (ports.clock.now() < end) {
    const { state } = await session.look();
    if (state === "restored") await session.tell("confirm");
    if (isFinal(state)) return;
    await ports.clock.sleep(200, call.signal);
  }
}

/** Lets go of one host: a script that still waits is told to leave things, and the lock is given back. */
export async function releaseLock(session: HostSession): Promise<void> {
  session.stopBeating();
  const standing = await session.look();
  if (["launching", "starting", "listening"].includes(standing.state) && standing.running) {
    await session.tell("leave");
  }
  await session.call(
    'lock_release\nrm -rf "$C/incoming-$TOKEN" "$C/lock-offer-$TOKEN"',
    "giving the lock back",
  );
}

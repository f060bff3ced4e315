import { RemoteError } from "../../../lib/errors.ts";
import type { Call } from "../../../lib/rollout/target.ts";
import { formatBytes } from "./bytes.ts";
import type { FleetPorts, Tally } from "./fleet.ts";
import { scripts } from "./host/scripts.ts";
import { looksPacked } from "./packing.ts";
import type { HostStep } from "./plan.ts";
import { programOf } from "./release-files.ts";
import type { HostSession } from "./session.ts";
import { quote } from "./shell.ts";
import { canZstd, type Packing, upload } from "./upload.ts";
import { metaScript } from "./wanted.ts";

/** Everything before the switch: what serves is not touched by it. */
export async function prepareHost(
  session: HostSession,
  step: HostStep,
  ports: FleetPorts,
  tally: Tally,
  call: Call,
): Promise<void> {
  const { release, inputs, log } = ports;
  if (!release) return;
  const root = await session.run("prepare_root");
  if (root.code === 9) throw lockLost(session);
  if (root.code !== 0) await session.call("prepare_root", "making the deploy root", "PERMISSION_DENIED");
  const owner = session.asRoot ? inputs.service.user || session.host.username : "";
  if (step.fresh) {
    await session.call(`discard ${quote(step.release)}`, "cleaning up");
    const sent = await upload(await session.connect(), {
      target: inputs.release.target,
      token: ports.wanted.token,
      entries: release.entries,
      known: inputs.release.delta ? session.known : new Set(),
      previous: session.knownRelease,
      packing: await choosePacking(session, ports),
      sudo: session.asRoot,
      signal: call.signal,
    });
    tally.sent.set(step.name, sent);
    log.info(
      `${step.name}: sent ${sent.filesSent} files in ${formatBytes(sent.bytesSent)}, reused ${formatBytes(sent.bytesReused)} on the host; every file verified`,
    );
  }
  await session.call(
    metaScript(inputs, release, ports.run, session.manager, owner),
    "writing the release's settings",
    "UPLOAD_FAILED",
  );
  if (step.fresh) {
    const program = programOf(inputs.service.command);
    const executable = [...inputs.release.executable, program];
    const settings = `SHARED=${quote(inputs.release.sharedPaths.join("\n"))}\nEXECUTABLE=${quote(executable.join("\n"))}\nOWNER=${quote(owner)}\n`;
    await session.call(
      `set -eu\n${settings}place ${quote(step.release)}`,
      "placing the release",
      "UPLOAD_FAILED",
    );
  }
  call.signal.throwIfAborted();
  if (inputs.service.beforeSwitch !== "")
    await session.hook("before-switch", step.release, inputs.service.beforeSwitch, log, call.signal);
}

async function choosePacking(session: HostSession, { inputs, release }: FleetPorts): Promise<Packing> {
  const { compression } = inputs.release;
  if (compression === "none" || compression === "gzip") return compression;
  const zstd = canZstd() && session.tools.includes("zstd");
  if (compression === "zstd" && !zstd) {
    throw new RemoteError(
      `${session.host.name}: \`compression\` is \`zstd\`, which the host or this Node does not have`,
      {
        code: "HOST_UNFIT",
        fix: "install zstd on the host, or set `compression: auto`",
      },
    );
  }
  if (compression === "auto" && release && (await looksPacked(release.entries))) return "none";
  return zstd ? "zstd" : "gzip";
}

/** What the host script is told beside its release. */
export interface LaunchSettings {
  readonly limitSeconds: number;
  readonly backSeconds: number;
  readonly rollback: boolean;
  readonly healthPath: string;
}

/** Starts the host script; "" when it runs, else who holds the lock that was ours. `recover` goes straight back. */
export async function launchOn(
  session: HostSession,
  step: HostStep,
  settings: LaunchSettings,
  mode: "deploy" | "recover" = "deploy",
): Promise<string> {
  const variables = [
    `NEW=${quote(step.release)}`,
    `PREV=${quote(step.previous)}`,
    `FRESH=${step.fresh ? 1 : 0}`,
  ].join("\n");
  const script = [
    session.library(),
    variables,
    `MODE=${mode}`,
    `LIMIT_S=${settings.limitSeconds}`,
    `BACK_S=${settings.backSeconds}`,
    `ROLLBACK=${settings.rollback ? 1 : 0}`,
    `HEALTH_PATH=${quote(settings.healthPath)}`,
    scripts.supervise,
    "run_supervisor",
  ].join("\n");
  const result = await session.run(`${variables}\nSCRIPT=${quote(script)}\nlaunch`);
  if (result.code === 9) return lockLost(session).message;
  if (result.code !== 0)
    await session.call("false", `starting the host script: ${result.stderr}`, "START_FAILED");
  return "";
}

function lockLost(session: HostSession): RemoteError {
  return new RemoteError(`${session.host.name}: somebody else has taken the lock`, {
    code: "LOCKED",
    fix: "look at the other run, then run this one again",
  });
}

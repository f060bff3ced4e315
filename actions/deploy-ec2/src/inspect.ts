import type { Facts, Inspection } from "./facts.ts";
import type { FleetPorts } from "./fleet.ts";
import type { ServiceInputs } from "./inputs-release.ts";
import { type Entry, manifestLine } from "./manifest.ts";
import type { HostBefore } from "./plan.ts";
import type { Manager } from "./release-files.ts";
import type { HostSession } from "./session.ts";
import { quote } from "./shell.ts";

/** Lines of the difference that are shown for one host. */
const DIFF_LINES = 20;

/** Reads a host and says what of the new release it lacks. Only reads. */
export async function inspectHost(session: HostSession, ports: FleetPorts): Promise<HostBefore> {
  const { service } = ports.inputs;
  const { facts, fingerprint } = await inspectAsNeeded(session, service);
  session.tools = facts.tools;
  const { release } = ports;
  const same = release !== undefined && fingerprint !== "" && fingerprint === release.fingerprint;
  const there = facts.releases.some(
    (item) => item.id === release?.id && item.proven && item.digest === release.digest,
  );
  if (!release || same || there) {
    return { name: session.host.name, facts, same, sendFiles: 0, sendBytes: 0, reuseBytes: 0, diff: [] };
  }
  session.knownRelease = facts.current;
  session.known = await readManifest(session, facts.current);
  return {
    name: session.host.name,
    facts,
    same,
    ...compare(release.entries, session.known, ports.inputs.release.delta),
  };
}

/** Where the service is root's, so are its files: once that is known, the host is read as root, from the start. */
async function inspectAsNeeded(session: HostSession, service: ServiceInputs): Promise<Inspection> {
  const seen = await session.inspect();
  session.manager = chooseManager(seen.facts, service);
  const root = session.manager === "systemd" || service.sudo === "always";
  if (seen.facts.uid === 0 || !root) return seen;
  session.asRoot = true;
  return session.inspect();
}

async function readManifest(session: HostSession, release: string): Promise<ReadonlySet<string>> {
  if (release === "") return new Set();
  const text = await session.call(`slurp "$C/releases/"${quote(release)}/manifest`, "reading the manifest");
  return new Set(text.split("\n").filter((line) => line !== ""));
}

function compare(entries: readonly Entry[], known: ReadonlySet<string>, delta: boolean) {
  let sendFiles = 0;
  let sendBytes = 0;
  let reuseBytes = 0;
  const oldPaths = new Set([...known].map((line) => line.split("\t")[1] ?? ""));
  const diff: string[] = [];
  for (const entry of entries) {
    const isKnown = known.has(manifestLine(entry));
    const size = entry.kind === "file" ? entry.size : 0;
    if (!isKnown) diff.push(`${oldPaths.has(entry.path) ? "~" : "+"} ${entry.path}`);
    oldPaths.delete(entry.path);
    if (isKnown && delta) reuseBytes += size;
    else {
      sendFiles++;
      sendBytes += size;
    }
  }
  diff.push(...[...oldPaths].map((path) => `- ${path}`));
  const shown = diff.slice(0, DIFF_LINES);
  if (shown.length < diff.length) shown.push(`... and ${diff.length - shown.length} more`);
  return { sendFiles, sendBytes, reuseBytes, diff: known.size === 0 ? [] : shown };
}

/** The first service manager that works for this user. */
export function chooseManager(facts: Facts, service: Pick<ServiceInputs, "manager" | "sudo">): Manager {
  if (service.manager !== "auto") return service.manager;
  const root = facts.uid === 0 || (facts.sudo && service.sudo !== "never");
  if (facts.systemd && root) return "systemd";
  return facts.systemdUser ? "systemd-user" : "nohup";
}

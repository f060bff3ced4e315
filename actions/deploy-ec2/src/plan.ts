import type { Cause, PlanResult } from "../../../lib/rollout/target.ts";
import { formatBytes } from "./bytes.ts";
import type { Facts } from "./facts.ts";

/** What a host was before this run, and what of the new release it lacks; plain JSON without secrets. */
export interface HostBefore {
  readonly name: string;
  readonly facts: Facts;
  /** Content, settings and secrets of the current release are those of the new one. */
  readonly same: boolean;
  /** Files and bytes that must be sent; 0 when the release is there already. */
  readonly sendFiles: number;
  readonly sendBytes: number;
  readonly reuseBytes: number;
  /** Lines `+ path`, `~ path`, `- path` against the current release. */
  readonly diff: readonly string[];
}

/** What ran before, on every host. */
export interface Before {
  readonly hosts: readonly HostBefore[];
}

/** What is to happen on one host. */
export interface HostStep {
  readonly name: string;
  readonly release: string;
  /** Proven release to go back to, "" for none. */
  readonly previous: string;
  /** The release has to be sent: going back removes it. */
  readonly fresh: boolean;
}

/** The change: hosts by batches. */
export interface Change {
  readonly release: string;
  readonly digest: string;
  readonly batches: readonly (readonly HostStep[])[];
}

/** What is wanted, as far as the plan must know. */
export interface Wanted {
  readonly mode: "deploy" | "rollback";
  /** Release id; with `rollback` "" means the one before. */
  readonly release: string;
  readonly digest: string;
  readonly target: string;
  readonly appPort: number;
  /** Bytes and files on the host's disk. */
  readonly diskBytes: number;
  readonly files: number;
  readonly runNumber: number;
  readonly workflow: string;
  readonly force: boolean;
  readonly sudo: "auto" | "never" | "always";
  readonly batch: (hosts: number) => number;
  /** The lock of this run: what it is itself doing on a host is no obstacle. */
  readonly token: string;
}

/** Room beside the release itself: logs, links, the manifest; bytes. */
const DISK_RESERVE = 1_048_576;
const TOOLS = ["tar", "gzip", "sha256sum", "setsid"];

/** The difference between what runs and what is wanted. Pure. */
export function planFleet(before: Before, wanted: Wanted): PlanResult<Change> {
  const steps: HostStep[] = [];
  const refusals: Cause[] = [];
  for (const host of before.hosts) {
    const result = planHost(host, wanted);
    if (result.kind === "refused") refusals.push(result.cause);
    else if (result.kind === "step") steps.push(result.step);
  }
  const [first, ...others] = refusals;
  if (first) {
    const evidence = [...(first.evidence ?? []), ...others.map((other) => `${other.code}: ${other.message}`)];
    return { kind: "refused", cause: { ...first, evidence } };
  }
  if (steps.length === 0) {
    return {
      kind: "unchanged",
      detail: `every host runs this already (${before.hosts[0]?.facts.current ?? ""})`,
    };
  }
  const batches = split(steps, wanted.batch(steps.length));
  const release = steps[0]?.release ?? wanted.release;
  return {
    kind: "change",
    change: { release, digest: wanted.digest, batches },
    lines: describe(before, steps, batches.length),
    stages: batches.length,
  };
}

type HostPlan =
  | { readonly kind: "skip" }
  | { readonly kind: "step"; readonly step: HostStep }
  | { readonly kind: "refused"; readonly cause: Cause };

function planHost(host: HostBefore, wanted: Wanted): HostPlan {
  const { facts } = host;
  const refusal = unfit(host, wanted) ?? staleRun(host, wanted);
  if (refusal) return { kind: "refused", cause: refusal };
  const release = wanted.mode === "rollback" ? wanted.release || facts.previous : wanted.release;
  const there = facts.releases.find((item) => item.id === release);
  const serves = facts.alive && facts.port !== "none" && facts.current === facts.good;
  if (wanted.mode === "rollback") {
    if (!there?.proven) return { kind: "refused", cause: noRelease(host, release) };
    if (facts.current === release && serves) return { kind: "skip" };
  } else if (host.same && serves) return { kind: "skip" };
  if (wanted.mode === "deploy" && there && isInUse(facts, release, wanted.digest, host.same))
    return { kind: "refused", cause: inUse(host, release) };
  const fresh = wanted.mode === "deploy" && !(there?.proven && there.digest === wanted.digest);
  const cause = (fresh ? noRoom(host, wanted) : undefined) ?? portTaken(host, wanted);
  if (cause) return { kind: "refused", cause };
  return { kind: "step", step: { name: host.name, release, previous: previousOf(facts), fresh } };
}

/** The release to go back to: the one proven last, never an unproven leftover of a run that died. */
function previousOf(facts: Facts): string {
  const proven = (id: string) => facts.releases.some((item) => item.id === id && item.proven);
  return [facts.good, facts.current].find((id) => id !== "" && proven(id)) ?? "";
}

/** An id names one content. The running release cannot be replaced under its own name either: nothing to go back to would be left. */
function isInUse(facts: Facts, release: string, digest: string, same: boolean): boolean {
  const there = facts.releases.find((item) => item.id === release);
  if (there?.proven && there.digest !== digest) return true;
  return release === facts.current && there?.proven === true && !same;
}

function unfit({ name, facts }: HostBefore, wanted: Wanted): Cause | undefined {
  const missing = TOOLS.filter((tool) => !facts.tools.includes(tool));
  if (missing.length > 0) {
    return {
      code: "HOST_UNFIT",
      message: `${name}: the host has no ${missing.join(", ")}`,
      fix: "install it there",
    };
  }
  if (
    facts.blocked !== "" ||
    (!facts.writable && !(facts.sudo && wanted.sudo !== "never") && facts.uid !== 0)
  ) {
    const reason = facts.blocked || `user \`${facts.user}\` cannot write in ${facts.parent}`;
    return {
      code: "PERMISSION_DENIED",
      message: `${name}: ${wanted.target} cannot be written: ${reason}`,
      fix: `let the user own it (\`sudo install -d -o ${facts.user} ${wanted.target}\` on the host), or allow password-less sudo`,
    };
  }
  return undefined;
}

function staleRun({ name, facts }: HostBefore, wanted: Wanted): Cause | undefined {
  const [number, ...workflow] = facts.run.split(" ");
  const newer = Number(number) > wanted.runNumber && wanted.runNumber > 0;
  if (wanted.mode !== "deploy" || wanted.force || !newer || workflow.join(" ") !== wanted.workflow)
    return undefined;
  return {
    code: "STALE_RUN",
    message: `${name}: run ${number} of this workflow, newer than this run ${wanted.runNumber}, has deployed ${facts.current}`,
    fix: "let it be, or set `force: true` to go back to this run's version",
  };
}

function noRelease({ name, facts }: HostBefore, release: string): Cause {
  const ids = facts.releases
    .filter((item) => item.proven && item.id !== facts.current)
    .map((item) => item.id);
  return {
    code: "RELEASE_NOT_FOUND",
    message:
      release === ""
        ? `${name}: there is no release before ${facts.current || "the first one"}`
        : `${name}: there is no proven release \`${release}\``,
    fix: ids.length > 0 ? `\`release\` can be ${ids.join(", ")}` : "deploy first",
  };
}

function inUse({ name }: HostBefore, release: string): Cause {
  return {
    code: "RELEASE_IN_USE",
    message: `${name}: release \`${release}\` exists with other content or settings`,
    fix: "give another `release`, or leave it out",
  };
}

function noRoom({ name, facts }: HostBefore, wanted: Wanted): Cause | undefined {
  const need = wanted.diskBytes + DISK_RESERVE;
  if (facts.freeBytes < need) {
    return {
      code: "DISK_FULL",
      message: `${name}: the release needs ${formatBytes(need)} in ${wanted.target}, and ${formatBytes(facts.freeBytes)} are free`,
      fix: "make room on the host, or lower `keep-releases`",
    };
  }
  if (facts.freeInodes > 0 && facts.freeInodes < wanted.files + 32) {
    return {
      code: "DISK_FULL",
      message: `${name}: the release has ${wanted.files} files, and ${facts.freeInodes} inodes are free`,
      fix: "remove files on the host, or send fewer",
    };
  }
  return undefined;
}

function portTaken({ name, facts }: HostBefore, wanted: Wanted): Cause | undefined {
  // While somebody else deploys, who listens changes by the second: it is looked at again behind the lock.
  const busy = facts.lock !== null && facts.lock.token !== wanted.token && facts.lock.age < 60;
  if (facts.port !== "foreign" || busy || facts.deploy?.running) return undefined;
  return {
    code: "PORT_IN_USE",
    message: `${name}: port ${wanted.appPort} is held by ${facts.holder || "a process of another user"}, which is no release of ${wanted.target}`,
    fix: "stop that process, or choose another `app-port`",
  };
}

function split(steps: readonly HostStep[], size: number): HostStep[][] {
  const batches: HostStep[][] = [];
  for (let at = 0; at < steps.length; at += size) batches.push(steps.slice(at, at + size));
  return batches;
}

function describe(before: Before, steps: readonly HostStep[], batches: number): string[] {
  const lines: string[] = [];
  for (const host of before.hosts) {
    const step = steps.find((item) => item.name === host.name);
    if (!step) {
      lines.push(`  ${host.name}: unchanged (${host.facts.current})`);
      continue;
    }
    const from = step.previous === "" ? "first deployment" : `from ${step.previous}`;
    const cost = step.fresh
      ? `send ${host.sendFiles} files, ${formatBytes(host.sendBytes)}; reuse ${formatBytes(host.reuseBytes)}`
      : "nothing to send";
    lines.push(`  ${host.name}: ${step.release} (${from}); ${cost}`, ...host.diff);
  }
  if (batches > 1) lines.push(`  in ${batches} batches`);
  return lines;
}

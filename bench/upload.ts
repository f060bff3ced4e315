import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Connection, connect } from "../actions/deploy-ec2/src/connect.ts";
import type { Entry } from "../actions/deploy-ec2/src/manifest.ts";
import { manifestLine } from "../actions/deploy-ec2/src/manifest.ts";
import { loadKey } from "../actions/deploy-ec2/src/private-key.ts";
import { gatherSource } from "../actions/deploy-ec2/src/source.ts";
import { canZstd, type Sent, upload } from "../actions/deploy-ec2/src/upload.ts";
import { systemClock } from "../lib/clock.ts";
import { RecordingLog } from "../lib/log.ts";
import { findSshd, type RunningSshd, startSshd } from "../lib/testing/sshd.ts";
import type { Bench, Row } from "./bench.ts";

const FILES = 2000;
const BYTES_EACH = 8000;
const CHANGED = 20;
const ROUNDS = 3;

/** 2,000 files over a loopback sshd: connecting, reading, sending and verifying, beside rsync doing the same without the verifying. */
export const bench: Bench = { name: "upload", run };

async function run(): Promise<Row[]> {
  if (!findSshd()) return [skipped("sshd is not installed")];
  const folder = mkdtempSync(join(tmpdir(), "goci-bench-upload-"));
  const sshd = await startSshd();
  try {
    const source = join(folder, "source");
    writeFiles(source, 0, FILES);
    const rsync = spawnSync("rsync", ["--version"]).status === 0;
    const first = await rounds((round) => ours(sshd, source, join(folder, `ours-${round}`), []));
    const firstBeside = rsync
      ? await rounds((round) => byRsync(sshd, source, join(folder, `rsync-${round}`)))
      : [];
    const before = await gather(source, folder);
    writeFiles(source, 1, CHANGED);
    const target = join(folder, "ours-0");
    const again = await rounds(() => ours(sshd, source, target, before));
    const againBeside = rsync ? await rounds(() => byRsync(sshd, source, join(folder, "rsync-0"))) : [];
    return [
      row(`upload of ${FILES} files, ${(FILES * BYTES_EACH) / 1e6} MB`, first, firstBeside, 1.2),
      row(`upload with ${CHANGED} of ${FILES} files changed`, again, againBeside, 3),
    ];
  } finally {
    await sshd.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function row(what: string, ours: readonly number[], beside: readonly number[], aim: number): Row {
  const value = median(ours);
  if (beside.length === 0)
    return { what, value, unit: "ms", note: "rsync is not installed: nothing to compare with" };
  return { what, value, unit: "ms", beside: { what: "rsync -az", value: median(beside) }, aim };
}

function skipped(note: string): Row {
  return { what: "upload", value: Number.NaN, unit: "ms", note: `skipped: ${note}` };
}

async function rounds(measure: (round: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    await measure(round);
    times.push(performance.now() - startedAt);
  }
  return times;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Half text, half noise, so that packing has something to do and not everything. */
function writeFiles(folder: string, version: number, count: number): void {
  for (let index = 0; index < count; index++) {
    const path = join(folder, `part-${index % 40}`, `file-${index}.js`);
    mkdirSync(join(path, ".."), { recursive: true });
    const seed = createHash("sha512").update(`${version}-${index}`).digest("hex");
    const text = `// ${seed}\n${"export const value = 1;\n".repeat(166)}`;
    writeFileSync(path, `${text}${seed.repeat(40)}`.slice(0, BYTES_EACH));
  }
}

function gather(source: string, folder: string): Promise<readonly Entry[]> {
  const request = {
    workingDirectory: source,
    source: ["."],
    exclude: [],
    stripComponents: 0,
    roots: [source],
  };
  return gatherSource({ ...request, scratch: join(folder, "scratch") });
}

async function ours(
  sshd: RunningSshd,
  source: string,
  target: string,
  before: readonly Entry[],
): Promise<Sent> {
  const connection = await login(sshd);
  try {
    mkdirSync(join(target, ".goci"), { recursive: true });
    const entries = await gather(source, target);
    const sent = await upload(connection, {
      target,
      token: "bench",
      entries,
      known: new Set(before.map(manifestLine)),
      previous: "one",
      packing: canZstd() && spawnSync("zstd", ["--version"]).status === 0 ? "zstd" : "gzip",
      sudo: false,
      signal: new AbortController().signal,
    });
    if (before.length === 0) place(target);
    return sent;
  } finally {
    connection.close();
  }
}

/** What the next upload reuses. */
function place(target: string): void {
  mkdirSync(join(target, "releases"), { recursive: true });
  execFileSync("mv", [join(target, ".goci/incoming-bench/tree"), join(target, "releases/one")]);
}

async function login(sshd: RunningSshd): Promise<Connection> {
  const key = await loadKey("key", sshd.key, "");
  const host = { name: "bench", address: "127.0.0.1", port: sshd.port, username: sshd.username };
  const pins = { knownHosts: [], fingerprints: [sshd.fingerprint], acceptAny: false };
  const ports = { clock: systemClock, log: new RecordingLog(), signal: new AbortController().signal };
  return connect(host, { key, pins, timeoutMs: 10_000 }, ports);
}

async function byRsync(sshd: RunningSshd, source: string, target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  const options = [
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
    "IdentitiesOnly=yes",
  ];
  const ssh = [
    "ssh",
    "-p",
    String(sshd.port),
    "-i",
    sshd.keyPath,
    ...options.flatMap((option) => ["-o", option]),
  ];
  execFileSync("rsync", ["-az", "-e", ssh.join(" "), `${source}/`, `${sshd.username}@127.0.0.1:${target}/`]);
}

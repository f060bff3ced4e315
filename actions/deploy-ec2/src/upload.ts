import { once } from "node:events";
import { Readable } from "node:stream";
import * as zlib from "node:zlib";
import type { ClientChannel } from "ssh2";
import { type Failure, messageOf, RemoteError } from "../../../lib/errors.ts";
import type { Connection } from "./connect.ts";
import { scripts } from "./host/scripts.ts";
import { type Entry, manifestLine, renderManifest } from "./manifest.ts";
import { quote } from "./shell.ts";
import { type TarItem, writeTar } from "./tar-write.ts";

/** How the stream is packed on the way. */
export type Packing = "zstd" | "gzip" | "none";

/** One release on its way to one host. */
export interface Upload {
  readonly target: string;
  readonly token: string;
  readonly entries: readonly Entry[];
  /** Manifest lines of the release on the host whose content may be copied there; empty sends everything. */
  readonly known: ReadonlySet<string>;
  /** That release's id. */
  readonly previous: string;
  readonly packing: Packing;
  /** Run the receiver as root. */
  readonly sudo: boolean;
  readonly signal: AbortSignal;
}

/** What an upload took. */
export interface Sent {
  /** Bytes written to the connection, packed. */
  readonly bytesSent: number;
  /** Bytes of files that were copied on the host instead. */
  readonly bytesReused: number;
  readonly filesSent: number;
}

/** The program of a receiver ended like this when files were missing or wrong after all. */
const INCOMPLETE = 3;

/**
 * Sends a release as one tar stream over one channel into a folder that
 * nothing serves from, and lets the host check every file. What the host's
 * own copy did not have as its manifest says is sent after that.
 */
export async function upload(connection: Connection, job: Upload): Promise<Sent> {
  const reusable = (entry: Entry) => entry.kind === "file" && job.known.has(manifestLine(entry));
  const reused = job.entries.filter(reusable);
  const first = await send(
    connection,
    job,
    reused,
    job.entries.filter((entry) => !reusable(entry)),
    true,
  );
  if (first.code === 0) return tally(first.bytes, reused, job.entries.length - reused.length, []);
  const names = new Set(first.stdout.split("\n").map((line) => line.replace(/^\.\//, "")));
  const wrong = job.entries.filter((entry) => names.has(entry.path));
  if (first.code !== INCOMPLETE || wrong.length === 0) throw failed(connection, first);
  const second = await send(connection, job, [], wrong, false);
  if (second.code !== 0) throw failed(connection, second);
  return tally(first.bytes + second.bytes, reused, job.entries.length - reused.length, wrong);
}

function tally(bytesSent: number, reused: readonly Entry[], sent: number, wrong: readonly Entry[]): Sent {
  const again = new Set(wrong.map((entry) => entry.path));
  const kept = reused.filter((entry) => !again.has(entry.path));
  return {
    bytesSent,
    bytesReused: kept.reduce((sum, entry) => sum + (entry.kind === "file" ? entry.size : 0), 0),
    filesSent: sent + reused.length - kept.length,
  };
}

interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: number;
}

async function send(
  connection: Connection,
  job: Upload,
  reused: readonly Entry[],
  sent: readonly Entry[],
  first: boolean,
): Promise<Ending> {
  const settings = `T=${quote(job.target)}\nTOKEN=${job.token}\nUNPACK=${job.packing}\nPREV=${quote(job.previous)}\nFIRST=${first ? 1 : 0}\n`;
  // The program is in its argument here, since stdin is the stream; it holds no secret.
  const command = `${job.sudo ? "exec sudo -n" : "exec"} sh -c ${quote(`${settings}${scripts.receive}`)}`;
  const channel = await connection.exec(command);
  const ending = follow(channel);
  const onAbort = () => channel.close();
  job.signal.addEventListener("abort", onAbort, { once: true });
  try {
    const bytes = await pour(packed(writeTar(items(job, reused, sent)), job.packing), channel, ending);
    const end = await ending;
    job.signal.throwIfAborted();
    return { ...end, bytes };
  } finally {
    job.signal.removeEventListener("abort", onAbort);
    channel.close();
  }
}

/** Names first, then links and empty folders, then files, then the mark of the end: what is cut shows. */
function* items(job: Upload, reused: readonly Entry[], sent: readonly Entry[]): Generator<TarItem> {
  const files = job.entries.filter((entry) => entry.kind === "file");
  yield { kind: "text", path: "meta/manifest", text: renderManifest(job.entries) };
  yield {
    kind: "text",
    path: "meta/sums",
    text: files.map((entry) => `${entry.sha256}  ./${entry.path}\n`).join(""),
  };
  yield { kind: "text", path: "meta/reuse", text: reused.map((entry) => `./${entry.path}\n`).join("") };
  for (const entry of sent) {
    if (entry.kind !== "file") yield { ...entry, path: `tree/${entry.path}` };
  }
  for (const entry of sent) {
    if (entry.kind === "file") yield { ...entry, path: `tree/${entry.path}` };
  }
  yield { kind: "text", path: "meta/end", text: "" };
}

function packed(tar: AsyncIterable<Buffer>, packing: Packing): AsyncIterable<Buffer> {
  const plain = Readable.from(tar, { objectMode: false, highWaterMark: 1_048_576 });
  if (packing === "none") return plain;
  const packer = packing === "zstd" ? zlib.createZstdCompress() : zlib.createGzip({ level: 1 });
  plain.on("error", (error) => packer.destroy(error));
  return plain.pipe(packer);
}

/** Whether this Node can pack with zstd (24 can, 20 cannot). */
export function canZstd(): boolean {
  return typeof zlib.createZstdCompress === "function";
}

async function pour(
  from: AsyncIterable<Buffer>,
  channel: ClientChannel,
  ending: Promise<Ending>,
): Promise<number> {
  let bytes = 0;
  let over = false;
  const ended = ending.then(() => {
    over = true;
  });
  for await (const chunk of from) {
    if (over) break;
    bytes += chunk.length;
    if (!channel.write(chunk)) await Promise.race([once(channel, "drain"), ended]);
  }
  if (!over) channel.end();
  return bytes;
}

/** The end of a channel: a connection that broke leaves neither code nor signal. */
export function follow(channel: ClientChannel, onText?: (text: string) => void): Promise<Ending> {
  return new Promise((resolve) => {
    let stdout = "";
    let stderr = "";
    let code: number | null = null;
    channel.on("data", (chunk: Buffer) => {
      stdout = (stdout + chunk.toString("utf8")).slice(-4_000_000);
      onText?.(chunk.toString("utf8"));
    });
    channel.stderr.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk.toString("utf8")).slice(-65_536);
      onText?.(chunk.toString("utf8"));
    });
    channel.on("exit", (value: number | null) => {
      code = value;
    });
    channel.on("error", (error: unknown) => {
      stderr += messageOf(error);
    });
    channel.on("close", () => resolve({ code, stdout, stderr, bytes: 0 }));
  });
}

function failed(connection: Connection, end: Ending): Failure {
  const said = end.stderr.trim().split("\n").slice(-3).join("; ");
  const name = connection.host.name;
  if (end.code === null && connection.lost() !== undefined) {
    return new RemoteError(`${name}: the connection broke during the upload: ${connection.lost()}`, {
      code: "UPLOAD_FAILED",
      fix: "run again; what was sent is cleaned up then, and nothing of it was ever in use",
    });
  }
  return writeFailed(name, "the upload", said || `exit code ${end.code}`, "UPLOAD_FAILED");
}

/** A failure to write on the host, told apart by what the tools there said. */
export function writeFailed(host: string, what: string, said: string, code: string): RemoteError {
  if (/No space left|Disk quota exceeded/i.test(said)) {
    return new RemoteError(`${host}: the disk is full: ${said}`, {
      code: "DISK_FULL",
      fix: "make room on the host, or lower `keep-releases`",
    });
  }
  if (/Permission denied|Read-only file system|Operation not permitted/i.test(said)) {
    return new RemoteError(`${host}: ${what} was not permitted: ${said}`, {
      code: "PERMISSION_DENIED",
      fix: "let the user own `target`, or allow password-less sudo",
    });
  }
  return new RemoteError(`${host}: ${what} failed: ${said}`, { code, fix: "see the host's message" });
}

import type { FileRange } from "./file-range.ts";
import { RangeReader } from "./file-range.ts";
import { BLOCK, checksum, padded, type TarEntry } from "./tar-index.ts";

/** A stretch of the rewritten tar: new bytes, or bytes of the original. */
type Piece = Buffer | { readonly start: number; readonly length: number };

/** A tar that is composed while it is read: new headers around the content of the original. */
export interface TarPlan {
  readonly source: FileRange;
  readonly pieces: readonly Piece[];
  /** Bytes. */
  readonly size: number;
  /** Members with the position of their first header in the new tar, ascending. */
  readonly members: readonly { readonly entry: TarEntry; readonly start: number }[];
}

/** The tar as it is. */
export function untouched(source: FileRange, entries: readonly TarEntry[]): TarPlan {
  const members = entries.map((entry) => ({ entry, start: entry.preludeStart }));
  return { source, pieces: [{ start: 0, length: source.size }], size: source.size, members };
}

/** Whether anything in the layer is younger than the build's time, which a second build would make differ. */
export function isYounger(entries: readonly TarEntry[], commitTime: number): boolean {
  return entries.some((entry) => entry.mtime > commitTime);
}

/** Between these times (seconds) all members' times are to lie. */
export interface Times {
  readonly latest: number;
  readonly earliest: number;
}

/**
 * The same members in an order that depends on their names alone, none younger
 * or older than `times` allow, without access and change times. Owners, modes,
 * extended attributes, devices and content stay byte for byte.
 */
export function reproducibleTar(source: FileRange, entries: readonly TarEntry[], times: Times): TarPlan {
  const reader = new RangeReader(source);
  try {
    const pieces: Piece[] = [];
    const members: { entry: TarEntry; start: number }[] = [];
    let size = 0;
    const add = (piece: Piece) => {
      pieces.push(piece);
      size += piece.length;
    };
    for (const entry of stableOrder(entries)) {
      members.push({ entry, start: size });
      add(newHeader(reader, entry, times));
      if (entry.end > entry.dataStart) add({ start: entry.dataStart, length: entry.end - entry.dataStart });
    }
    add(Buffer.alloc(2 * BLOCK));
    return { source, pieces, size, members };
  } finally {
    reader.close();
  }
}

/**
 * Sorts by path, a folder before what is in it and a whiteout before all else
 * in its folder; the target of a hard link comes before the link. A layer that
 * names a path twice or has global headers depends on its order, and keeps it.
 */
export function stableOrder(entries: readonly TarEntry[]): readonly TarEntry[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  if (byPath.size !== entries.length || entries.some((entry) => entry.type === "g")) return entries;
  const keyed = entries.map((entry) => ({ entry, key: sortKey(entry.path) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : 1));
  const ordered = new Set<TarEntry>();
  const place = (entry: TarEntry) => {
    if (ordered.has(entry)) return;
    for (const folder of foldersOf(entry.path)) {
      const parent = byPath.get(folder);
      if (parent?.type === "5") ordered.add(parent);
    }
    const target = entry.type === "1" && entry.link !== entry.path ? byPath.get(entry.link) : undefined;
    // A link to a link would be a chain without an end; only a file can hold the content.
    if (target && target.type !== "1") place(target);
    ordered.add(entry);
  };
  for (const { entry } of keyed) place(entry);
  return [...ordered];
}

/** `/` sorts before every other character, and a whiteout before all that does not start with it. */
function sortKey(path: string): string {
  return path
    .split("/")
    .map((part) => (part.startsWith(".wh.") ? `\u0001${part}` : `\u0002${part}`))
    .join("\u0000");
}

function foldersOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return ["", ...parts.map((_, index) => parts.slice(0, index + 1).join("/"))];
}

/** pax records that tell of the building machine's clock. */
const TIMES = new Set(["mtime", "atime", "ctime", "LIBARCHIVE.creationtime"]);

/** The member's headers with the time clamped; the original's bytes when nothing has to change. */
function newHeader(reader: RangeReader, entry: TarEntry, { latest, earliest }: Times): Buffer {
  const original = reader.read(entry.preludeStart, entry.dataStart - entry.preludeStart);
  const headerAt = entry.headerStart - entry.preludeStart;
  const header = original.subarray(headerAt);
  if (entry.type === "g") return original;
  const mtime = Math.max(0, Math.floor(Math.max(earliest, Math.min(entry.mtime, latest))));
  writeTime(header, mtime);
  if (entry.pax === undefined) return original;
  return Buffer.concat([...preludeBlocks(original.subarray(0, headerAt), entry), header]);
}

/** The extra headers again, pax without its times; pax itself is left out when nothing else was in it. */
function preludeBlocks(prelude: Buffer, entry: TarEntry): Buffer[] {
  const blocks: Buffer[] = [];
  for (let at = 0; at < prelude.length; ) {
    const size = Number.parseInt(prelude.toString("latin1", at + 124, at + 136), 8) || 0;
    const end = at + BLOCK + padded(size);
    if (prelude[at + 156] !== 0x78) blocks.push(prelude.subarray(at, end));
    at = end;
  }
  const records = [...(entry.pax ?? [])].filter(([key]) => !TIMES.has(key));
  if (records.length > 0) blocks.push(paxBlocks(records));
  return blocks;
}

function paxBlocks(records: readonly (readonly [string, Buffer])[]): Buffer {
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  const blocks = Buffer.alloc(BLOCK + padded(body.length));
  // The name is never looked at; writers put their process id into it.
  blocks.write("PaxHeaders.0/member", 0);
  blocks.write("0000644\0" + "0000000\0" + "0000000\0", 100);
  blocks.write(`${body.length.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0`, 124);
  blocks.write("x", 156);
  blocks.write("ustar\x0000", 257);
  writeChecksum(blocks);
  body.copy(blocks, BLOCK);
  return blocks;
}

/** `length key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.byteLength(key) + value.length + 3;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from("\n")]);
}

function writeTime(header: Buffer, seconds: number): void {
  header.write(`${seconds.toString(8).padStart(11, "0")}\0`, 136, "latin1");
  writeChecksum(header);
}

function writeChecksum(header: Buffer): void {
  header.write(`${checksum(header).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

/** The new tar in chunks of exactly `chunkSize` bytes, the last one shorter; each chunk is a buffer of its own. */
export function* readPlan(plan: TarPlan, chunkSize = 1024 * 1024): Generator<Buffer> {
  const reader = new RangeReader(plan.source);
  try {
    let left = plan.size;
    let chunk = Buffer.allocUnsafe(Math.min(chunkSize, left));
    let filled = 0;
    for (const piece of plan.pieces) {
      for (let done = 0; done < piece.length; ) {
        const take = Math.min(piece.length - done, chunk.length - filled);
        if (Buffer.isBuffer(piece)) piece.copy(chunk, filled, done, done + take);
        else reader.readInto(chunk.subarray(filled, filled + take), piece.start + done);
        done += take;
        filled += take;
        if (filled < chunk.length) continue;
        yield chunk;
        left -= filled;
        chunk = Buffer.allocUnsafe(Math.min(chunkSize, left));
        filled = 0;
      }
    }
  } finally {
    reader.close();
  }
}

import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { crc32, createInflateRaw } from "node:zlib";

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;

/** One entry, as the directory at the archive's end tells it. */
export interface ZipEntry {
  /** As it is stored; nobody has checked that it stays inside of a folder. */
  readonly path: string;
  readonly flags: number;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  /** Type and permissions where a Unix wrote the archive, else undefined. */
  readonly mode: number | undefined;
  readonly offset: number;
}

/** The entries of a ZIP, without ZIP64. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
export async function readZipDirectory(handle: FileHandle): Promise<ZipEntry[]> {
  const { size } = await handle.stat();
  const tail = await readAt(handle, Math.max(0, size - 65_557), Math.min(size, 65_557));
  let end = tail.length - 22;
  while (end >= 0 && tail.readUInt32LE(end) !== END) end--;
  if (end < 0) throw new Error("it is not a ZIP file, or it is cut off");
  const count = tail.readUInt16LE(end + 10);
  const length = tail.readUInt32LE(end + 12);
  const offset = tail.readUInt32LE(end + 16);
  if (count === 0xffff || offset === 0xffffffff) throw new Error("ZIP64 is not supported");
  return parseDirectory(await readAt(handle, offset, length), count);
}

/** The content of an entry, in pieces; fails where it is not what the directory says, so a bomb ends at its size. */
export async function* zipContent(handle: FileHandle, path: string, entry: ZipEntry): AsyncGenerator<Buffer> {
  if (entry.flags & 1) throw new Error(`\`${entry.path}\` is encrypted`);
  if (entry.method !== 0 && entry.method !== 8)
    throw new Error(`\`${entry.path}\` is packed in a way that is not supported (method ${entry.method})`);
  const local = await readAt(handle, entry.offset, 30);
  if (local.length < 30 || local.readUInt32LE(0) !== LOCAL)
    throw new Error(`\`${entry.path}\` is not where it should be`);
  const start = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const packed: AsyncIterable<Buffer> =
    entry.packed === 0 ? none() : createReadStream(path, { start, end: start + entry.packed - 1 });
  yield* exactly(entry, entry.method === 0 ? packed : inflate(packed));
}

function parseDirectory(bytes: Buffer, count: number): ZipEntry[] {
  const entries: ZipEntry[] = [];
  for (let at = 0; entries.length < count; ) {
    if (bytes.length < at + 46 || bytes.readUInt32LE(at) !== CENTRAL)
      throw new Error("its directory is damaged");
    const name = bytes.readUInt16LE(at + 28);
    const byUnix = bytes.readUInt8(at + 5) === 3;
    entries.push({
      path: bytes.toString("utf8", at + 46, at + 46 + name),
      flags: bytes.readUInt16LE(at + 8),
      method: bytes.readUInt16LE(at + 10),
      crc: bytes.readUInt32LE(at + 16),
      packed: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      mode: byUnix ? bytes.readUInt32LE(at + 38) >>> 16 : undefined,
      offset: bytes.readUInt32LE(at + 42),
    });
    at += 46 + name + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

async function* none(): AsyncGenerator<Buffer> {}

async function* inflate(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const out = createInflateRaw();
  const feed = (async () => {
    for await (const chunk of packed)
      if (!out.write(chunk)) await new Promise((resolve) => out.once("drain", resolve));
    out.end();
  })().catch((error: unknown) => out.destroy(error instanceof Error ? error : new Error(String(error))));
  yield* out;
  await feed;
}

async function* exactly(entry: ZipEntry, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let size = 0;
  let crc = 0;
  for await (const piece of content) {
    size += piece.length;
    if (size > entry.size) break;
    crc = crc32(piece, crc);
    yield piece;
  }
  if (size !== entry.size) throw new Error(`\`${entry.path}\` has not the size that the directory says`);
  if (crc !== entry.crc) throw new Error(`\`${entry.path}\` is damaged`);
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

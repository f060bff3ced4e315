import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { createInflateRaw } from "node:zlib";
import type { Member } from "./unpack.ts";

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** File types in the upper half of the external attributes, where a Unix wrote the archive. */
const LINK = 0o120000;
const TYPE = 0o170000;

interface Record {
  readonly path: string;
  readonly flags: number;
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  readonly mode: number;
  readonly offset: number;
}

/**
 * Reads a ZIP by its central directory: stored and deflated entries, without
 * ZIP64 and encryption. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export async function* readZip(path: string): AsyncGenerator<Member> {
  const handle = await open(path, "r");
  try {
    for (const record of await readDirectory(handle)) {
      if (record.flags & 1) throw new Error(`\`${record.path}\` is encrypted`);
      if (record.method !== 0 && record.method !== 8)
        throw new Error(
          `\`${record.path}\` is packed in a way that is not supported (method ${record.method})`,
        );
      if (record.path.endsWith("/")) {
        yield { kind: "folder", path: record.path };
        continue;
      }
      const content = await contentOf(handle, path, record);
      if ((record.mode & TYPE) === LINK) {
        const parts: Buffer[] = [];
        for await (const piece of content) parts.push(piece);
        yield { kind: "link", path: record.path, target: Buffer.concat(parts).toString("utf8") };
      } else yield { kind: "file", path: record.path, mode: record.mode, content };
    }
  } finally {
    await handle.close();
  }
}

async function readDirectory(handle: FileHandle): Promise<Record[]> {
  const { size } = await handle.stat();
  const tail = await readAt(handle, Math.max(0, size - 65_557), Math.min(size, 65_557));
  const at = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (at < 0 || tail.length - at < 22 || tail.readUInt32LE(at) !== END)
    throw new Error("it has no directory at its end");
  const count = tail.readUInt16LE(at + 10);
  const length = tail.readUInt32LE(at + 12);
  const offset = tail.readUInt32LE(at + 16);
  if (offset === 0xffffffff || count === 0xffff) throw new Error("ZIP64 is not supported");
  const directory = await readAt(handle, offset, length);
  const records: Record[] = [];
  for (let position = 0; records.length < count; ) {
    if (directory.length < position + 46 || directory.readUInt32LE(position) !== CENTRAL)
      throw new Error("its directory is damaged");
    const name = directory.readUInt16LE(position + 28);
    const byUnix = directory.readUInt8(position + 5) === 3;
    records.push({
      path: directory.toString("utf8", position + 46, position + 46 + name).replace(/\\/g, "/"),
      flags: directory.readUInt16LE(position + 8),
      method: directory.readUInt16LE(position + 10),
      packed: directory.readUInt32LE(position + 20),
      size: directory.readUInt32LE(position + 24),
      mode: byUnix ? directory.readUInt32LE(position + 38) >>> 16 : 0o644,
      offset: directory.readUInt32LE(position + 42),
    });
    position += 46 + name + directory.readUInt16LE(position + 30) + directory.readUInt16LE(position + 32);
  }
  return records;
}

async function contentOf(handle: FileHandle, path: string, record: Record): Promise<AsyncIterable<Buffer>> {
  const local = await readAt(handle, record.offset, 30);
  if (local.length < 30 || local.readUInt32LE(0) !== LOCAL)
    throw new Error(`\`${record.path}\` is not where it should be`);
  const start = record.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  const packed: AsyncIterable<Buffer> =
    record.packed === 0 ? none() : createReadStream(path, { start, end: start + record.packed - 1 });
  return exactly(record, record.method === 0 ? packed : inflate(packed));
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

/** No more and no less than the directory says: the rest would be a bomb, or damage. */
async function* exactly(record: Record, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const piece of content) {
    size += piece.length;
    if (size > record.size) break;
    yield piece;
  }
  if (size !== record.size) throw new Error(`\`${record.path}\` has not the size that the directory says`);
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

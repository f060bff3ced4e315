import { createReadStream, createWriteStream } from "node:fs";
import { chmod, type FileHandle, mkdir, open, stat, writeFile } from "node:fs/promises";
import { dirname, join, normalize, sep } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw } from "node:zlib";

/**
 * The little of ZIP that an artifact needs: entries stored as they are, without
 * ZIP64 (so below 4 GiB). https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const LIMIT = 0xffffffff;
/** 1980-01-01, the oldest date that ZIP knows: the same files give the same bytes. */
const DOS_DATE = 0x21;

interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

/** Writes the files (relative to `root`) into a new ZIP, uncompressed. */
export async function writeZip(path: string, root: string, files: readonly string[]): Promise<void> {
  const out = await open(path, "w", 0o600);
  try {
    const entries: Entry[] = [];
    let offset = 0;
    for (const name of [...files].sort()) {
      const entry = await measure(join(root, name), name, offset);
      const header = localHeader(entry);
      await out.writeFile(header);
      await pipeInto(out, join(root, name));
      offset += header.length + entry.packed;
      if (offset > LIMIT) throw new Error("an artifact of more than 4 GiB is not supported here");
      entries.push(entry);
    }
    const central = Buffer.concat(entries.map(centralHeader));
    await out.writeFile(central);
    await out.writeFile(endRecord(entries.length, central.length, offset));
  } finally {
    await out.close();
  }
}

/** Unpacks a ZIP into a folder. Refuses names that leave it, damaged entries and ZIP64. */
export async function extractZip(path: string, folder: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    for (const entry of await readDirectory(handle)) {
      if (entry.name.endsWith("/")) continue;
      const target = insideOf(folder, entry.name);
      await mkdir(dirname(target), { recursive: true });
      await extractEntry(handle, path, entry, target);
      if (entry.mode & 0o111) await chmod(target, 0o755);
    }
  } finally {
    await handle.close();
  }
}

async function measure(file: string, name: string, offset: number): Promise<Entry> {
  let crc = 0;
  let size = 0;
  for await (const chunk of createReadStream(file)) {
    crc = crc32(chunk as Buffer, crc);
    size += (chunk as Buffer).length;
  }
  return { name, mode: (await stat(file)).mode, method: 0, crc, packed: size, size, offset };
}

async function pipeInto(out: FileHandle, file: string): Promise<void> {
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    await out.writeFile(chunk as Buffer);
  }
}

function localHeader(entry: Entry): Buffer {
  const name = Buffer.from(entry.name);
  const head = Buffer.alloc(30);
  head.writeUInt32LE(LOCAL, 0);
  head.writeUInt16LE(20, 4);
  head.writeUInt16LE(0x0800, 6);
  head.writeUInt16LE(DOS_DATE, 12);
  head.writeUInt32LE(entry.crc, 14);
  head.writeUInt32LE(entry.packed, 18);
  head.writeUInt32LE(entry.size, 22);
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, name]);
}

function centralHeader(entry: Entry): Buffer {
  const name = Buffer.from(entry.name);
  const head = Buffer.alloc(46);
  head.writeUInt32LE(CENTRAL, 0);
  // Made on Unix, so that the mode in the external attributes counts.
  head.writeUInt16LE((3 << 8) | 20, 4);
  head.writeUInt16LE(20, 6);
  head.writeUInt16LE(0x0800, 8);
  head.writeUInt16LE(DOS_DATE, 14);
  head.writeUInt32LE(entry.crc, 16);
  head.writeUInt32LE(entry.packed, 20);
  head.writeUInt32LE(entry.size, 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt32LE(((entry.mode & 0xffff) << 16) >>> 0, 38);
  head.writeUInt32LE(entry.offset, 42);
  return Buffer.concat([head, name]);
}

function endRecord(count: number, size: number, offset: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return end;
}

async function readDirectory(handle: FileHandle): Promise<Entry[]> {
  const { size } = await handle.stat();
  const tail = await readAt(handle, Math.max(0, size - 65_557), Math.min(size, 65_557));
  let end = tail.length - 22;
  while (end >= 0 && tail.readUInt32LE(end) !== END) end--;
  if (end < 0) throw new Error("it is not a ZIP file, or it is cut off");
  const count = tail.readUInt16LE(end + 10);
  const length = tail.readUInt32LE(end + 12);
  const offset = tail.readUInt32LE(end + 16);
  if (count === 0xffff || offset === LIMIT) throw new Error("ZIP64 is not supported here");
  return parseDirectory(await readAt(handle, offset, length), count);
}

function parseDirectory(bytes: Buffer, count: number): Entry[] {
  const entries: Entry[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== CENTRAL)
      throw new Error("its directory is damaged");
    const nameLength = bytes.readUInt16LE(at + 28);
    entries.push({
      name: bytes.toString("utf8", at + 46, at + 46 + nameLength),
      mode: bytes.readUInt16LE(at + 4) >> 8 === 3 ? bytes.readUInt32LE(at + 38) >>> 16 : 0,
      method: bytes.readUInt16LE(at + 10),
      crc: bytes.readUInt32LE(at + 16),
      packed: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      offset: bytes.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

async function extractEntry(handle: FileHandle, path: string, entry: Entry, target: string): Promise<void> {
  const local = await readAt(handle, entry.offset, 30);
  if (local.readUInt32LE(0) !== LOCAL) throw new Error(`the entry ${entry.name} is damaged`);
  const start = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  let crc = 0;
  let size = 0;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      crc = crc32(chunk, crc);
      size += chunk.length;
      done(null, chunk);
    },
  });
  if (entry.packed === 0) await writeFile(target, "", { flag: "wx" });
  else {
    const out = createWriteStream(target, { flags: "wx" });
    const source = createReadStream(path, { start, end: start + entry.packed - 1 });
    if (entry.method === 0) await pipeline(source, check, out);
    else if (entry.method === 8) await pipeline(source, createInflateRaw(), check, out);
    else throw new Error(`the entry ${entry.name} has the unknown method ${entry.method}`);
  }
  if (crc !== entry.crc || size !== entry.size) throw new Error(`the entry ${entry.name} is damaged`);
}

function insideOf(folder: string, name: string): string {
  const target = normalize(join(folder, name));
  const isInside = target.startsWith(folder.endsWith(sep) ? folder : folder + sep);
  if (!isInside || name.startsWith("/") || name.includes("\\") || name.includes("\0")) {
    throw new Error(`the entry ${JSON.stringify(name)} leaves the folder`);
  }
  return target;
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  if (bytesRead < length) throw new Error("it is cut off");
  return buffer;
}

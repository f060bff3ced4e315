import { createReadStream, createWriteStream } from "node:fs";
import { chmod, type FileHandle, mkdir, open, stat } from "node:fs/promises";
import { dirname, join, normalize, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { crc32 } from "node:zlib";
import { readZipDirectory, zipContent } from "../archive/zip-read.ts";

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
    for (const entry of await readZipDirectory(handle)) {
      if (entry.path.endsWith("/")) continue;
      const target = insideOf(folder, entry.path);
      await mkdir(dirname(target), { recursive: true });
      await pipeline(zipContent(handle, path, entry), createWriteStream(target, { flags: "wx" }));
      if ((entry.mode ?? 0) & 0o111) await chmod(target, 0o755);
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

function insideOf(folder: string, name: string): string {
  const target = normalize(join(folder, name));
  const isInside = target.startsWith(folder.endsWith(sep) ? folder : folder + sep);
  if (!isInside || name.startsWith("/") || name.includes("\\") || name.includes("\0")) {
    throw new Error(`the entry ${JSON.stringify(name)} leaves the folder`);
  }
  return target;
}

import { type FileRange, invalidImage, RangeReader } from "./file-range.ts";

/** One member of a tar, and where its bytes are; positions are relative to the tar. */
export interface TarEntry {
  /** As it will lie in the image: no leading `/` or `./`, no `/` at the end; "" is the root itself. */
  readonly path: string;
  /** The type flag: `0` file, `1` hard link, `2` symbolic link, `5` folder, `g` a global pax header, ... */
  readonly type: string;
  /** Target of a link as written; of a hard link in the form of `path`. */
  readonly link: string;
  /** Bytes of its content as stored. */
  readonly size: number;
  /** Seconds since the epoch, with a fraction where pax tells one. */
  readonly mtime: number;
  /** The extra headers before the header (pax, GNU long names), empty for most. */
  readonly preludeStart: number;
  readonly headerStart: number;
  readonly dataStart: number;
  /** After the padding. */
  readonly end: number;
  /** Records of its own pax header, undefined without one. */
  readonly pax: ReadonlyMap<string, Buffer> | undefined;
}

export const BLOCK = 512;

/** Extra headers are short; a longer one is a broken archive, bytes. */
const LONGEST_PRELUDE = 8 * 1024 * 1024;

/**
 * Lists the members of a tar (ustar, pax, GNU) by reading only the headers.
 * Throws IMAGE_INVALID when it is no tar or ends too early.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
 */
export function indexTar(range: FileRange): TarEntry[] {
  const reader = new RangeReader(range);
  try {
    return [...entriesOf(reader, range)];
  } finally {
    reader.close();
  }
}

function* entriesOf(reader: RangeReader, range: FileRange): Generator<TarEntry> {
  let position = 0;
  while (position + BLOCK <= range.size) {
    if (isEmpty(reader.peek(position, BLOCK))) return;
    const prelude = readPrelude(reader, position, range.path);
    const header = reader.peek(prelude.end, BLOCK);
    const entry = readEntry(reader, header, position, prelude);
    if (entry.dataStart + entry.size > range.size)
      throw invalidImage(`\`${range.path}\` ends in the middle of ${entry.path}`);
    yield entry;
    position = entry.end;
  }
}

interface Prelude {
  readonly end: number;
  readonly pax: ReadonlyMap<string, Buffer> | undefined;
  readonly longName: string | undefined;
  readonly longLink: string | undefined;
}

/** Reads pax and GNU headers that describe the next member. */
function readPrelude(reader: RangeReader, start: number, file: string): Prelude {
  let end = start;
  let pax: Map<string, Buffer> | undefined;
  let longName: string | undefined;
  let longLink: string | undefined;
  for (;;) {
    const header = reader.peek(end, BLOCK);
    if (!checksumHolds(header)) throw invalidImage(`\`${file}\` is no tar, or a broken one`);
    const type = String.fromCharCode(header[156] ?? 0);
    if (!"xLK".includes(type)) return { end, pax, longName, longLink };
    const size = readNumber(header, 124, 12);
    if (size > LONGEST_PRELUDE) throw invalidImage(`a tar header of ${size} bytes`);
    const body = reader.read(end + BLOCK, size);
    if (type === "x") pax = new Map([...(pax ?? []), ...readPax(body)]);
    if (type === "L") longName = untilZero(body);
    if (type === "K") longLink = untilZero(body);
    end += BLOCK + padded(size);
  }
}

function readEntry(reader: RangeReader, header: Buffer, start: number, prelude: Prelude): TarEntry {
  const flag = header[156] ?? 0;
  const type = flag === 0 ? "0" : String.fromCharCode(flag);
  const pax = (name: string) => prelude.pax?.get(name)?.toString();
  const prefix = header.toString("latin1", 257, 262) === "ustar" ? untilZero(header.subarray(345, 500)) : "";
  const name = untilZero(header.subarray(0, 100));
  const written =
    pax("GNU.sparse.name") ??
    pax("path") ??
    prelude.longName ??
    (prefix === "" || header[263] === 0x20 ? name : `${prefix}/${name}`);
  const link = pax("linkpath") ?? prelude.longLink ?? untilZero(header.subarray(157, 257));
  const stated = Number(pax("size") ?? readNumber(header, 124, 12));
  // Links, folders and devices have no content, whatever their size field says.
  const size = "123456".includes(type) ? 0 : stated;
  const dataStart = prelude.end + BLOCK + sparseBlocks(reader, header, prelude.end, type) * BLOCK;
  return {
    path: imagePath(written),
    type,
    link: type === "1" ? imagePath(link) : link,
    size,
    mtime: Number(pax("mtime") ?? readNumber(header, 136, 12)),
    preludeStart: start,
    headerStart: prelude.end,
    dataStart,
    end: dataStart + padded(size),
    pax: prelude.pax,
  };
}

/** Old GNU sparse files go on with blocks of their map after the header. */
function sparseBlocks(reader: RangeReader, header: Buffer, headerStart: number, type: string): number {
  if (type !== "S" || header[482] === 0) return 0;
  let blocks = 1;
  while (reader.peek(headerStart + blocks * BLOCK, BLOCK)[504] === 1) blocks++;
  return blocks;
}

/** A path as it lies in the image, with neither leading nor trailing slashes nor `.` parts. */
export function imagePath(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

/** The size with its padding. */
export function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

/** A header's checksum: the sum of its bytes, with blanks in the place of the checksum itself. */
export function checksum(header: Buffer): number {
  let sum = 8 * 0x20;
  for (let index = 0; index < BLOCK; index++) {
    if (index < 148 || index >= 156) sum += header[index] ?? 0;
  }
  return sum;
}

function checksumHolds(header: Buffer): boolean {
  return readNumber(header, 148, 8) === checksum(header);
}

function isEmpty(header: Buffer): boolean {
  return header[0] === 0 && header.every((byte) => byte === 0);
}

/** Octal text, or GNU's big-endian binary form for what does not fit. */
function readNumber(header: Buffer, start: number, length: number): number {
  const first = header[start] ?? 0;
  if ((first & 0x80) === 0) {
    const text = header.toString("latin1", start, start + length).replace(/[\0 ]+/g, " ");
    return Number.parseInt(text.trim() || "0", 8) || 0;
  }
  let value = (first & 0x40) === 0 ? BigInt(first & 0x3f) : BigInt(first) - 256n;
  for (let index = 1; index < length; index++) value = value * 256n + BigInt(header[start + index] ?? 0);
  return Number(value);
}

function untilZero(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end === -1 ? bytes.length : end);
}

/** Records `length key=value\n`; values may hold anything. */
function readPax(body: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  let position = 0;
  while (position < body.length && body[position] !== 0) {
    const blank = body.indexOf(0x20, position);
    const length = Number(body.toString("latin1", position, blank));
    const equals = body.indexOf(0x3d, blank);
    if (!(length > 0) || blank < 0 || equals < 0 || position + length > body.length)
      throw invalidImage("a tar with a broken pax header");
    records.set(
      body.toString("utf8", blank + 1, equals),
      Buffer.from(body.subarray(equals + 1, position + length - 1)),
    );
    position += length;
  }
  return records;
}

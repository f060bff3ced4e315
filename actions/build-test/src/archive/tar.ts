/** One entry of an archive. */
export interface TarEntry {
  /** Relative, with `/`. */
  readonly path: string;
  readonly mode: number;
  /** Bytes that follow; 0 for a link. */
  readonly size: number;
  /** Target of a symbolic link; undefined for a file. */
  readonly link?: string;
}

const BLOCK = 512;
/** The largest size that eleven octal digits hold. */
const USTAR_SIZE_LIMIT = 0o77777777777;

/**
 * The header blocks of an entry, POSIX ustar with a pax record where a path, a
 * link or a size does not fit. Owner 0, no names, the given time for all.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */
export function tarHeader(entry: TarEntry, mtimeSeconds: number): Buffer {
  const records: [string, string][] = [];
  if (!fits(entry.path, 100)) records.push(["path", entry.path]);
  if (entry.link !== undefined && !fits(entry.link, 100)) records.push(["linkpath", entry.link]);
  if (entry.size > USTAR_SIZE_LIMIT) records.push(["size", String(entry.size)]);
  const type = entry.link === undefined ? "0" : "2";
  const main = header(entry.path, entry.mode & 0o777, entry.size, mtimeSeconds, type, entry.link ?? "");
  if (records.length === 0) return main;
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  const pax = header("pax", 0o644, body.length, mtimeSeconds, "x", "");
  return Buffer.concat([pax, body, tarPadding(body.length), main]);
}

/** Zeroes up to the next block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** Two empty blocks end an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

function header(path: string, mode: number, size: number, mtime: number, type: string, link: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(cut(path), 0, "utf8");
  octal(block, mode, 100, 8);
  octal(block, 0, 108, 8);
  octal(block, 0, 116, 8);
  octal(block, Math.min(size, USTAR_SIZE_LIMIT), 124, 12);
  octal(block, mtime, 136, 12);
  block.fill(0x20, 148, 156);
  block.write(type, 156, "latin1");
  block.write(cut(link), 157, "utf8");
  block.write("ustar\x0000", 257, "latin1");
  octal(block, 0, 329, 8);
  octal(block, 0, 337, 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function octal(block: Buffer, value: number, at: number, width: number): void {
  block.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
}

function fits(text: string, limit: number): boolean {
  return Buffer.byteLength(text) <= limit;
}

/** What readers without pax see: the first bytes, whole characters only. */
function cut(text: string): string {
  let short = text;
  while (Buffer.byteLength(short) > 100) short = short.slice(0, -1);
  return short;
}

/** `<length> key=value\n`, where the length counts itself. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

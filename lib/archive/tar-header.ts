/** What a tar archive says of one member. */
export interface TarMember {
  /** Relative, with `/`; a folder's ends with one. */
  readonly path: string;
  readonly type: "file" | "link" | "folder";
  /** Permission bits. */
  readonly mode: number;
  /** Bytes that follow; 0 for links and folders. */
  readonly size: number;
  /** Target of a link. */
  readonly link?: string;
  /** Seconds since the epoch; 0 when left out. */
  readonly mtime?: number;
}

const BLOCK = 512;
const TYPES = { file: "0", link: "2", folder: "5" } as const;

/**
 * The header blocks of a member, owner 0 and no names: the same content is the
 * same bytes. Long names are written in GNU's way, which busybox reads as well;
 * it does not read pax. https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */
export function tarHeader(member: TarMember): Buffer {
  const { path, link = "" } = member;
  const blocks: Buffer[] = [];
  if (Buffer.byteLength(path) > 99) blocks.push(longName("L", path));
  if (Buffer.byteLength(link) > 99) blocks.push(longName("K", link));
  blocks.push(block(path, TYPES[member.type], member.mode, member.size, link, member.mtime ?? 0));
  return Buffer.concat(blocks);
}

/** Zeroes up to the next block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** Two empty blocks end an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

function longName(type: "L" | "K", text: string): Buffer {
  const bytes = Buffer.from(`${text}\0`);
  return Buffer.concat([
    block("././@LongLink", type, 0o644, bytes.length, "", 0),
    bytes,
    tarPadding(bytes.length),
  ]);
}

function block(path: string, type: string, mode: number, size: number, link: string, mtime: number): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  Buffer.from(path).copy(bytes, 0, 0, 99);
  bytes.write(octal(mode & 0o7777, 7), 100);
  bytes.write(octal(0, 7), 108);
  bytes.write(octal(0, 7), 116);
  // Octal ends at 8 GiB; above, GNU's binary form.
  if (size < 8 ** 11) bytes.write(octal(size, 11), 124);
  else {
    bytes[124] = 0x80;
    bytes.writeBigUInt64BE(BigInt(size), 128);
  }
  bytes.write(octal(mtime, 11), 136);
  bytes.fill(" ", 148, 156);
  bytes.write(type, 156);
  Buffer.from(link).copy(bytes, 157, 0, 99);
  bytes.write("ustar  ", 257);
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes.write(`${octal(sum, 6)}\0 `, 148);
  return bytes;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

import type { Member } from "./unpack.ts";

const BLOCK = 512;
/** Long names are small; anything larger is not a name. */
const NAME_LIMIT = 65_536;

/** Bytes taken from a stream in the sizes that a format wants. */
class ByteSource {
  private readonly chunks: AsyncIterator<unknown>;
  private rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<unknown>) {
    this.chunks = stream[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes; fewer only where the stream ends. */
  async take(size: number): Promise<Buffer> {
    while (this.rest.length < size) {
      const more = await this.more();
      if (!more) break;
      this.rest = this.rest.length === 0 ? more : Buffer.concat([this.rest, more]);
    }
    const taken = this.rest.subarray(0, size);
    this.rest = this.rest.subarray(taken.length);
    return taken;
  }

  /** So many bytes, in the pieces in which they come. */
  async *stream(size: number): AsyncGenerator<Buffer> {
    let left = size;
    while (left > 0) {
      if (this.rest.length === 0) this.rest = (await this.more()) ?? Buffer.alloc(0);
      if (this.rest.length === 0) throw new Error("it ends in the middle of a file");
      const piece = this.rest.subarray(0, left);
      this.rest = this.rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  private async more(): Promise<Buffer | undefined> {
    const next = await this.chunks.next();
    return next.done ? undefined : (next.value as Buffer);
  }
}

/** Extended names and sizes that precede a member. */
interface Extra {
  path?: string;
  link?: string;
  size?: number;
}

/** Reads a tar file: ustar, GNU long names, pax. A missing end or a wrong checksum is an error. */
export async function* readTar(stream: AsyncIterable<unknown>): AsyncGenerator<Member> {
  const source = new ByteSource(stream);
  let extra: Extra = {};
  for (;;) {
    const header = await source.take(BLOCK);
    if (header.length < BLOCK) throw new Error("it ends without the mark of the end");
    if (header.every((byte) => byte === 0)) return;
    checkSum(header);
    const type = String.fromCharCode(header[156] ?? 0);
    const size = extra.size ?? number(header, 124, 12);
    if ("LKxg".includes(type)) {
      if (size > NAME_LIMIT) throw new Error("a name in it is too long");
      const text = (await source.take(size)).toString("utf8");
      await source.take(padding(size));
      if (type === "L") extra.path = text.replace(/\0.*$/s, "");
      else if (type === "K") extra.link = text.replace(/\0.*$/s, "");
      else if (type === "x") extra = { ...extra, ...pax(text) };
      continue;
    }
    const path = extra.path ?? nameOf(header);
    const link = extra.link ?? field(header, 157, 100);
    extra = {};
    if (type === "0" || type === "\0" || type === "7") {
      const content = source.stream(size);
      if (path.endsWith("/")) yield { kind: "folder", path };
      else yield { kind: "file", path, mode: number(header, 100, 8), content };
      await drain(content);
      await source.take(padding(size));
    } else {
      yield special(type, path, link);
      await drain(source.stream(size));
      await source.take(padding(size));
    }
  }
}

/** What a reader did not want still lies before the next header. */
async function drain(content: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of content);
}

function special(type: string, path: string, target: string): Member {
  if (type === "5") return { kind: "folder", path };
  if (type === "2") return { kind: "link", path, target };
  if (type === "1") return { kind: "same", path, target };
  return { kind: "other", path, what: type === "6" ? "a named pipe" : "a device or something unknown" };
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function field(header: Buffer, at: number, length: number): string {
  return header
    .subarray(at, at + length)
    .toString("utf8")
    .replace(/\0.*$/s, "");
}

function nameOf(header: Buffer): string {
  const prefix = field(header, 257, 5) === "ustar" && header[263] === 0x30 ? field(header, 345, 155) : "";
  const name = field(header, 0, 100);
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Octal text, or GNU's binary form with the first bit set. */
function number(header: Buffer, at: number, length: number): number {
  const first = header[at] ?? 0;
  if (first & 0x80) {
    let value = first & 0x7f;
    for (const byte of header.subarray(at + 1, at + length)) value = value * 256 + byte;
    return value;
  }
  const text = field(header, at, length).trim();
  if (text !== "" && !/^[0-7]+$/.test(text)) throw new Error("a header in it is damaged");
  return text === "" ? 0 : Number.parseInt(text, 8);
}

function checkSum(header: Buffer): void {
  let sum = 0;
  for (let index = 0; index < BLOCK; index++) sum += index >= 148 && index < 156 ? 32 : (header[index] ?? 0);
  if (sum !== number(header, 148, 8)) throw new Error("a header in it is damaged, or it is no tar file");
}

function pax(text: string): Extra {
  const extra: Extra = {};
  for (const [, key, value] of text.matchAll(/\d+ ([^=\n]+)=([^\n]*)\n/g)) {
    if (key === "path") extra.path = value ?? "";
    if (key === "linkpath") extra.link = value ?? "";
    if (key === "size") extra.size = Number(value);
  }
  return extra;
}

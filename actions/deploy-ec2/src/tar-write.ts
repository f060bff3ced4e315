import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { Failure } from "../../../lib/errors.ts";
import { SMALL_BYTES } from "./manifest.ts";

/** What goes into a tar stream. */
export type TarItem =
  | { readonly kind: "text"; readonly path: string; readonly text: string }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly mode: number;
      readonly size: number;
      readonly local: string;
    }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "folder"; readonly path: string };

const BLOCK = 512;
const CHUNK = 262_144;

/**
 * A tar stream of the items, with owner and times at zero: the same content
 * is the same bytes. Long names are written in GNU's way, which busybox reads
 * as well; it does not read pax.
 */
export async function* writeTar(items: Iterable<TarItem>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let size = 0;
  for (const item of items) {
    for await (const piece of member(item)) {
      pending.push(piece);
      size += piece.length;
      if (size < CHUNK) continue;
      yield Buffer.concat(pending, size);
      pending = [];
      size = 0;
    }
  }
  yield Buffer.concat([...pending, Buffer.alloc(2 * BLOCK)]);
}

async function* member(item: TarItem): AsyncGenerator<Buffer> {
  if (item.kind === "text") {
    const bytes = Buffer.from(item.text);
    yield* header(item.path, "0", 0o644, bytes.length);
    yield padded(bytes);
  } else if (item.kind === "file") {
    yield* header(item.path, "0", item.mode, item.size);
    yield* content(item.local, item.size);
  } else if (item.kind === "link") yield* header(item.path, "2", 0o777, 0, item.target);
  else yield* header(`${item.path}/`, "5", 0o755, 0);
}

async function* content(local: string, size: number): AsyncGenerator<Buffer> {
  if (size <= SMALL_BYTES) {
    const bytes = readFileSync(local);
    if (bytes.length < size) throw changed(local);
    yield padded(bytes.subarray(0, size));
    return;
  }
  const handle = await open(local, "r");
  try {
    let left = size;
    while (left > 0) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(Math.min(CHUNK, left)), 0);
      if (bytesRead === 0) throw changed(local);
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
  const rest = (BLOCK - (size % BLOCK)) % BLOCK;
  if (rest > 0) yield Buffer.alloc(rest);
}

function changed(local: string): Failure {
  return new Failure(`${local} became shorter while it was being sent`, {
    code: "UPLOAD_FAILED",
    fix: "let nothing write to the source while it is being deployed",
  });
}

function* header(path: string, type: string, mode: number, size: number, link = ""): Generator<Buffer> {
  if (Buffer.byteLength(path) > 99) yield* longName("L", path);
  if (Buffer.byteLength(link) > 99) yield* longName("K", link);
  yield block(path, type, mode, size, link);
}

function* longName(type: "L" | "K", text: string): Generator<Buffer> {
  const bytes = Buffer.from(`${text}\0`);
  yield block("././@LongLink", type, 0o644, bytes.length, "");
  yield padded(bytes);
}

function block(path: string, type: string, mode: number, size: number, link: string): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  Buffer.from(path).copy(bytes, 0, 0, 99);
  bytes.write(octal(mode, 7), 100);
  bytes.write(octal(0, 7), 108);
  bytes.write(octal(0, 7), 116);
  // Octal ends at 8 GiB; above, GNU's binary form.
  if (size < 8 ** 11) bytes.write(octal(size, 11), 124);
  else {
    bytes[124] = 0x80;
    bytes.writeBigUInt64BE(BigInt(size), 128);
  }
  bytes.write(octal(0, 11), 136);
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

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

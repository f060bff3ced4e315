import { createHash } from "node:crypto";
import { promisify } from "node:util";
import zlib from "node:zlib";

const deflateRaw = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.deflateRaw);

/** What comes in, and how much of it is compressed by itself: fixed for ever, since the stream's bytes depend on it. */
const CHUNK = 1024 * 1024;
const PIECE = CHUNK / 2;

/** zlib looks back that far; each piece is given as much of the former one, bytes. */
const DICTIONARY = 32 * 1024;

const LEVEL = 6;

/**
 * Bits in a byte, from which on a piece is noise or packed already: zlib would
 * take its longest time and save nothing. Programs reach 7.7, packed data 7.95.
 */
const NOISE_BITS = 7.9;

/** Every so manieth byte is looked at; a prime, so that no layout of records hides from it. */
const SAMPLE_STEP = 61;

/** Pieces compressed at a time: more than the machine has cores gains nothing, fewer wait for each other. */
const IN_FLIGHT = 8;

/** No name, no time, no operating system: a header that is a function of the content. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/** What came of compressing, once the last byte was taken. */
export interface Compressed {
  /** Bytes. */
  readonly size: number;
  readonly digest: string;
}

/**
 * Compresses to gzip on all cores: pieces of 512 KiB are deflated by themselves,
 * each with the end of the former one as dictionary, and joined at byte
 * boundaries. The bytes depend on the content (and on zlib's own version)
 * alone, never on the number of cores. `chunks` must have exactly 1 MiB each,
 * the last one excepted.
 * https://www.zlib.net/pigz/ works in this way.
 */
export async function* gzip(
  chunks: Iterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer, Compressed> {
  const hash = createHash("sha256");
  let size = 0;
  const out = (bytes: Buffer) => {
    hash.update(bytes);
    size += bytes.length;
    return bytes;
  };
  const sums = new Sums();
  const pending: Promise<Buffer>[] = [];
  yield out(HEADER);
  for (const piece of pieces(chunks)) {
    sums.add(piece.bytes);
    const job = compress(piece);
    // A rejection is met where it is awaited; until then it is nobody's.
    job.catch(() => {});
    pending.push(job);
    if (pending.length < IN_FLIGHT) continue;
    yield out((await pending.shift()) as Buffer);
    if (signal.aborted) throw signal.reason;
  }
  for (const job of pending) yield out(await job);
  yield out(sums.trailer());
  return { size, digest: `sha256:${hash.digest("hex")}` };
}

interface Piece {
  readonly bytes: Buffer;
  readonly dictionary: Buffer | undefined;
  readonly last: boolean;
}

function* pieces(chunks: Iterable<Buffer>): Generator<Piece> {
  let current: Buffer | undefined;
  let dictionary: Buffer | undefined;
  for (const next of halves(chunks)) {
    if (current) {
      if (current.length !== PIECE) throw new Error(`a piece of ${current.length} bytes inside a stream`);
      yield { bytes: current, dictionary, last: false };
      dictionary = current.subarray(current.length - DICTIONARY);
    }
    current = next;
  }
  yield { bytes: current ?? Buffer.alloc(0), dictionary, last: true };
}

function* halves(chunks: Iterable<Buffer>): Generator<Buffer> {
  for (const chunk of chunks) {
    yield chunk.subarray(0, PIECE);
    if (chunk.length > PIECE) yield chunk.subarray(PIECE);
  }
}

/** Shannon's entropy of a sample, bits in a byte. */
function bitsPerByte(bytes: Buffer): number {
  const counts = new Uint32Array(256);
  let samples = 0;
  for (let at = 0; at < bytes.length; at += SAMPLE_STEP) {
    const byte = bytes[at] ?? 0;
    counts[byte] = (counts[byte] ?? 0) + 1;
    samples++;
  }
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / samples) * Math.log2(count / samples);
  return bits;
}

function compress({ bytes, dictionary, last }: Piece): Promise<Buffer> {
  return deflateRaw(bytes, {
    level: bitsPerByte(bytes) > NOISE_BITS ? 0 : LEVEL,
    // Z_SYNC_FLUSH ends at a byte boundary without ending the stream.
    finishFlush: last ? zlib.constants.Z_FINISH : zlib.constants.Z_SYNC_FLUSH,
    chunkSize: 256 * 1024,
    ...(dictionary ? { dictionary } : {}),
  });
}

/** gzip's trailer: a CRC-32 and the length modulo 2^32. */
class Sums {
  private crc = 0;
  private length = 0;

  add(bytes: Buffer): void {
    this.crc = crc32(bytes, this.crc);
    this.length = (this.length + bytes.length) % 2 ** 32;
  }

  trailer(): Buffer {
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.crc, 0);
    trailer.writeUInt32LE(this.length, 4);
    return trailer;
  }
}

/** Node's own, where it has it (from 20.15 on); computed here else. */
function crc32(bytes: Buffer, start: number): number {
  if (typeof zlib.crc32 === "function") return zlib.crc32(bytes, start);
  let crc = ~start;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}

const TABLE = Int32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

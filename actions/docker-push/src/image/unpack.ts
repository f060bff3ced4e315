import { createReadStream, createWriteStream } from "node:fs";
import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import zlib from "node:zlib";
import { Failure, messageOf } from "../../../../lib/errors.ts";
import { type FileRange, invalidImage, RangeReader, wholeFile } from "./file-range.ts";

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** The range itself when it is not compressed (judged by its first bytes), else its content, written to `target`. */
export async function unpacked(range: FileRange, target: string, signal: AbortSignal): Promise<FileRange> {
  const stream = decompressorFor(startOf(range));
  if (!stream) return range;
  const end = range.start + range.size - 1;
  try {
    await pipeline(
      createReadStream(range.path, { start: range.start, end, highWaterMark: 1024 * 1024 }),
      stream,
      createWriteStream(target, { mode: 0o600 }),
      { signal },
    );
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw invalidImage(`a part of \`${range.path}\` cannot be unpacked: ${messageOf(error)}`, error);
  }
  return wholeFile(target);
}

function startOf(range: FileRange): Buffer {
  const reader = new RangeReader(range);
  try {
    return reader.read(0, Math.min(4, range.size));
  } finally {
    reader.close();
  }
}

function decompressorFor(start: Buffer): Transform | undefined {
  if (start.subarray(0, 2).equals(GZIP)) return zlib.createGunzip({ chunkSize: 256 * 1024 });
  if (!start.equals(ZSTD)) return undefined;
  if (typeof zlib.createZstdDecompress === "function") return zlib.createZstdDecompress();
  throw new Failure("the image has layers compressed with zstd, which this Node cannot read", {
    code: "UNSUPPORTED",
    fix: "run the action on Node 24, or export the image with gzip or plain layers",
  });
}

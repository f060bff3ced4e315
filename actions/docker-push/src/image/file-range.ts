import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { Failure } from "../../../../lib/errors.ts";

/** A piece of a file: the whole of it, or a member of an archive that is read in place. */
export interface FileRange {
  readonly path: string;
  /** Bytes from the start of the file. */
  readonly start: number;
  /** Bytes. */
  readonly size: number;
}

/** What is wrong with an archive that was given or exported; always a `Failure` with code IMAGE_INVALID. */
export function invalidImage(message: string, cause?: unknown): Failure {
  return new Failure(message, {
    code: "IMAGE_INVALID",
    fix: "give an archive made by `docker save`, or an OCI layout as a tar or folder",
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The whole of a file. */
export function wholeFile(path: string): FileRange {
  const fd = openSync(path, "r");
  try {
    return { path, start: 0, size: fstatSync(fd).size };
  } finally {
    closeSync(fd);
  }
}

/** How much is read at once when small pieces are asked for one after the other, bytes. */
const WINDOW = 65_536;

/**
 * Random reads within a range, synchronous: an archive has tens of thousands
 * of headers, and a turn of the event loop for each would cost more than they do.
 */
export class RangeReader {
  private readonly range: FileRange;
  private readonly fd: number;
  private window: Buffer = Buffer.alloc(0);
  private windowStart = 0;

  constructor(range: FileRange) {
    this.range = range;
    this.fd = openSync(range.path, "r");
  }

  /** A small piece, through the window; valid until the next call. Throws IMAGE_INVALID beyond the end. */
  peek(position: number, length: number): Buffer {
    if (length > WINDOW) return this.read(position, length);
    const from = position - this.windowStart;
    if (from < 0 || from + length > this.window.length) {
      const wanted = Math.min(WINDOW, this.range.size - position);
      this.window = wanted < length ? this.read(position, length) : this.read(position, wanted);
      this.windowStart = position;
    }
    const start = position - this.windowStart;
    return this.window.subarray(start, start + length);
  }

  /** A piece of its own. */
  read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    this.readInto(bytes, position);
    return bytes;
  }

  /** Fills the buffer from `position` of the range. */
  readInto(target: Buffer, position: number): void {
    if (position + target.length > this.range.size) throw this.cutShort();
    let done = 0;
    while (done < target.length) {
      const at = this.range.start + position + done;
      const got = readSync(this.fd, target, done, target.length - done, at);
      if (got === 0) throw this.cutShort();
      done += got;
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  private cutShort(): Failure {
    return invalidImage(`the image archive \`${this.range.path}\` ends in the middle of a file`);
  }
}

/** The bytes of a small range; throws IMAGE_INVALID when it is larger than `limit` bytes. */
export function readRange(range: FileRange, limit: number): Buffer {
  if (range.size > limit) throw invalidImage(`a document in \`${range.path}\` has ${range.size} bytes`);
  const reader = new RangeReader(range);
  try {
    return reader.read(0, range.size);
  } finally {
    reader.close();
  }
}

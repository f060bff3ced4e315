/** Answers with a longer head are refused: four times what servers commonly accept in a request. */
const HEAD_LIMIT = 64 * 1024;
/** As much of a body is kept as `contains` can search. */
const BODY_LIMIT = 1024 * 1024;
const CR = 13;
const LF = 10;

type Stage = "head" | "length" | "size" | "data" | "data-end" | "trailers" | "until-close" | "done";

/** What the parser made of the bytes so far. */
export type Progress = "more" | "done" | "malformed";

/**
 * Reads one HTTP/1.1 answer at a time from whatever pieces the socket gives.
 * It looks at the few headers that decide where the answer ends and skips the
 * rest, because its cost is part of every request's cost.
 */
export class ResponseParser {
  status = 0;
  /** Whether the connection can carry another request. */
  keepAlive = false;
  location = "";
  /** Bytes of the body on the wire. */
  bytes = 0;
  /** Whether any byte of the answer arrived. */
  started = false;
  private stage: Stage = "head";
  private pending = "";
  private remaining = 0;
  private bodiless = false;
  private body: string[] | undefined;
  private kept = 0;

  /** Makes it ready for the next answer. `bodiless`: the request was HEAD. */
  reset(bodiless: boolean, keepBody: boolean): void {
    this.status = 0;
    this.location = "";
    this.bytes = 0;
    this.started = false;
    this.stage = "head";
    this.pending = "";
    this.remaining = 0;
    this.bodiless = bodiless;
    this.body = keepBody ? [] : undefined;
    this.kept = 0;
  }

  /** The body as UTF-8, up to 1 MiB; "" when it was not kept. */
  text(): string {
    return this.body ? Buffer.from(this.body.join(""), "latin1").toString("utf8") : "";
  }

  /** Takes the next piece, of which it keeps no reference. */
  push(chunk: Buffer, length = chunk.length): Progress {
    if (length > 0) this.started = true;
    let at = 0;
    while (at < length) {
      if (this.stage === "done") {
        // Bytes that nobody asked for: the answer stands, the connection is not to be trusted.
        this.keepAlive = false;
        return "done";
      }
      const next = this.step(chunk, at, length);
      if (next < 0) return "malformed";
      at = next;
    }
    return this.stage === "done" ? "done" : "more";
  }

  /** The connection ended. Returns whether that completes the answer. */
  end(): boolean {
    return this.stage === "until-close" || this.stage === "done";
  }

  /** Consumes what belongs to the current stage; returns the new position, negative when malformed. */
  private step(chunk: Buffer, at: number, length: number): number {
    switch (this.stage) {
      case "head":
        return this.readHead(chunk, at, length);
      case "length":
      case "data":
        return this.readCounted(chunk, at, length);
      case "size":
      case "trailers":
        return this.readLine(chunk, at, length);
      case "data-end":
        return this.readDataEnd(chunk, at);
      default:
        this.keep(chunk, at, length);
        return length;
    }
  }

  private readHead(chunk: Buffer, at: number, length: number): number {
    if (this.pending === "") {
      // The common case: the head came in one piece.
      const end = chunk.indexOf("\r\n\r\n", at, "latin1");
      if (end >= 0 && end + 4 <= length) {
        return this.acceptHead(chunk.toString("latin1", at, end)) ? end + 4 : -1;
      }
    }
    const known = this.pending.length;
    this.pending += chunk.toString("latin1", at, length);
    const end = this.pending.indexOf("\r\n\r\n", Math.max(0, known - 3));
    if (end < 0) return this.pending.length > HEAD_LIMIT ? -1 : length;
    const head = this.pending.slice(0, end);
    this.pending = "";
    return this.acceptHead(head) ? at + end + 4 - known : -1;
  }

  private acceptHead(head: string): boolean {
    const version = head.charCodeAt(7);
    this.status = Number(head.slice(9, 12));
    if (!head.startsWith("HTTP/1.") || head.charCodeAt(8) !== 32 || !(this.status >= 100)) return false;
    const fields = readFields(head, version === 49);
    if (!fields) return false;
    // 100 Continue and 103 Early Hints come before the answer proper.
    if (this.status < 200 && this.status !== 101) return true;
    this.keepAlive = fields.keepAlive && this.status !== 101;
    this.location = fields.location;
    this.stage = this.bodyStage(fields);
    return true;
  }

  private bodyStage(fields: Fields): Stage {
    if (this.bodiless || this.status === 204 || this.status === 304 || this.status === 101) return "done";
    if (fields.chunked) return "size";
    if (fields.length < 0) {
      this.keepAlive = false;
      return "until-close";
    }
    this.remaining = fields.length;
    return fields.length === 0 ? "done" : "length";
  }

  private readCounted(chunk: Buffer, at: number, length: number): number {
    const taken = Math.min(this.remaining, length - at);
    this.keep(chunk, at, at + taken);
    this.remaining -= taken;
    if (this.remaining === 0) this.stage = this.stage === "length" ? "done" : "data-end";
    return at + taken;
  }

  /** A chunk's size line or a trailer line; both end with a line feed. */
  private readLine(chunk: Buffer, at: number, length: number): number {
    const end = chunk.indexOf(LF, at);
    if (end < 0 || end >= length) {
      this.pending += chunk.toString("latin1", at, length);
      return this.pending.length > HEAD_LIMIT ? -1 : length;
    }
    const line = (this.pending + chunk.toString("latin1", at, end)).replace(/\r$/, "");
    this.pending = "";
    if (this.stage === "trailers") {
      if (line === "") this.stage = "done";
      return end + 1;
    }
    const size = /^([0-9a-fA-F]{1,12})\s*(;.*)?$/.exec(line);
    if (!size) return -1;
    this.remaining = Number.parseInt(size[1] ?? "", 16);
    this.stage = this.remaining === 0 ? "trailers" : "data";
    return end + 1;
  }

  /** The CR LF behind a chunk's data. */
  private readDataEnd(chunk: Buffer, at: number): number {
    if (chunk[at] === CR) return at + 1;
    if (chunk[at] !== LF) return -1;
    this.stage = "size";
    return at + 1;
  }

  private keep(chunk: Buffer, from: number, to: number): void {
    this.bytes += to - from;
    if (!this.body || this.kept >= BODY_LIMIT) return;
    this.body.push(chunk.toString("latin1", from, to));
    this.kept += to - from;
  }
}

interface Fields {
  keepAlive: boolean;
  chunked: boolean;
  /** -1 when not given. */
  length: number;
  location: string;
}

/** The fields that matter, or undefined when two lengths contradict each other or one is no number. */
function readFields(head: string, persistent: boolean): Fields | undefined {
  const fields: Fields = { keepAlive: persistent, chunked: false, length: -1, location: "" };
  let at = head.indexOf("\r\n");
  while (at >= 0) {
    const start = at + 2;
    at = head.indexOf("\r\n", start);
    // Only names that start with c, l or t are looked at (Connection, Content-Length, Location, Transfer-Encoding).
    const first = head.charCodeAt(start) | 32;
    if (first !== 99 && first !== 108 && first !== 116) continue;
    const line = at < 0 ? head.slice(start) : head.slice(start, at);
    const colon = line.indexOf(":");
    if (colon > 0 && !readField(fields, line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())) {
      return undefined;
    }
  }
  return fields;
}

function readField(fields: Fields, name: string, value: string): boolean {
  if (name === "content-length") {
    const length = /^\d{1,15}$/.test(value) ? Number(value) : -1;
    if (length < 0 || (fields.length >= 0 && fields.length !== length)) return false;
    fields.length = length;
  } else if (name === "connection") {
    const option = value.toLowerCase();
    if (option.includes("close")) fields.keepAlive = false;
    else if (option.includes("keep-alive")) fields.keepAlive = true;
  } else if (name === "transfer-encoding") {
    fields.chunked = /(^|,)\s*chunked\s*$/i.test(value);
  } else if (name === "location") {
    fields.location = value;
  }
  return true;
}

import { connect, type Socket } from "node:net";
import { Scram } from "./scram.ts";

/** Where a server listens and who asks. */
export interface Login {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Rows of text values. */
export type Rows = readonly (readonly (string | null)[])[];

/**
 * Logs in over TCP on 127.0.0.1, runs one simple query (several statements
 * may be in it) and closes. Rejects with the server's own message.
 * https://www.postgresql.org/docs/current/protocol-flow.html
 */
export function queryOnce(login: Login, sql: string, timeoutMs: number): Promise<Rows> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: login.port });
    const talk = new Conversation(socket, login, sql);
    const timer = setTimeout(() => end(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    let isOver = false;
    const end = (error?: Error) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.destroy();
      if (error) reject(error);
      else resolve(talk.rows);
    };
    socket.on("connect", () => socket.write(startup(login)));
    socket.on("data", (chunk) => {
      try {
        if (talk.take(chunk)) end();
      } catch (error) {
        end(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on("error", end);
    socket.on("close", () => end(new Error("the server closed the connection")));
  });
}

/** One connection's state: login, then the query, then the end. */
class Conversation {
  readonly rows: (string | null)[][] = [];
  private readonly socket: Socket;
  private readonly scram: Scram;
  private readonly sql: string;
  private buffer: Buffer = Buffer.alloc(0);
  private isAsked = false;
  private problem: Error | undefined;

  constructor(socket: Socket, login: Login, sql: string) {
    this.socket = socket;
    this.sql = sql;
    this.scram = new Scram(login.password);
  }

  /** Takes bytes; true when the query is done. Throws what the server complained of. */
  take(chunk: Buffer): boolean {
    this.buffer = Buffer.concat([this.buffer, chunk]);
    while (this.buffer.length >= 5) {
      const length = this.buffer.readInt32BE(1);
      if (this.buffer.length < length + 1) return false;
      const type = String.fromCharCode(this.buffer[0] ?? 0);
      const body = this.buffer.subarray(5, length + 1);
      this.buffer = this.buffer.subarray(length + 1);
      if (this.onMessage(type, body)) return true;
    }
    return false;
  }

  private onMessage(type: string, body: Buffer): boolean {
    if (type === "R") this.authenticate(body);
    else if (type === "E") this.onError(serverError(body));
    else if (type === "D") this.rows.push(rowOf(body));
    else if (type === "G")
      this.socket.write(message("f", cString("COPY FROM STDIN is not supported in init files")));
    else if (type === "Z") {
      if (this.problem) throw this.problem;
      if (this.isAsked) return true;
      this.isAsked = true;
      this.socket.write(message("Q", cString(this.sql)));
    }
    return false;
  }

  /** Before the query an error ends the connection; after it the server still says that it is ready. */
  private onError(error: Error): void {
    if (!this.isAsked) throw error;
    this.problem ??= error;
  }

  private authenticate(body: Buffer): void {
    const step = body.readInt32BE(0);
    const text = body.toString("utf8", 4);
    if (step === 0) return;
    if (step === 10) {
      if (!text.split("\0").includes("SCRAM-SHA-256")) throw new Error("the server offers no SCRAM-SHA-256");
      const first = Buffer.from(this.scram.first());
      const size = Buffer.alloc(4);
      size.writeInt32BE(first.length);
      this.socket.write(message("p", Buffer.concat([cString("SCRAM-SHA-256"), size, first])));
    } else if (step === 11) this.socket.write(message("p", Buffer.from(this.scram.final(text))));
    else if (step === 12) this.scram.verify(text);
    else throw new Error(`the server asks for an authentication (${step}) other than SCRAM-SHA-256`);
  }
}

function startup(login: Login): Buffer {
  const pairs = ["user", login.user, "database", login.database, "client_encoding", "UTF8"];
  const body = Buffer.concat([...pairs.map(cString), Buffer.from([0])]);
  const head = Buffer.alloc(8);
  head.writeInt32BE(body.length + 8, 0);
  head.writeInt32BE(196_608, 4);
  return Buffer.concat([head, body]);
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

function rowOf(body: Buffer): (string | null)[] {
  const row: (string | null)[] = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const length = body.readInt32BE(at);
    at += 4;
    row.push(length < 0 ? null : body.toString("utf8", at, at + Math.max(0, length)));
    at += Math.max(0, length);
  }
  return row;
}

/** `ERROR 42601: syntax error ...`, from the fields of an ErrorResponse. */
function serverError(body: Buffer): Error {
  const fields = new Map<string, string>();
  for (const part of body.toString("utf8").split("\0")) {
    if (part !== "") fields.set(part.slice(0, 1), part.slice(1));
  }
  const place = fields.has("P") ? ` (at character ${fields.get("P")})` : "";
  return new Error(
    `${fields.get("S") ?? "ERROR"} ${fields.get("C") ?? ""}: ${fields.get("M") ?? ""}${place}`,
  );
}

import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Target } from "../endpoint.ts";
import type { Addresses } from "./addresses.ts";
import { Connection, type Receive } from "./connection.ts";
import type { FailureClass } from "./failure-class.ts";

/** How a request ended: an answer, or none. `ageMs` counts from the moment it was sent. */
export type Ending =
  | {
      readonly answered: true;
      readonly status: number;
      readonly location: string;
      readonly bytes: number;
      readonly body: string;
    }
  | { readonly answered: false; readonly failure: FailureClass; readonly detail: string };

/** A request on its way. Times are of `performance.now()`. */
export interface Exchange {
  readonly text: string;
  /** HEAD: the answer has no body, whatever its length field says. */
  readonly bodiless: boolean;
  readonly keepBody: boolean;
  sentAt: number;
  /** Set by the client when the exchange is over. */
  over: boolean;
  readonly done: (ending: Ending, exchange: Exchange) => void;
}

/**
 * All plain connections read into this one buffer: whoever receives takes what
 * it needs before it returns, and a buffer for each piece would cost more than parsing it.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * A connection that sat idle for longer is not used again: many servers close
 * theirs after 5 s, and a request that meets the close on its way would be a
 * failure that the target's visitors never see.
 */
const MOST_IDLE_MS = 4000;

/** What a client needs to know of its surroundings. */
export interface ClientOptions {
  readonly target: Target;
  readonly timeoutMs: number;
  readonly addresses: Addresses;
  /** Told of every new connection: milliseconds until it could carry a request (TLS included). */
  readonly connected?: (ms: number) => void;
}

/**
 * A small HTTP/1.1 client for many equal requests: one request at a time on each
 * connection, the most recently used connection first (servers close those that
 * sit idle), never a retry, and timeouts from one queue instead of a timer each.
 */
export class Client {
  inFlight = 0;
  /** Connections opened so far. */
  opened = 0;
  private readonly options: ClientOptions;
  private readonly idle: Connection[] = [];
  private readonly all = new Set<Connection>();
  /** Exchanges in the order of sending, for timeouts; those before `oldest` are over. */
  private queue: { exchange: Exchange; connection: Connection }[] = [];
  private oldest = 0;

  constructor(options: ClientOptions) {
    this.options = options;
  }

  /** Sends a request now. `now` is `performance.now()`, handed in because asking costs. */
  send(exchange: Exchange, now: number): void {
    exchange.sentAt = now;
    this.inFlight++;
    const connection = this.reuse(now) ?? this.open(now);
    this.queue.push({ exchange, connection });
    connection.send(exchange);
  }

  /** Ends every request that waited longer than the timeout. Call it every few milliseconds. */
  expire(now: number): void {
    for (;;) {
      const entry = this.queue[this.oldest];
      if (!entry) break;
      if (!entry.exchange.over) {
        if (now - entry.exchange.sentAt < this.options.timeoutMs) break;
        const detail = `no answer within ${this.options.timeoutMs} ms`;
        entry.connection.abandon({ answered: false, failure: "timeout", detail });
      }
      this.oldest++;
    }
    if (this.oldest > 4096) {
      this.queue = this.queue.slice(this.oldest);
      this.oldest = 0;
    }
  }

  /** Closes every connection without a word to the exchanges in flight; returns how many those were. */
  close(): number {
    const interrupted = this.inFlight;
    for (const connection of this.all) connection.drop();
    this.all.clear();
    this.idle.length = 0;
    this.inFlight = 0;
    return interrupted;
  }

  /** The most recently used connection; when that one is too old, so are all others. */
  private reuse(now: number): Connection | undefined {
    const connection = this.idle.pop();
    if (!connection || now - connection.usedAt <= MOST_IDLE_MS) return connection;
    for (const old of [connection, ...this.idle]) {
      old.drop();
      this.all.delete(old);
    }
    this.idle.length = 0;
    return undefined;
  }

  private open(now: number): Connection {
    this.opened++;
    const connection: Connection = new Connection((receive) => this.socket(receive), {
      settled: (exchange, ending, reusable) => {
        this.inFlight--;
        exchange.over = true;
        if (reusable) this.idle.push(connection);
        exchange.done(ending, exchange);
      },
      connected: () => this.options.connected?.(performance.now() - now),
      closed: () => {
        this.all.delete(connection);
        const at = this.idle.indexOf(connection);
        if (at >= 0) this.idle.splice(at, 1);
      },
    });
    this.all.add(connection);
    return connection;
  }

  private socket(receive: Receive): { socket: Socket; ready: string } {
    const { target, addresses } = this.options;
    const options = { host: target.host, port: target.port, lookup: addresses.lookup, noDelay: true };
    if (!target.secure) {
      const callback = (length: number) => {
        receive(READ_BUFFER, length);
        return true;
      };
      return {
        socket: connectPlain({ ...options, onread: { buffer: READ_BUFFER, callback } }),
        ready: "connect",
      };
    }
    const name = isIP(target.host) === 0 ? { servername: target.host } : {};
    const socket = connectTls({ ...options, ...name, ALPNProtocols: ["http/1.1"] });
    socket.on("data", (chunk: Buffer) => receive(chunk, chunk.length));
    return { socket, ready: "secureConnect" };
  }
}

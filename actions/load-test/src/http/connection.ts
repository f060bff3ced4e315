import type { Socket } from "node:net";
import { messageOf, systemCode } from "../../../../lib/errors.ts";
import type { Ending, Exchange } from "./client.ts";
import { classOfSocketError, type FailureClass } from "./failure-class.ts";
import { ResponseParser } from "./response-parser.ts";

/** Who owns a connection and hears what becomes of it. */
export interface ConnectionOwner {
  /** An exchange is over; `reusable`: the connection may carry the next one. */
  settled(exchange: Exchange, ending: Ending, reusable: boolean): void;
  connected(): void;
  closed(): void;
}

/** Takes the first `length` bytes of a piece and keeps no reference to it. */
export type Receive = (chunk: Buffer, length: number) => void;

/** One socket that carries one exchange at a time. */
export class Connection {
  private readonly socket: Socket;
  private readonly owner: ConnectionOwner;
  private readonly parser = new ResponseParser();
  private exchange: Exchange | undefined;
  private ready = false;
  private answers = 0;
  /** When its last exchange ended, `performance.now()`. */
  usedAt = 0;

  /** `open` makes the socket, and hands what it reads to its argument. */
  constructor(open: (receive: Receive) => { socket: Socket; ready: string }, owner: ConnectionOwner) {
    const opened = open((chunk, length) => this.receive(chunk, length));
    this.socket = opened.socket;
    this.owner = owner;
    this.socket.once(opened.ready, () => {
      this.ready = true;
      owner.connected();
    });
    this.socket.on("end", () => this.ended());
    this.socket.on("error", (error: Error) => this.broken(error));
    this.socket.on("close", () => {
      this.failEarly("closed", "the connection was closed");
      this.retire();
    });
  }

  /** Writes a request; before the connection stands, the socket keeps it. */
  send(exchange: Exchange): void {
    this.exchange = exchange;
    this.parser.reset(exchange.bodiless, exchange.keepBody);
    this.socket.write(exchange.text, "latin1");
  }

  /** Gives up on the exchange in flight: a late answer must never be taken for the next one's. */
  abandon(ending: Ending): void {
    this.settle(ending, false);
  }

  /** Closes without telling anyone. */
  drop(): void {
    this.exchange = undefined;
    this.socket.destroy();
  }

  private receive(chunk: Buffer, length: number): void {
    // A server that talks without being asked cannot be trusted with the next request.
    if (!this.exchange) {
      this.retire();
      return;
    }
    const progress = this.parser.push(chunk, length);
    if (progress === "done") this.complete();
    else if (progress === "malformed") this.fail("malformed", "the answer is not HTTP/1.1");
  }

  private complete(): void {
    this.answers++;
    this.usedAt = performance.now();
    const { status, location, bytes, keepAlive } = this.parser;
    this.settle({ answered: true, status, location, bytes, body: this.parser.text() }, keepAlive);
  }

  private ended(): void {
    if (!this.exchange) this.retire();
    else if (this.parser.end()) this.complete();
    else this.failEarly("closed", "the server closed the connection");
  }

  private broken(error: Error): void {
    // A name with several addresses fails with one error for each; the first one's code stands for all.
    const first = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined;
    const code = systemCode(error) || systemCode(first);
    const failure = classOfSocketError(code, this.ready);
    this.failEarly(failure, code === "" ? messageOf(first ?? error) : code);
    this.retire();
  }

  /** A kept-alive connection that breaks before the first byte was most likely closed while idle. */
  private failEarly(failure: FailureClass, detail: string): void {
    const wasIdle = this.answers > 0 && !this.parser.started && (failure === "reset" || failure === "closed");
    this.fail(wasIdle ? "idle-closed" : failure, detail);
  }

  private fail(failure: FailureClass, detail: string): void {
    this.settle({ answered: false, failure, detail }, false);
  }

  private settle(ending: Ending, reusable: boolean): void {
    const exchange = this.exchange;
    if (!exchange) return;
    this.exchange = undefined;
    if (!reusable) this.retire();
    this.owner.settled(exchange, ending, reusable);
  }

  /** Tells the owner at once: until the close event, a dead connection would still look idle. */
  private retire(): void {
    this.owner.closed();
    this.socket.destroy();
  }
}

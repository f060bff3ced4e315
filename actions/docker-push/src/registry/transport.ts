import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { messageOf, systemCode } from "../../../../lib/errors.ts";
import { type Env, proxyAuthorization, proxyFor, TunnelAgent } from "./proxy.ts";

/** A body of known length that can be sent more than once. */
export interface RequestBody {
  readonly size: number;
  open(): Readable;
}

/** One HTTP request, exactly as it goes out. */
export interface Exchange {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | RequestBody;
  /** The answer's body may be this long, bytes; more is an error. */
  readonly maxBytes: number;
  /** The other side may be silent ten times as long. */
  readonly slow?: boolean;
}

/** What came back, with any status. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** No answer, or only half of one: refused, reset, timed out, not trusted. */
export class NetworkError extends Error {
  /** `ECONNRESET`, `ETIMEDOUT`, ... */
  readonly code: string;

  constructor(message: string, code: string, cause?: unknown) {
    super(message, { cause });
    this.name = "NetworkError";
    this.code = code;
  }
}

/** Sends requests over kept connections, through a proxy where the environment names one. No policy in here. */
export class Transport {
  /** Requests sent so far. */
  requests = 0;
  private readonly env: Env;
  private readonly idleMs: number;
  private readonly http = new HttpAgent({ keepAlive: true });
  private readonly https = new HttpsAgent({ keepAlive: true });
  private readonly tunnels = new Map<string, TunnelAgent>();

  /** `idleMs`: a connection on which nothing moves that long counts as broken, milliseconds. */
  constructor(env: Env, idleMs: number) {
    this.env = env;
    this.idleMs = idleMs;
  }

  /** Resolves with any answer; rejects with a NetworkError, or with the signal's reason. */
  async send(exchange: Exchange, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    this.requests++;
    const outgoing = this.open(exchange);
    const onAbort = () => outgoing.destroy(new Error("aborted"));
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await receive(outgoing, exchange, exchange.slow ? this.idleMs * 10 : this.idleMs);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NetworkError) throw error;
      throw new NetworkError(messageOf(error), systemCode(error), error);
    } finally {
      signal.removeEventListener("abort", onAbort);
      // A connection with half a request on it serves no other.
      if (!outgoing.writableFinished) outgoing.destroy();
    }
  }

  /** Ends the kept connections. */
  close(): void {
    for (const agent of [this.http, this.https, ...this.tunnels.values()]) agent.destroy();
  }

  private open(exchange: Exchange): ClientRequest {
    const { url, method } = exchange;
    const body = exchange.body;
    const size = body === undefined ? undefined : Buffer.isBuffer(body) ? body.length : body.size;
    const needsLength = method === "POST" || method === "PUT" || method === "PATCH";
    const headers = {
      "user-agent": "goci",
      ...exchange.headers,
      ...(size !== undefined || needsLength ? { "content-length": String(size ?? 0) } : {}),
    };
    const proxy = proxyFor(url, this.env);
    if (url.protocol === "https:") {
      return httpsRequest(url, { method, headers, agent: proxy ? this.tunnel(proxy) : this.https });
    }
    if (!proxy) return httpRequest(url, { method, headers, agent: this.http });
    return httpRequest({
      host: proxy.hostname,
      port: proxy.port || 80,
      path: url.href,
      method,
      headers: { host: url.host, ...headers, ...proxyAuthorization(proxy) },
      agent: this.http,
    });
  }

  private tunnel(proxy: URL): TunnelAgent {
    const agent = this.tunnels.get(proxy.href) ?? new TunnelAgent(proxy);
    this.tunnels.set(proxy.href, agent);
    return agent;
  }
}

function receive(outgoing: ClientRequest, exchange: Exchange, idleMs: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    outgoing.setTimeout(idleMs, () =>
      outgoing.destroy(new NetworkError(`nothing moved for ${idleMs / 1000} s`, "ETIMEDOUT")),
    );
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => collect(incoming, exchange.maxBytes).then(resolve, reject));
    const body = exchange.body;
    if (body === undefined || Buffer.isBuffer(body)) outgoing.end(body);
    else sendStream(body.open(), outgoing);
  });
}

/** Not by `pipeline`: it would cut the connection when the sending ends early, and with it the answer. */
function sendStream(source: Readable, outgoing: ClientRequest): void {
  source.on("error", (error) => outgoing.destroy(error));
  outgoing.on("close", () => source.destroy());
  outgoing.on("response", () => {
    // An answer that comes before the whole body is sent ends the sending; the answer counts.
    source.unpipe(outgoing);
    source.destroy();
  });
  source.pipe(outgoing);
}

async function collect(incoming: IncomingMessage, maxBytes: number): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      incoming.destroy();
      throw new NetworkError(`the answer is longer than ${maxBytes} bytes`, "EMSGSIZE");
    }
    chunks.push(chunk);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    headers[name] = Array.isArray(value) ? value.join(", ") : (value ?? "");
  }
  return { status: incoming.statusCode ?? 0, headers, body: Buffer.concat(chunks) };
}

import type { ClientRequest, IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { messageOf, systemCode } from "./errors.ts";

/** One GET. */
export interface ProbeRequest {
  /** Absolute http or https URL. */
  readonly url: string;
  readonly headers?: ReadonlyMap<string, string>;
  /** Milliseconds from the first byte sent (connection included) to the last byte of the body. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** A connection made some other way (an SSH tunnel); TLS is put on top for https. */
  readonly connect?: () => Promise<Duplex>;
  /** The body is read up to here (default 64 KiB); the rest is dropped. */
  readonly maxBodyBytes?: number;
}

/** What came back; a refused or broken connection is an answer too. */
export type ProbeAnswer =
  | {
      readonly kind: "response";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      readonly ms: number;
    }
  | { readonly kind: "error"; readonly code: string; readonly message: string; readonly ms: number };

/**
 * Sends one GET and never throws: every way to fail is an answer. Redirects
 * are not followed (a 3xx is an answer that the caller judges), and a fresh
 * connection is used each time, so that one probe proves one connection.
 */
export async function probe(request: ProbeRequest): Promise<ProbeAnswer> {
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const timeout = AbortSignal.timeout(request.timeoutMs);
  const signal = request.signal ? AbortSignal.any([request.signal, timeout]) : timeout;
  try {
    const response = await send(request, signal);
    return { kind: "response", ...response, ms: elapsed() };
  } catch (error) {
    if (timeout.aborted && !request.signal?.aborted) {
      return {
        kind: "error",
        code: "ETIMEDOUT",
        message: `no answer within ${request.timeoutMs} ms`,
        ms: elapsed(),
      };
    }
    return { kind: "error", code: systemCode(error), message: messageOf(error), ms: elapsed() };
  }
}

interface Response {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function send(request: ProbeRequest, signal: AbortSignal): Promise<Response> {
  const url = new URL(request.url);
  const tunnel = request.connect ? await opened(request.connect, signal) : undefined;
  const secure = url.protocol === "https:";
  // Loaded here: together they cost 10 ms, and most runs of an action probe nothing.
  const { request: open } = secure ? await import("node:https") : await import("node:http");
  const tls = secure ? await import("node:tls") : undefined;
  const outgoing = open(url, {
    headers: { connection: "close", "user-agent": "goci", ...Object.fromEntries(request.headers ?? []) },
    // Node ignores `createConnection` where an agent is named, and would connect by itself.
    ...(tunnel === undefined ? { agent: false } : { createConnection: () => over(tunnel, url, tls) }),
  });
  try {
    return await abortable(receive(outgoing, request.maxBodyBytes ?? 65_536), signal);
  } finally {
    outgoing.destroy();
    tunnel?.destroy();
  }
}

/** The connection as it is, or TLS on top of it; an address is checked as such, since TLS names hosts only. */
function over(tunnel: Duplex, url: URL, tls: typeof import("node:tls") | undefined): Duplex {
  if (!tls) return tunnel;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return tls.connect({ socket: tunnel, host, servername: isIP(host) === 0 ? host : "" });
}

function receive(outgoing: ClientRequest, maxBodyBytes: number): Promise<Response> {
  return new Promise((resolve, reject) => {
    outgoing.on("error", reject);
    outgoing.on("response", (incoming: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const done = () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: flatten(incoming.headers),
          body: Buffer.concat(chunks).toString("utf8"),
        });
      incoming.on("data", (chunk: Buffer) => {
        chunks.push(chunk.subarray(0, Math.max(0, maxBodyBytes - size)));
        size += chunk.length;
        if (size >= maxBodyBytes) done();
      });
      incoming.on("end", done);
      // A body cut short is not the answer that was asked for.
      incoming.on("aborted", () => reject(new Error("the connection closed in the middle of the answer")));
      incoming.on("error", reject);
    });
    outgoing.end();
  });
}

function flatten(headers: IncomingMessage["headers"]): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    flat[name] = Array.isArray(value) ? value.join(", ") : (value ?? "");
  return flat;
}

/** The tunnel, or a rejection as soon as the signal is aborted; one that opens too late is closed again. */
async function opened(connect: () => Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  const opening = connect();
  try {
    return await abortable(opening, signal);
  } catch (error) {
    opening.then(
      (late) => late.destroy(),
      () => {},
    );
    throw error;
  }
}

/** The promise, or a rejection as soon as the signal is aborted. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as the proxy saw it, in the order of arrival. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Whether an Authorization header came along, and its scheme; empty without. */
  readonly authorization: string;
  /** Bytes of the request's body, as far as it has come. */
  bytes: number;
  /** What was answered; 0 while nothing was (or the connection was cut). */
  status: number;
  /** Whether a fault was put in the place of the registry's answer. */
  faulty: boolean;
}

/** What goes wrong with a request. */
export type Fault =
  /** This answer comes instead of the registry's, which is not asked. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The connection is cut before the registry is asked. */
  | { readonly kind: "reset" }
  /** The registry is asked and does what it is told; its answer is lost. */
  | { readonly kind: "lost-answer" }
  /** Nothing ever comes back. */
  | { readonly kind: "hang" }
  /** The registry's answer with another Docker-Content-Digest, or none. */
  | { readonly kind: "digest"; readonly digest: string }
  /** The client is sent to another origin. */
  | { readonly kind: "redirect"; readonly origin: string }
  /** The registry's answer with the body cut in half. */
  | { readonly kind: "truncate" };

/** Which requests a fault meets. */
export interface FaultRule {
  readonly fault: Fault;
  /** Every method when absent. */
  readonly method?: string;
  /** Matched against path and query; every target when absent. */
  readonly target?: RegExp;
  /** Goes on this many matching requests, then no more (default: for ever). */
  readonly times?: number;
  /** This many matching requests pass before (default 0). */
  readonly after?: number;
}

/** A proxy in front of a registry. */
export interface FaultProxy {
  readonly host: string;
  readonly origin: string;
  readonly seen: readonly SeenRequest[];
  /** Adds a rule; the first that matches counts. */
  add(rule: FaultRule): void;
  /** Called with each request before anything is done with it (to cut a run at that point); awaited. */
  onRequest(listener: Listener | undefined): void;
  /** Forgets rules, listener and requests. */
  clear(): void;
  stop(): Promise<void>;
}

type Listener = (request: SeenRequest) => void | Promise<void>;

interface ActiveRule extends FaultRule {
  matched: number;
}

/**
 * Starts a proxy that passes everything on to `upstream` (an origin) with the
 * Host that it was asked by, so that the registry's Locations lead back here.
 */
export async function startFaultProxy(upstream: string): Promise<FaultProxy> {
  const seen: SeenRequest[] = [];
  let rules: ActiveRule[] = [];
  let listener: Listener | undefined;
  const server = createServer(async (incoming, outgoing) => {
    const entry: SeenRequest = {
      method: incoming.method ?? "",
      target: incoming.url ?? "",
      authorization: (incoming.headers.authorization ?? "").split(" ")[0] ?? "",
      bytes: 0,
      status: 0,
      faulty: false,
    };
    seen.push(entry);
    await listener?.(entry);
    incoming.on("data", (chunk: Buffer) => {
      entry.bytes += chunk.length;
    });
    const fault = takeFault(rules, entry);
    entry.faulty = fault !== undefined;
    outgoing.on("finish", () => {
      entry.status = outgoing.statusCode;
    });
    serve(fault, upstream, incoming, outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    origin: `http://${host}`,
    seen,
    add: (rule) => void rules.push({ ...rule, matched: 0 }),
    onRequest: (next) => {
      listener = next;
    },
    clear: () => {
      rules = [];
      listener = undefined;
      seen.length = 0;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function takeFault(rules: readonly ActiveRule[], entry: SeenRequest): Fault | undefined {
  for (const rule of rules) {
    if (rule.method !== undefined && rule.method !== entry.method) continue;
    if (rule.target !== undefined && !rule.target.test(entry.target)) continue;
    rule.matched++;
    const nth = rule.matched - (rule.after ?? 0);
    if (nth >= 1 && nth <= (rule.times ?? Number.POSITIVE_INFINITY)) return rule.fault;
  }
  return undefined;
}

function serve(
  fault: Fault | undefined,
  upstream: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
) {
  switch (fault?.kind) {
    case "status":
      // The body is taken first, as servers do that mean to be understood.
      incoming.resume().on("end", () => {
        outgoing.writeHead(fault.status, fault.headers);
        outgoing.end(fault.body ?? "");
      });
      return;
    case "redirect":
      incoming.resume().on("end", () => {
        outgoing.writeHead(307, { location: `${fault.origin}${incoming.url ?? ""}` });
        outgoing.end();
      });
      return;
    case "reset":
      incoming.socket.destroy();
      return;
    case "hang":
      incoming.resume();
      return;
    default:
      passOn(fault, upstream, incoming, outgoing);
  }
}

function passOn(
  fault: Fault | undefined,
  upstream: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
) {
  const onward = request(
    new URL(incoming.url ?? "/", upstream),
    // Repeated headers (an engine sends one Accept per type) are joined: only so do all of them arrive.
    { method: incoming.method, headers: { ...joined(incoming.headersDistinct) } },
    (answer) => {
      if (fault?.kind === "lost-answer") {
        answer.resume().on("end", () => incoming.socket.destroy());
        return;
      }
      const headers = { ...answer.headers };
      if (fault?.kind === "digest") {
        delete headers["docker-content-digest"];
        if (fault.digest !== "") headers["docker-content-digest"] = fault.digest;
      }
      outgoing.writeHead(answer.statusCode ?? 502, headers);
      if (fault?.kind === "truncate") {
        answer.once("data", (chunk: Buffer) => {
          outgoing.write(chunk.subarray(0, chunk.length >> 1), () => incoming.socket.destroy());
        });
        answer.once("end", () => incoming.socket.destroy());
      } else answer.pipe(outgoing);
    },
  );
  onward.on("error", () => incoming.socket.destroy());
  incoming.on("aborted", () => onward.destroy());
  incoming.pipe(onward);
}

function joined(headers: NodeJS.Dict<string[]>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [name, (values ?? []).join(", ")]),
  );
}

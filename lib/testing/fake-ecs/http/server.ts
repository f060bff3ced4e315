import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Asked, ConnectionReset, FakeAwsError, type Json } from "../types.ts";
import type { FakeAws } from "../world.ts";
import type { Control } from "./control.ts";
import { read } from "./protocol.ts";
import { writeQuery, writeQueryError } from "./query.ts";

/** A world that listens. */
export interface Listening {
  /** `http://127.0.0.1:port`, for AWS_ENDPOINT_URL. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Serves a world over HTTP on a free loopback port. */
export async function serve(world: FakeAws, port = 0, control?: Control): Promise<Listening> {
  const server = createServer((request, response) => {
    void answer(world, request, response, control);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${bound}`,
    close: async () => {
      world.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  world: FakeAws,
  request: IncomingMessage,
  response: ServerResponse,
  control: Control | undefined,
): Promise<void> {
  const raw = await bodyOf(request).catch(() => undefined);
  if (raw === undefined) return;
  const order = request.url?.startsWith("/_fake/") ? request.url.slice("/_fake/".length) : undefined;
  if (order !== undefined && control) {
    obey(control, order, raw, response);
    return;
  }
  const asked = readSafely(request, raw);
  if (!asked) {
    world.violations.push(`${request.method} ${request.url} speaks no protocol of AWS that is played here`);
    send(response, 400, "application/json", JSON.stringify({ __type: "FakeAwsViolation" }));
    return;
  }
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  try {
    const result = await world.call(asked.service, asked.operation, asked.input, {
      raw,
      signal: gone.signal,
    });
    sendResult(response, asked, result);
  } catch (error) {
    if (error instanceof FakeAwsError) sendError(response, asked, error);
    else if (error instanceof ConnectionReset) request.socket.resetAndDestroy();
    else if (gone.signal.aborted) request.socket.destroy();
    else {
      world.violations.push(`${asked.operation}: the stand-in itself broke: ${String(error)}`);
      send(response, 400, "text/plain", String(error));
    }
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function obey(control: Control, order: string, raw: string, response: ServerResponse): void {
  try {
    send(response, 200, "application/json", JSON.stringify(control(order, raw)));
  } catch (error) {
    send(response, 400, "text/plain", String(error));
  }
}

function readSafely(request: IncomingMessage, raw: string): Asked | undefined {
  try {
    return read(request, raw);
  } catch {
    return undefined;
  }
}

function sendResult(response: ServerResponse, asked: Asked, result: Json): void {
  if (asked.protocol === "query") {
    send(response, 200, "text/xml", writeQuery(asked.service, asked.operation, result));
  } else {
    send(response, 200, contentType(asked), JSON.stringify(result));
  }
}

function sendError(response: ServerResponse, asked: Asked, error: FakeAwsError): void {
  const { code, message, status } = error;
  if (asked.protocol === "query") {
    send(response, status, "text/xml", writeQueryError(code, message, status));
  } else {
    response.setHeader("x-amzn-errortype", code);
    send(response, status, contentType(asked), JSON.stringify({ __type: code, message }));
  }
}

function contentType({ protocol }: Asked): string {
  return protocol === "json" ? "application/x-amz-json-1.1" : "application/json";
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "x-amzn-requestid": "00000000-0000-4000-8000-000000000000",
  });
  response.end(body);
}

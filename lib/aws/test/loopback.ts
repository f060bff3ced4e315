import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What one request held. */
export interface Heard {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** What to answer; a function gets the connection itself. */
export type Reply =
  | { readonly status: number; readonly body: string; readonly headers?: Record<string, string> }
  | ((response: ServerResponse) => void);

/** A server on loopback that remembers what it heard and says what it is told. */
export interface Loopback {
  readonly url: string;
  readonly heard: Heard[];
  /** The answers to come, in this order; the last one stays. */
  replies: Reply[];
  close(): Promise<void>;
}

/** Opens one on a free port. */
export async function openLoopback(): Promise<Loopback> {
  const heard: Heard[] = [];
  const loopback: { replies: Reply[] } = { replies: [{ status: 200, body: "{}" }] };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { method = "", url: path = "", headers } = request;
      heard.push({ method, path, headers, body: Buffer.concat(parts).toString() });
      const reply = loopback.replies.length > 1 ? loopback.replies.shift() : loopback.replies[0];
      if (typeof reply === "function") return reply(response);
      response.writeHead(reply?.status ?? 500, {
        "content-type": "application/x-amz-json-1.1",
        ...reply?.headers,
      });
      response.end(reply?.body ?? "");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(loopback, {
    url: `http://127.0.0.1:${port}`,
    heard,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

/**
 * The signature that a request must carry, computed here from the request as it was heard:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export function signatureOf({ method, path, headers, body }: Heard, secret: string): string {
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const mac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const authorization = String(headers.authorization);
  const scope = /Credential=[^/]+\/([^,]+)/.exec(authorization)?.[1] ?? "";
  const names = (/SignedHeaders=([^,]+)/.exec(authorization)?.[1] ?? "").split(";");
  const [plain = "/", query = ""] = path.split("?");
  const sorted = query.split("&").sort().join("&");
  const lines = names.map((name) => `${name}:${String(headers[name]).trim()}\n`).join("");
  const canonical = [method, plain, sorted, lines, names.join(";"), hash(body)].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hash(canonical)].join("\n");
  const key = scope.split("/").reduce<string | Buffer>(mac, `AWS4${secret}`);
  return createHmac("sha256", key).update(toSign).digest("hex");
}

/** The signature that it does carry. */
export function signatureIn({ headers }: Heard): string {
  return /Signature=([0-9a-f]+)/.exec(String(headers.authorization))?.[1] ?? "none";
}

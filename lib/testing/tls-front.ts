import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer as createProxy, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";

/** A host name of the wide world that is served on this machine: TLS in front of a plain server, reached by a proxy. */
export interface TlsFront {
  /** For HTTPS_PROXY. */
  readonly proxy: string;
  /** Path of the certificate, for NODE_EXTRA_CA_CERTS. */
  readonly certificate: string;
  /** Requests as they came out of TLS: `GET /v2/`. */
  readonly seen: readonly string[];
  /** Answers a request itself (true), or leaves it to the server behind. */
  intercept(handler: ((incoming: IncomingMessage, outgoing: ServerResponse) => boolean) | undefined): void;
  stop(): Promise<void>;
}

/** Serves `https://<host>` from `upstream` (an origin); key and certificate are made in `folder` by openssl. */
export async function startTlsFront(host: string, upstream: string, folder: string): Promise<TlsFront> {
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const name = ["-subj", "/CN=goci-test", "-addext", `subjectAltName=DNS:${host}`];
  const files = ["-keyout", key, "-out", certificate];
  execFileSync("openssl", ["req", ...kind, ...name, ...files], { stdio: "ignore" });
  const seen: string[] = [];
  let handler: ((incoming: IncomingMessage, outgoing: ServerResponse) => boolean) | undefined;
  const server = createServer(
    { key: readFileSync(key), cert: readFileSync(certificate) },
    (incoming, outgoing) => {
      seen.push(`${incoming.method} ${incoming.url}`);
      if (handler?.(incoming, outgoing)) return;
      // The Host stays: the server behind makes `http://<host>/...` of it, as behind any load balancer.
      const options = { method: incoming.method, headers: incoming.headers };
      const onward = request(new URL(incoming.url ?? "/", upstream), options, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on("error", () => outgoing.destroy());
      incoming.pipe(onward);
    },
  );
  await listening(server);
  const tunnels = createProxy();
  const open = new Set<Duplex>();
  tunnels.on("connect", (_incoming, socket: Duplex) => {
    const onward = connect((server.address() as AddressInfo).port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.pipe(socket).pipe(onward);
    });
    open.add(socket).add(onward);
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
  });
  await listening(tunnels);
  return {
    proxy: `http://127.0.0.1:${(tunnels.address() as AddressInfo).port}`,
    certificate,
    seen,
    intercept: (next) => {
      handler = next;
    },
    stop: async () => {
      for (const socket of open) socket.destroy();
      for (const one of [server, tunnels]) {
        const closed = new Promise((resolve) => one.close(resolve));
        one.closeAllConnections();
        await closed;
      }
    },
  };
}

function listening(server: ReturnType<typeof createProxy> | ReturnType<typeof createServer>): Promise<void> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve());
  });
}

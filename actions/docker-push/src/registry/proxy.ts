import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import { isLoopback } from "./names.ts";

/** The environment, as far as proxies are concerned. */
export type Env = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for this address from HTTPS_PROXY, HTTP_PROXY and NO_PROXY (lower
 * case too, which wins, as in curl and Go); undefined when there is none.
 * Loopback is never asked for through a proxy.
 */
export function proxyFor(url: URL, env: Env): URL | undefined {
  if (isLoopback(url.host)) return undefined;
  const name = url.protocol === "https:" ? "https_proxy" : "http_proxy";
  const text = env[name] || env[name.toUpperCase()];
  if (!text || isExempt(url, env["no_proxy"] || env["NO_PROXY"] || "")) return undefined;
  try {
    return new URL(text.includes("://") ? text : `http://${text}`);
  } catch {
    return undefined;
  }
}

/** NO_PROXY: `*`, hosts, domains with or without a leading dot, and either with a port. */
function isExempt(url: URL, list: string): boolean {
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const host = url.hostname.toLowerCase();
  for (const item of list.toLowerCase().split(/[\s,]+/)) {
    if (item === "") continue;
    if (item === "*") return true;
    const [name = "", onPort] = item.split(/:(?=\d+$)/);
    if (onPort !== undefined && onPort !== port) continue;
    const domain = name.replace(/^\*?\./, "");
    if (host === domain || host.endsWith(`.${domain}`)) return true;
  }
  return false;
}

/** What a proxy wants to know about its user. */
export function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === "") return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
}

type Created = (error: Error | null, socket: Duplex) => void;

/** An agent whose TLS connections go through a proxy's CONNECT. */
export class TunnelAgent extends HttpsAgent {
  private readonly proxy: URL;

  constructor(proxy: URL) {
    super({ keepAlive: true });
    this.proxy = proxy;
  }

  override createConnection(options: object, created?: Created): Duplex | null | undefined {
    const { host = "", port = 443 } = options as { host?: string; port?: number };
    const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    const fail = (error: Error) => created?.(error, undefined as unknown as Duplex);
    const outgoing = httpRequest({
      method: "CONNECT",
      host: this.proxy.hostname,
      port: this.proxy.port || 80,
      path: target,
      headers: { host: target, ...proxyAuthorization(this.proxy) },
      agent: new HttpAgent({ keepAlive: false }),
    });
    outgoing.once("connect", (answer, socket) => {
      if (answer.statusCode !== 200) {
        socket.destroy();
        return fail(new Error(`the proxy ${this.proxy.host} answered CONNECT with ${answer.statusCode}`));
      }
      const tls = tlsConnect({ socket, servername: host, ALPNProtocols: ["http/1.1"] });
      tls.once("error", fail);
      tls.once("secureConnect", () => {
        tls.off("error", fail);
        created?.(null, tls);
      });
    });
    outgoing.once("error", fail);
    outgoing.end();
    return undefined;
  }
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A registry behind a token server, as Docker Hub and GHCR have it. */
export interface TokenRegistry {
  /** What clients talk to: asks for Bearer tokens and passes good requests on to the registry behind it. */
  readonly host: string;
  readonly origin: string;
  /** Requests for a token: the scopes, the login and what was answered. */
  readonly asked: readonly {
    readonly scopes: readonly string[];
    readonly user: string;
    readonly status: number;
  }[];
  /** From now on no token given so far is accepted. */
  expireAll(): void;
  stop(): Promise<void>;
}

export interface TokenOptions {
  readonly username: string;
  readonly password: string;
  /** Whether this account may push to the repository (default: yes). */
  readonly mayPush?: (path: string) => boolean;
  /** `expires_in` of the answers, seconds; absent: not told. */
  readonly expiresIn?: number;
  /** The answer has `access_token` in the place of `token`. */
  readonly accessToken?: boolean;
}

const REALM_PATH = "/token";

/**
 * Stands in for a token server: the flow of
 * https://distribution.github.io/distribution/spec/auth/token/ with a real
 * registry (one without a login, at `upstream`) behind it.
 */
export async function startTokenRegistry(upstream: string, options: TokenOptions): Promise<TokenRegistry> {
  const asked: { scopes: string[]; user: string; status: number }[] = [];
  let tokens = new Map<string, readonly string[]>();
  let made = 0;
  const give = (url: URL, incoming: IncomingMessage, outgoing: ServerResponse) => {
    const login = Buffer.from(
      (incoming.headers.authorization ?? "").replace(/^Basic /, ""),
      "base64",
    ).toString();
    const user = login.slice(0, login.indexOf(":"));
    const scopes = url.searchParams.getAll("scope");
    const good = login === `${options.username}:${options.password}`;
    asked.push({ scopes, user, status: good ? 200 : 401 });
    if (!good) {
      outgoing.writeHead(401, { "content-type": "application/json" });
      outgoing.end('{"details":"incorrect username or password"}');
      return;
    }
    const value = `token-${++made}-${"x".repeat(40)}`;
    tokens.set(
      value,
      scopes.map((scope) => granted(scope, options)),
    );
    outgoing.writeHead(200, { "content-type": "application/json" });
    const life = options.expiresIn === undefined ? {} : { expires_in: options.expiresIn };
    outgoing.end(JSON.stringify({ [options.accessToken ? "access_token" : "token"]: value, ...life }));
  };
  const server = createServer(async (incoming, outgoing) => {
    const url = new URL(incoming.url ?? "/", "http://localhost");
    if (url.pathname === REALM_PATH) {
      give(url, incoming, outgoing);
      return;
    }
    const scope = scopeOf(url.pathname, incoming.method ?? "GET");
    const token = (incoming.headers.authorization ?? "").replace(/^Bearer /, "");
    const rights = tokens.get(token);
    const body = await bodyOf(incoming);
    if (!rights?.some((right) => covers(right, scope))) {
      const error = rights ? ',error="insufficient_scope"' : token ? ',error="invalid_token"' : "";
      outgoing.writeHead(401, {
        "content-type": "application/json",
        "www-authenticate": `Bearer realm="http://${incoming.headers.host}${REALM_PATH}",service="test-registry",scope="${scope}"${error}`,
      });
      outgoing.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
      return;
    }
    const passed = { ...incoming.headers } as Record<string, string>;
    for (const name of ["authorization", "host", "connection", "content-length"]) delete passed[name];
    const answer = await fetch(`${upstream}${incoming.url}`, {
      method: incoming.method ?? "GET",
      headers: passed,
      redirect: "manual",
      ...(body.length > 0 ? { body } : {}),
    });
    const back = Object.fromEntries(answer.headers);
    if (back["location"]) back["location"] = new URL(back["location"], upstream).href.replace(upstream, "");
    delete back["transfer-encoding"];
    outgoing.writeHead(answer.status, back);
    outgoing.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    origin: `http://${host}`,
    asked,
    expireAll: () => {
      tokens = new Map();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function granted(scope: string, options: TokenOptions): string {
  const [, path = "", actions = ""] = scope.split(":");
  const may = options.mayPush?.(path) ?? true;
  return `repository:${path}:${may ? actions : "pull"}`;
}

function scopeOf(pathname: string, method: string): string {
  const path = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(pathname)?.[1] ?? "";
  return `repository:${path}:${method === "GET" || method === "HEAD" ? "pull" : "pull,push"}`;
}

function covers(right: string, wanted: string): boolean {
  const [, path, actions = ""] = right.split(":");
  const [, wantedPath, wantedActions = ""] = wanted.split(":");
  return (
    path === wantedPath && wantedActions.split(",").every((action) => actions.split(",").includes(action))
  );
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

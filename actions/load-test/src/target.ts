import type { Target } from "./endpoint.ts";

/** A base URL, taken apart. */
export interface BaseUrl {
  readonly target: Target;
  /** Path and query of the URL itself; "" when it has none. */
  readonly path: string;
  /** As shown to people and in results: without a user name and password. */
  readonly text: string;
  /** Value of the Authorization header that a user name and password in the URL ask for; "" without. A secret. */
  readonly authorization: string;
}

/** Reads the `url` input. */
export function parseUrl(text: string): BaseUrl | { readonly problem: string } {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return {
      problem: `\`url\` is \`${withoutUser(text)}\`: allowed is an absolute URL such as \`https://shop.example\``,
    };
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return { problem: `\`url\` is \`${withoutUser(text)}\`: allowed is http or https` };
  }
  const authorization = authorizationOf(url);
  if (authorization === undefined) {
    return { problem: "`url` holds a user name or password with a bare `%`: write %25" };
  }
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const path = `${url.pathname}${url.search}`;
  return {
    target: { origin: url.origin, secure, host, port: Number(url.port) || (secure ? 443 : 80) },
    path: path === "/" ? "" : path,
    text: `${url.origin}${path === "/" ? "" : path}`,
    authorization,
  };
}

/** The text of a URL, readable or not, without what stands in front of `@`. */
function withoutUser(text: string): string {
  return text.replace(/^[^?#]*@/, "***@");
}

/** Undefined when the user name or the password cannot be decoded. */
function authorizationOf(url: URL): string | undefined {
  if (url.username === "" && url.password === "") return "";
  try {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return `Basic ${Buffer.from(pair).toString("base64")}`;
  } catch {
    return undefined;
  }
}

/** Query fields that carry credentials. */
const CREDENTIAL =
  /token|secret|passw|auth|credential|signature|jwt|api[-_]?key|access[-_]?key|^(key|sig|pwd)$/i;

/**
 * Values in the query of a path that look like credentials, as written and
 * decoded. Short words and numbers are not taken: masking them would blot out
 * other texts, and they keep no secret.
 */
export function secretsOfQuery(path: string): string[] {
  const query = path.includes("?") ? path.slice(path.indexOf("?") + 1) : "";
  return query.split("&").flatMap((field) => {
    const [name = "", ...rest] = field.split("=");
    const written = rest.join("=");
    if (!CREDENTIAL.test(name) || written.length < 6 || /^\d{1,8}$/.test(written)) return [];
    return [written, ...new URLSearchParams(`x=${written}`).getAll("x")];
  });
}

/** Reads one item of `allow-hosts`: `host` or `host:port`. */
export function parseAllowedHost(item: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+|[0-9a-f:]+:[0-9a-f:.]*)(?::(\d{1,5}))?$/i.exec(item.trim());
  if (!match) return undefined;
  return { host: (match[1] ?? "").replace(/^\[|\]$/g, "").toLowerCase(), port: Number(match[2] ?? 0) };
}

/** Whether the list names the target; an item without a port allows every port. */
export function isAllowed(
  target: Target,
  items: readonly { readonly host: string; readonly port: number }[],
): boolean {
  return items.some(
    ({ host, port }) => host === target.host.toLowerCase() && (port === 0 || port === target.port),
  );
}

import type { Target } from "./endpoint.ts";

/** A base URL, taken apart. */
export interface BaseUrl {
  readonly target: Target;
  /** Path and query of the URL itself; "" when it has none. */
  readonly path: string;
  /** As shown to people and in results. */
  readonly text: string;
}

/** Reads the `url` input. */
export function parseUrl(text: string): BaseUrl | { readonly problem: string } {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { problem: `\`url\` is \`${text}\`: allowed is an absolute URL such as \`https://shop.example\`` };
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return { problem: `\`url\` is \`${text}\`: allowed is http or https` };
  }
  if (url.username !== "" || url.password !== "") {
    return { problem: "`url` holds a user name or password: send them by `headers` (Authorization)" };
  }
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const path = `${url.pathname}${url.search}`;
  return {
    target: { origin: url.origin, secure, host, port: Number(url.port) || (secure ? 443 : 80) },
    path: path === "/" ? "" : path,
    text: `${url.origin}${path === "/" ? "" : path}`,
  };
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

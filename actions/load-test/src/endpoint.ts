/** Inclusive bounds of answer codes that count as good. */
export type StatusRange = readonly [number, number];

/** The host that gets the load. */
export interface Target {
  /** `https://shop.example:8443`, without a path. */
  readonly origin: string;
  readonly secure: boolean;
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** One kind of request, ready to be sent. Passes between threads as it is. */
export interface Endpoint {
  /** What thresholds and tables call it; `METHOD path` unless given. */
  readonly name: string;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** Its share of the load, relative to the others. */
  readonly weight: number;
  readonly headers: readonly (readonly [string, string])[];
  /** Bytes of the body as latin1 text, or "" for none. */
  readonly body: string;
  readonly expect: {
    readonly statuses: readonly StatusRange[];
    readonly contains: string;
  };
}

/** The answers that count as good unless a request says otherwise. */
export const GOOD_STATUSES: readonly StatusRange[] = [[200, 399]];

/** Whether an answer code is among the expected ones. */
export function isExpected(status: number, ranges: readonly StatusRange[]): boolean {
  return ranges.some(([low, high]) => status >= low && status <= high);
}

/** The bytes of a request as latin1 text, which a socket writes without a copy in between. */
export function requestText(target: Target, endpoint: Endpoint, path = endpoint.path): string {
  const fields = new Map<string, string>([
    ["host", `Host: ${hostField(target)}`],
    ["user-agent", "User-Agent: goci-load-test"],
    ["accept", "Accept: */*"],
  ]);
  if (endpoint.body !== "" || ["POST", "PUT", "PATCH"].includes(endpoint.method)) {
    fields.set("content-length", `Content-Length: ${endpoint.body.length}`);
  }
  for (const [name, value] of endpoint.headers) fields.set(name.toLowerCase(), `${name}: ${latin1(value)}`);
  return `${endpoint.method} ${latin1(path)} HTTP/1.1\r\n${[...fields.values()].join("\r\n")}\r\n\r\n${endpoint.body}`;
}

/** The UTF-8 bytes of a text, one character each. */
export function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The Host header: the port only when it is not the scheme's own. */
function hostField(target: Target): string {
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  return target.port === (target.secure ? 443 : 80) ? host : `${host}:${target.port}`;
}

/**
 * The path that a redirect leads to, or undefined when it leaves the target:
 * another host, port or scheme is never followed, whoever asks for it.
 */
export function redirectPath(location: string, from: string, target: Target): string | undefined {
  if (location === "") return undefined;
  try {
    const url = new URL(location, new URL(from, target.origin));
    return url.origin === target.origin ? `${url.pathname}${url.search}` : undefined;
  } catch {
    return undefined;
  }
}

/** How the connection to the database is protected; the names are those of libpq's `sslmode`. */
export type TlsMode = "disable" | "require" | "verify-full";

/** Everything needed to reach one PostgreSQL database. */
export type DatabaseConfig = Readonly<{
  /** Host name, address, or the folder of a unix socket when it starts with `/`. */
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  tls: TlsMode;
  /** PEM file with the authorities to trust; the system's own when absent. */
  rootCertPath?: string;
}>;

/** A value, or every reason why there is none. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; problems: string[] };

const TLS_MODES = ["disable", "require", "verify-full"] as const;
const QUERY_KEYS = ["sslmode", "sslrootcert", "host"];

/** Reads a TLS mode, or says which are allowed; `name` is the setting to blame. */
export function parseTlsMode(name: string, value: string): Parsed<TlsMode> {
  const mode = TLS_MODES.find((known) => known === value);
  if (mode) return { ok: true, value: mode };
  return { ok: false, problems: [`${name} is "${value}": allowed are ${TLS_MODES.join(", ")}`] };
}

/** Reads a decimal port between `min` and 65535; `name` is the setting to blame. */
export function parsePort(name: string, value: string, min: number): Parsed<number> {
  const port = /^[0-9]{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (port >= min && port <= 65535) return { ok: true, value: port };
  return { ok: false, problems: [`${name} is "${value}": it must be a whole number from ${min} to 65535`] };
}

/**
 * Reads `postgres://user:password@host:port/database?sslmode=...`.
 * No problem ever quotes the URL, because it holds the password.
 */
export function parseDatabaseUrl(text: string): Parsed<DatabaseConfig> {
  const fail = (...problems: string[]): Parsed<DatabaseConfig> => ({ ok: false, problems });
  const example = "write it as postgres://user:password@host:5432/database";
  if (!URL.canParse(text)) {
    return fail(`\`DATABASE_URL\` is not a URL: ${example}; percent-encode / : @ ? # % in the password`);
  }
  const url = new URL(text);
  if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") {
    return fail(`\`DATABASE_URL\` starts with "${url.protocol}": ${example}`);
  }
  const parts = decodeParts(url);
  if (!parts) return fail("`DATABASE_URL` has a `%` that is no percent-encoding: write it as %25");

  const problems: string[] = [];
  if (!parts.host) problems.push(`\`DATABASE_URL\` names no host: ${example}`);
  if (!parts.user) problems.push(`\`DATABASE_URL\` names no user: ${example}`);
  if (!parts.database) problems.push(`\`DATABASE_URL\` names no database: ${example}`);
  for (const key of url.searchParams.keys()) {
    if (!QUERY_KEYS.includes(key)) {
      problems.push(`\`DATABASE_URL\` has the parameter "${key}": allowed are ${QUERY_KEYS.join(", ")}`);
    }
  }
  const port = parsePort("the port of `DATABASE_URL`", url.port || "5432", 1);
  const tls = parseTlsMode("`sslmode` of `DATABASE_URL`", url.searchParams.get("sslmode") ?? "disable");
  if (!port.ok) problems.push(...port.problems);
  if (!tls.ok) problems.push(...tls.problems);
  if (problems.length > 0 || !port.ok || !tls.ok) return fail(...problems);

  const rootCertPath = url.searchParams.get("sslrootcert");
  const value = { ...parts, port: port.value, tls: tls.value, ...(rootCertPath ? { rootCertPath } : {}) };
  return { ok: true, value };
}

function decodeParts(url: URL): Pick<DatabaseConfig, "host" | "user" | "password" | "database"> | undefined {
  try {
    return {
      // URL keeps the brackets of an IPv6 address, the resolver wants none.
      host: url.searchParams.get("host") ?? decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, "$1"),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)),
    };
  } catch {
    return undefined;
  }
}

import {
  type DatabaseConfig,
  type Parsed,
  parseDatabaseUrl,
  parsePort,
  parseTlsMode,
} from "./database-url.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the service needs to know before it starts. */
export type Config = Readonly<{
  /** TCP port to listen on; 0 takes a free one. */
  port: number;
  /** Address to listen on; every interface when absent. */
  bindAddress?: string;
  database: DatabaseConfig;
  /** Most connections to the database at once. */
  poolSize: number;
  /** Apply missing migrations at start, under the lock. */
  migrateOnStart: boolean;
  logLevel: LogLevel;
  /** Seconds between the stop signal and cutting what is still in flight. */
  stopTimeoutSeconds: number;
}>;

/**
 * Reads the configuration. `DATABASE_URL` wins over `HOST`, `USER`, `PASSWORD`, `DBNAME` and `DBPORT`.
 * All problems are reported at once; none quotes a password.
 */
export function readConfig(env: Environment): Parsed<Config> {
  const problems: string[] = [];
  const take = <T>(parsed: Parsed<T>, otherwise: T): T => {
    if (parsed.ok) return parsed.value;
    problems.push(...parsed.problems);
    return otherwise;
  };
  const none: DatabaseConfig = { host: "", port: 0, user: "", password: "", database: "", tls: "disable" };
  const database = take(env["DATABASE_URL"] ? parseDatabaseUrl(env["DATABASE_URL"]) : readParts(env), none);
  const bindAddress = env["BIND_ADDRESS"];
  const config: Config = {
    port: take(parsePort("`PORT`", env["PORT"] || "8000", 0), 0),
    ...(bindAddress ? { bindAddress } : {}),
    database,
    poolSize: take(readInteger(env, "DBPOOL", 10, 1, 100), 0),
    migrateOnStart: take(readBoolean(env, "MIGRATE_ON_START", true), true),
    logLevel: take(readLogLevel(env), "info"),
    stopTimeoutSeconds: take(readInteger(env, "STOP_TIMEOUT", 9, 1, 600), 0),
  };
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: config };
}

function readParts(env: Environment): Parsed<DatabaseConfig> {
  const problems: string[] = [];
  const need = (name: string, what: string): string => {
    const value = env[name];
    if (!value) problems.push(`\`${name}\` is not set: set it to ${what}, or set \`DATABASE_URL\``);
    return value ?? "";
  };
  const host = need("HOST", "the host of the database");
  if (host.includes("://")) problems.push("`HOST` is a URL: set it to a host name, or use `DATABASE_URL`");
  const user = need("USER", "the user of the database");
  const password = env["PASSWORD"];
  if (password === undefined) {
    problems.push("`PASSWORD` is not set: set it, to nothing when the server asks for none");
  }
  const database = need("DBNAME", "the name of the database");
  const port = parsePort("`DBPORT`", env["DBPORT"] || "5432", 1);
  const tls = parseTlsMode("`DBSSLMODE`", env["DBSSLMODE"] || "disable");
  if (!port.ok) problems.push(...port.problems);
  if (!tls.ok) problems.push(...tls.problems);
  if (problems.length > 0 || !port.ok || !tls.ok) return { ok: false, problems };
  const rootCertPath = env["DBSSLROOTCERT"];
  const parts = { host, port: port.value, user, password: password ?? "", database, tls: tls.value };
  return { ok: true, value: rootCertPath ? { ...parts, rootCertPath } : parts };
}

function readInteger(
  env: Environment,
  name: string,
  standard: number,
  min: number,
  max: number,
): Parsed<number> {
  const text = env[name];
  if (!text) return { ok: true, value: standard };
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return { ok: true, value };
  return {
    ok: false,
    problems: [`\`${name}\` is "${text}": it must be a whole number from ${min} to ${max}`],
  };
}

function readBoolean(env: Environment, name: string, standard: boolean): Parsed<boolean> {
  const text = env[name]?.toLowerCase();
  if (!text) return { ok: true, value: standard };
  if (text === "true" || text === "false") return { ok: true, value: text === "true" };
  return { ok: false, problems: [`\`${name}\` is "${text}": allowed are true, false`] };
}

function readLogLevel(env: Environment): Parsed<LogLevel> {
  const text = env["LOG_LEVEL"] || "info";
  const level = LOG_LEVELS.find((known) => known === text);
  if (level) return { ok: true, value: level };
  return { ok: false, problems: [`\`LOG_LEVEL\` is "${text}": allowed are ${LOG_LEVELS.join(", ")}`] };
}

import { readFileSync } from "node:fs";
import pg from "pg";
import type { DatabaseConfig } from "./database-url.ts";

const CONNECT_TIMEOUT_MS = 3_000;
const STATEMENT_TIMEOUT_MS = 10_000;

/** Settings of the driver for one connection, without time limits on statements. */
export function clientSettings(config: DatabaseConfig): pg.ClientConfig {
  return {
    host: config.host,
    port: config.port,
    user: config.user,
    password: config.password,
    database: config.database,
    ssl: tlsSettings(config),
    application_name: "sample-app",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  };
}

function tlsSettings(config: DatabaseConfig): NonNullable<pg.ClientConfig["ssl"]> {
  if (config.tls === "disable") return false;
  const ca = config.rootCertPath ? { ca: readFileSync(config.rootCertPath, "utf8") } : {};
  return { rejectUnauthorized: config.tls === "verify-full", ...ca };
}

/** Makes the pool; it connects on first use, so a database that is down does not stop the service. */
export function createPool(
  config: DatabaseConfig,
  size: number,
  onIdleError: (error: Error) => void,
): pg.Pool {
  const pool = new pg.Pool({
    ...clientSettings(config),
    max: size,
    idleTimeoutMillis: 30_000,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    // The server cannot end a statement whose answer is lost on the way, so the client gives up too.
    query_timeout: STATEMENT_TIMEOUT_MS + 2_000,
  });
  // Without a listener, a server that restarts would end this process through an idle connection.
  pool.on("error", onIdleError);
  return pool;
}

/** What went wrong with the database, as far as a caller can act on it. */
export type DatabaseFailure =
  | { kind: "unavailable"; reason: string }
  | { kind: "duplicate"; constraint: string }
  | { kind: "other"; reason: string };

// https://www.postgresql.org/docs/current/errcodes-appendix.html: connection, authentication, unknown
// database, resources, shutdown, statement timeout, and tables that a migration has yet to make.
const UNAVAILABLE_STATES = /^(08|28|3D|53|57P|57014|42P01|42703)/;
const UNAVAILABLE_CODES =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_|ENOENT|EACCES|ERR_TLS|CERT_|SELF_)/;
const UNAVAILABLE_TEXTS = /^(Connection terminated|timeout e|Query read timeout|Client has encountered)/;

/** Sorts an error of the driver; the reason is one line and holds no password. */
export function classifyFailure(error: unknown): DatabaseFailure {
  const code = textField(error, "code") ?? "";
  if (code === "23505") return { kind: "duplicate", constraint: textField(error, "constraint") ?? "" };
  const message = firstLine(error);
  const reason = code && !message.includes(code) ? `${message} (${code})` : message;
  const unavailable =
    UNAVAILABLE_STATES.test(code) || UNAVAILABLE_CODES.test(code) || UNAVAILABLE_TEXTS.test(message);
  return { kind: unavailable ? "unavailable" : "other", reason };
}

function firstLine(error: unknown): string {
  // Node tries every address of a name and then throws an AggregateError whose own message is empty.
  if (error instanceof AggregateError) return error.errors.map(firstLine).join("; ");
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n", 1)[0] || "unknown error";
}

function textField(error: unknown, name: string): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const value: unknown = Reflect.get(error, name);
  return typeof value === "string" ? value : undefined;
}

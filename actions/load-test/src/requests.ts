import { messageOf } from "../../../lib/errors.ts";
import { parseYaml } from "../../../lib/yaml.ts";
import { type Endpoint, GOOD_STATUSES, latin1, type StatusRange } from "./endpoint.ts";

/** Each endpoint costs memory in every thread. */
const MAX_REQUESTS = 100;
const KEYS = ["method", "path", "weight", "headers", "body", "expect", "name"];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

/** What the reader of the `requests` input needs besides its text. */
export interface RequestRules {
  /** Path in front of each request's own, from `url`; "" or `/base`. */
  readonly basePath: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly problem: (text: string) => void;
  /** Told of header values that look like credentials. */
  readonly secret: (value: string) => void;
}

/** Reads the YAML list of requests; every problem is told, and what can be read is returned. */
export function parseRequests(text: string, rules: RequestRules): Endpoint[] {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    rules.problem(`\`requests\` is not YAML: ${messageOf(error).split("\n")[0]}`);
    return [];
  }
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_REQUESTS) {
    rules.problem(`\`requests\` must be a YAML list of 1 to ${MAX_REQUESTS} requests`);
    return [];
  }
  const endpoints = value.map((item: unknown, index) =>
    readRequest(item, `\`requests\` item ${index + 1}`, rules),
  );
  const names = new Set<string>();
  for (const { name } of endpoints) {
    if (names.has(name)) rules.problem(`\`requests\`: two items are named \`${name}\`; give each a \`name\``);
    names.add(name);
  }
  return endpoints;
}

function readRequest(item: unknown, where: string, rules: RequestRules): Endpoint {
  const fields = isMap(item) ? item : {};
  const { problem } = rules;
  if (!isMap(item)) problem(`${where} is not a map of ${KEYS.join(", ")}`);
  for (const key of Object.keys(fields)) {
    if (!KEYS.includes(key)) problem(`${where}: \`${key}\` is unknown; allowed is ${KEYS.join(", ")}`);
  }
  const method = String(fields["method"] ?? "GET").toUpperCase();
  if (!METHODS.includes(method)) problem(`${where}: method \`${method}\`: allowed is ${METHODS.join(", ")}`);
  const path = fields["path"] === undefined ? "/" : String(fields["path"]);
  const pathProblem = problemOfPath(path);
  if (pathProblem) problem(`${where}: path \`${path}\` ${pathProblem}`);
  const weight = fields["weight"] === undefined ? 1 : Number(fields["weight"]);
  if (!(weight > 0 && weight <= 1e6))
    problem(`${where}: weight must be a number above 0 and at most 1000000`);
  const body = readBody(fields["body"]);
  return {
    name: fields["name"] === undefined ? `${method} ${path}` : String(fields["name"]).trim(),
    method,
    path: joinPath(rules.basePath, path),
    weight,
    headers: readHeaders(fields["headers"], where, rules, body.json),
    body: body.text,
    expect: readExpect(fields["expect"], where, problem),
  };
}

/** Why a text cannot stand in a request line; "" when it can. */
export function problemOfPath(path: string): string {
  if (!path.startsWith("/") || path.startsWith("//"))
    return "must start with one `/` (the host comes from `url`)";
  return /[\s#]/.test(path) ? "must hold neither white space nor `#` (write %20 and %23)" : "";
}

/** The base's path in front; a bare `/` behind a base adds nothing. */
export function joinPath(base: string, path: string): string {
  if (base === "") return path;
  return path === "/" ? base : `${base.replace(/\/$/, "")}${path}`;
}

function readBody(value: unknown): { text: string; json: boolean } {
  if (value === undefined || value === null) return { text: "", json: false };
  if (typeof value === "object") return { text: latin1(JSON.stringify(value)), json: true };
  return { text: latin1(String(value)), json: false };
}

function readHeaders(value: unknown, where: string, rules: RequestRules, json: boolean): [string, string][] {
  const headers = new Map<string, [string, string]>();
  const put = (name: string, text: string) => headers.set(name.toLowerCase(), [name, text]);
  if (json) put("Content-Type", "application/json");
  for (const [name, text] of rules.headers) put(name, text);
  if (value !== undefined && !isMap(value)) rules.problem(`${where}: headers is not a map`);
  for (const [name, content] of Object.entries(isMap(value) ? value : {})) {
    const text = String(content);
    const bad = problemOfHeader(name, text);
    if (bad) rules.problem(`${where}: header \`${name}\` ${bad}`);
    if (/auth|cookie|token|key|secret|password/i.test(name)) rules.secret(text);
    put(name, text);
  }
  return [...headers.values()];
}

/** Why a header cannot be sent; "" when it can. Its value is never told: it may be a secret. */
export function problemOfHeader(name: string, value: string): string {
  if (!TOKEN.test(name)) return "is not a header name";
  if (/^(content-length|transfer-encoding|connection|upgrade|expect|te)$/i.test(name))
    return "is set by the client";
  return /[\r\n\0]/.test(value) ? "holds a line break" : "";
}

function readExpect(value: unknown, where: string, problem: (text: string) => void): Endpoint["expect"] {
  if (value === undefined) return { statuses: GOOD_STATUSES, contains: "" };
  if (!isMap(value)) {
    problem(`${where}: expect is not a map of status and contains`);
    return { statuses: GOOD_STATUSES, contains: "" };
  }
  for (const key of Object.keys(value)) {
    if (key !== "status" && key !== "contains")
      problem(`${where}: expect.\`${key}\` is unknown; allowed is status, contains`);
  }
  const contains = value["contains"] === undefined ? "" : String(value["contains"]);
  if (value["status"] === undefined) return { statuses: GOOD_STATUSES, contains };
  const list = Array.isArray(value["status"]) ? value["status"] : String(value["status"]).split(",");
  const statuses: StatusRange[] = [];
  for (const part of list.map(String)) {
    const match = /^\s*([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?\s*$/.exec(part);
    const [low, high] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (match && low <= high) statuses.push([low, high]);
    else problem(`${where}: expect.status \`${part}\`: allowed are codes and ranges such as \`200,301-399\``);
  }
  return { statuses, contains };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

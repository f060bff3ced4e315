import type { GitHubContext } from "../../../lib/github-context.ts";
import type { InputReader } from "../../../lib/inputs.ts";
import { type Endpoint, GOOD_STATUSES } from "./endpoint.ts";
import { readLater } from "./inputs-later.ts";
import { type Profile, parseProfile, peakRate, segmentsOf } from "./profile.ts";
import { joinPath, parseRequests, problemOfHeader, problemOfPath } from "./requests.ts";
import { Schedule } from "./schedule.ts";
import { type BaseUrl, isAllowed, parseAllowedHost, parseUrl, secretsOfQuery } from "./target.ts";
import { parseThresholds, type Threshold } from "./thresholds.ts";

/** Users when nobody says otherwise; with `rate` it means that users play no part. */
const DEFAULT_USERS = 10;

/** How the load is given. */
export type Model =
  | { readonly kind: "open"; readonly rate: number; readonly profile: Profile }
  | { readonly kind: "closed"; readonly users: number; readonly spawnRate: number };

/** Everything that the user asked for; times in milliseconds. */
export interface LoadInputs {
  readonly dryRun: boolean;
  readonly base: BaseUrl;
  readonly endpoints: readonly Endpoint[];
  readonly model: Model;
  /** Names of inputs that were given and play no part in this load. */
  readonly idle: readonly string[];
  /** As written, for results: `constant`, `ramp:10-100`, ... */
  readonly profileText: string;
  readonly durationMs: number;
  readonly warmUpMs: number;
  readonly thresholds: readonly Threshold[];
  readonly abortOnFail: boolean;
  readonly abortAfterMs: number;
  readonly requestTimeoutMs: number;
  /** 0: as many as the load needs. */
  readonly workers: number;
  readonly maxInFlight: number;
  readonly maxRate: number;
  readonly maxRequests: number;
  readonly readyTimeoutMs: number;
  readonly baseline: string;
  /** Share of the baseline's value, for example 0.1. */
  readonly maxRegression: number;
  readonly workingDirectory: string;
}

/** Reads every input; problems are the reader's to throw. */
export function parseInputs(read: InputReader, _github: GitHubContext): LoadInputs {
  const base = readUrl(read);
  const endpoints = readEndpoints(read, base);
  for (const { path } of endpoints) for (const secret of secretsOfQuery(path)) read.hide(secret);
  const { model, idle } = readModel(read);
  const thresholds = parseThresholds(
    read.text("thresholds", "errors<1%"),
    endpoints.map((endpoint) => endpoint.name),
  );
  for (const problem of thresholds.problems) read.problem(`\`thresholds\`: ${problem}`);
  const inputs: LoadInputs = {
    dryRun: read.bool("dry-run", false),
    base,
    endpoints,
    model,
    idle,
    profileText: read.text("profile", "constant"),
    durationMs: read.duration("duration", "60s", "s", { min: 1000 }),
    warmUpMs: read.duration("warm-up", "10s", "s"),
    thresholds: thresholds.thresholds,
    abortOnFail: read.bool("abort-on-fail", false),
    abortAfterMs: read.duration("abort-after", "10s", "s"),
    requestTimeoutMs: read.duration("request-timeout", "10s", "s", { min: 1, max: 3_600_000 }),
    workers: readWorkers(read),
    maxInFlight: read.integer("max-in-flight", 10_000, { min: 1, max: 1_000_000 }),
    maxRate: read.number("max-rate", 20_000, { min: 1 }),
    maxRequests: read.integer("max-requests", 10_000_000, { min: 1 }),
    readyTimeoutMs: read.duration("ready-timeout", "5m", "m"),
    baseline: read.text("baseline"),
    maxRegression: readPercent(read, "max-regression", "10%"),
    workingDirectory: read.text("working-directory", "."),
  };
  if (inputs.baseline !== "" && model.kind === "open" && model.profile.kind === "find-max") {
    read.problem("`baseline` compares runs at one rate: it cannot go with `profile` find-max");
  }
  checkLimits(read, inputs, read.duration("max-duration", "15m", "m", { min: 1000 }));
  readLater(read);
  return Object.freeze(inputs);
}

const NOWHERE: BaseUrl = {
  target: { origin: "http://127.0.0.1", secure: false, host: "127.0.0.1", port: 80 },
  path: "",
  text: "",
  authorization: "",
};

function readUrl(read: InputReader): BaseUrl {
  const text = read.text("url", "", { required: true });
  const parsed = text === "" ? NOWHERE : parseUrl(text);
  const base = "problem" in parsed ? NOWHERE : parsed;
  if ("problem" in parsed) read.problem(parsed.problem);
  for (const secret of secretsOf(text, base)) read.hide(secret);
  const allowed = read.list("allow-hosts", { commas: true }).flatMap((item) => {
    const host = parseAllowedHost(item);
    if (!host) read.problem(`\`allow-hosts\` holds \`${item}\`: allowed is \`host\` or \`host:port\``);
    return host ?? [];
  });
  if (allowed.length > 0 && base !== NOWHERE && !isAllowed(base.target, allowed)) {
    const { host, port } = base.target;
    read.problem(`\`allow-hosts\` does not hold the host of \`url\`: add \`${host}\` or \`${host}:${port}\``);
  }
  return base;
}

/** What must not be shown of a URL, also of one that cannot be read. */
function secretsOf(text: string, base: BaseUrl): string[] {
  const [, password = ""] = /^[^?#]*?\/\/[^/?#:@]*:(.*)@/.exec(text) ?? [];
  const pair = base.authorization.slice("Basic ".length);
  const decoded = Buffer.from(pair, "base64").toString("utf8");
  return [
    password,
    pair,
    decoded.slice(decoded.indexOf(":") + 1),
    ...secretsOfQuery(text.split("#")[0] ?? ""),
  ];
}

function readEndpoints(read: InputReader, base: BaseUrl): readonly Endpoint[] {
  const headers = new Map(read.map("headers", { secret: true }));
  if (base.authorization !== "" && ![...headers.keys()].some((name) => /^authorization$/i.test(name))) {
    headers.set("Authorization", base.authorization);
  }
  for (const [name, value] of headers) {
    const bad = problemOfHeader(name, value);
    if (bad) read.problem(`\`headers\`: \`${name}\` ${bad}`);
  }
  const path = read.text("path", "/");
  const bad = problemOfPath(path);
  if (bad) read.problem(`\`path\` is \`${path}\`: it ${bad}`);
  const text = read.text("requests");
  if (base.path.includes("?") && (path !== "/" || text !== "")) {
    read.problem("`url` holds a query: give it in `path` or in `requests` instead");
  }
  if (text !== "") {
    if (path !== "/")
      read.problem("`path` and `requests` contradict each other: give the path in each request");
    const rules = {
      basePath: base.path,
      headers,
      problem: (problem: string) => read.problem(problem),
      secret: (value: string) => read.hide(value),
    };
    return parseRequests(text, rules);
  }
  const full = joinPath(base.path, path);
  const expect = { statuses: GOOD_STATUSES, contains: "" };
  return [
    { name: `GET ${full}`, method: "GET", path: full, weight: 1, headers: [...headers], body: "", expect },
  ];
}

function readModel(read: InputReader): { readonly model: Model; readonly idle: readonly string[] } {
  const rate = read.optionalNumber("rate", { min: 0.01 });
  const users = read.integer("users", DEFAULT_USERS, { min: rate === undefined ? 1 : 0, max: 100_000 });
  const spawnText = read.text("spawn-rate", "users");
  const spawnRate = spawnText === "users" ? users : Number(spawnText);
  if (spawnText !== "users" && !(spawnRate > 0 && Number.isFinite(spawnRate))) {
    read.problem(`\`spawn-rate\` is \`${spawnText}\`: allowed is \`users\` or a number above 0`);
  }
  const parsed = parseProfile(read.text("profile", "constant"));
  const profile: Profile = "problem" in parsed ? { kind: "constant" } : parsed;
  if ("problem" in parsed) read.problem(`\`profile\` is ${parsed.problem}`);
  if (rate === undefined && profile.kind === "constant") {
    return { model: { kind: "closed", users, spawnRate }, idle: [] };
  }
  // `rate` decides for the open model, whatever `users` says; a profile alone might be meant for users.
  if (rate === undefined && users !== DEFAULT_USERS) {
    read.problem(
      "`users` (closed model) and `profile` (requests a second) contradict each other: leave one out",
    );
  }
  if (profile.kind === "spike" && rate === undefined) {
    read.problem("`profile` spike needs `rate`, the load before and after the peak");
  }
  const idle = [
    ...(users === DEFAULT_USERS || users === 0 ? [] : ["users"]),
    ...(spawnText === "users" ? [] : ["spawn-rate"]),
  ];
  return { model: { kind: "open", rate: rate ?? startRate(profile), profile }, idle };
}

/** The rate that a profile starts with when `rate` says nothing. */
function startRate(profile: Profile): number {
  if (profile.kind === "ramp") return profile.from;
  if (profile.kind === "steps") return profile.rates[0] ?? 1;
  return 100;
}

function readWorkers(read: InputReader): number {
  const text = read.text("workers", "auto");
  if (text === "auto") return 0;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 64) return count;
  read.problem(`\`workers\` is \`${text}\`: allowed is \`auto\` or a whole number from 1 to 64`);
  return 0;
}

function readPercent(read: InputReader, name: string, fallback: string): number {
  const text = read.text(name, fallback);
  const match = /^(\d+(?:\.\d+)?)\s*%$/.exec(text);
  if (!match) read.problem(`\`${name}\` is \`${text}\`: allowed is a percentage such as \`${fallback}\``);
  return Number(match?.[1] ?? 0) / 100;
}

/** The hard limits: a typing error must not become an attack or a bill. */
function checkLimits(read: InputReader, inputs: LoadInputs, maxDurationMs: number): void {
  const { model, durationMs, warmUpMs, maxRate, maxRequests } = inputs;
  if (durationMs > maxDurationMs) {
    read.problem(`\`duration\` is ${durationMs / 1000} s: \`max-duration\` allows ${maxDurationMs / 1000} s`);
  }
  if (warmUpMs > maxDurationMs) {
    read.problem(`\`warm-up\` is ${warmUpMs / 1000} s: \`max-duration\` allows ${maxDurationMs / 1000} s`);
  }
  if (model.kind === "closed") {
    if (model.users > inputs.maxInFlight) {
      read.problem(`\`users\` is ${model.users}: \`max-in-flight\` allows ${inputs.maxInFlight}`);
    }
    return;
  }
  const peak = peakRate(model.profile, model.rate);
  if (peak > maxRate)
    read.problem(`the load reaches ${peak} requests a second: \`max-rate\` allows ${maxRate}`);
  const { total } = new Schedule(segmentsOf(model.profile, model.rate, warmUpMs, durationMs));
  if (model.profile.kind !== "find-max" && total > maxRequests) {
    read.problem(`the load is ${total} requests in all: \`max-requests\` allows ${maxRequests}`);
  }
}

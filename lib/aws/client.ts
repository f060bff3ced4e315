import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { Failure, messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { AwsCall, AwsCallOptions, AwsService, JsonObject } from "./call.ts";
import { AwsError, awsCode, requestName } from "./errors.ts";
import { keepRaw, type MiddlewareStack, sendRaw } from "./raw-json.ts";
import { type Region, resolveRegion } from "./region.ts";

/** How long one request may take, connection included; milliseconds. */
const REQUEST_MS = 15_000;
const CONNECT_MS = 5000;

/** An SDK client, as far as it is used here. */
export interface SdkClient {
  readonly config: {
    region(): Promise<string>;
    credentials(): Promise<{ readonly secretAccessKey: string; readonly sessionToken?: string }>;
  };
  send(command: unknown, options: { abortSignal: AbortSignal }): Promise<unknown>;
}

/** One service's part of the SDK. */
export interface SdkService {
  readonly Client: new (config: Readonly<Record<string, unknown>>) => SdkClient;
  /** Its commands by class name (`DescribeServicesCommand`). */
  readonly commands: Readonly<Record<string, unknown>>;
  /**
   * `json`: the body is the input, sent and handed out raw; so it is for REST, but for the members
   * of path and query, which the SDK has to place. `query`: the SDK's own view of XML.
   */
  readonly protocol: "json" | "query" | RestMembers;
}

/** Where a REST protocol puts members that are not in the body, or not in that of every operation. */
export interface RestMembers {
  readonly inPath: readonly string[];
  readonly inQuery: readonly string[];
}

/** Loads a service's part of the SDK; an action's bundle holds those that it names and no other. */
export type SdkLoaders = Partial<Readonly<Record<AwsService, () => Promise<SdkService>>>>;

/** What the calls of one run need. */
export interface AwsOptions {
  readonly loaders: SdkLoaders;
  /** The `aws-region` input, or empty. */
  readonly region: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Keeps the credentials out of everything that leaves the step. */
  readonly mask: { add(value: string): void };
  /** Milliseconds for one request (default 15 s). */
  readonly timeoutMs?: number;
}

/** AWS as this run reaches it. */
export interface Aws {
  readonly call: AwsCall;
  /** Where calls go; throws, like every call, when nobody names a region. */
  region(): Promise<Region>;
}

/**
 * Calls to AWS with credentials, region and endpoints from the standard chain
 * (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html).
 * Nothing is loaded, read or asked before the first call; that one says in the log
 * where it goes. Nothing is retried: what may be asked again is the caller's to know.
 */
export function connectAws(options: AwsOptions): Aws {
  // The SDK warns of Node versions that it will leave behind; which Node runs is the runner's matter.
  // It reads the environment itself, which `env` is in a run.
  Object.assign(options.env, { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" });
  const services = new Map<AwsService, Promise<SdkService>>();
  const clients = new Map<string, SdkClient>();
  let home: Promise<Region> | undefined;

  const load = (service: AwsService): Promise<SdkService> => {
    const loader = options.loaders[service];
    if (loader === undefined) throw new TypeError(`no SDK client for ${service} in this action`);
    const loaded = services.get(service) ?? loader();
    services.set(service, loaded);
    return loaded;
  };
  const clientOf = async (service: AwsService, region: string | undefined): Promise<SdkClient> => {
    const { Client } = await load(service);
    const key = `${service} ${region ?? ""}`;
    const client = clients.get(key) ?? new Client(configOf(options, region));
    clients.set(key, client);
    return client;
  };
  const locate = async (service: AwsService): Promise<Region> => {
    const profile = async () => (await clientOf(service, undefined)).config.region().catch(() => undefined);
    const region = await resolveRegion(options.region, options.env, profile);
    options.log.info(`region ${region.name} from ${region.source}`);
    return region;
  };
  // A passing fault must not end the run: the next call asks again.
  const located = (service: AwsService): Promise<Region> =>
    (home ??= locate(service).catch((error: unknown) => {
      home = undefined;
      throw error;
    }));
  return {
    call: async (service, operation, input, callOptions = {}) => {
      callOptions.signal?.throwIfAborted();
      const sdk = await load(service);
      const client = await clientOf(service, callOptions.region ?? (await located(service)).name);
      await identify(client, options);
      const timeoutMs = options.timeoutMs ?? REQUEST_MS;
      return request({ client, sdk, service, operation }, input, callOptions, timeoutMs);
    },
    region: () => located(firstOf(options.loaders)),
  };
}

function firstOf(loaders: SdkLoaders): AwsService {
  const [first] = Object.keys(loaders) as AwsService[];
  if (first === undefined) throw new TypeError("no SDK client in this action");
  return first;
}

function configOf({ env, log }: AwsOptions, region: string | undefined): Record<string, unknown> {
  const none = () => {};
  // A connection of its own for each request: one that was kept may be closed by the other end
  // just as a write goes out, and then nobody knows whether it was read.
  const agent = { keepAlive: false, ...proxyOf(env) };
  return {
    ...(region === undefined ? {} : { region }),
    maxAttempts: 1,
    customUserAgent: "goci",
    logger: {
      trace: none,
      debug: none,
      info: none,
      warn: (text: unknown) => log.debug(String(text)),
      error: none,
    },
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    },
  };
}

/** HTTPS_PROXY and NO_PROXY, where this Node knows them (24.5); the machine itself is never behind one. */
function proxyOf(env: AwsOptions["env"]): object {
  const { HTTP_PROXY, HTTPS_PROXY, http_proxy = HTTP_PROXY, https_proxy = HTTPS_PROXY } = env;
  if (!http_proxy && !https_proxy) return {};
  const without = [
    env["no_proxy"] ?? env["NO_PROXY"],
    "localhost,127.0.0.1,::1,169.254.169.254,169.254.170.2",
  ];
  return { proxyEnv: { http_proxy, https_proxy, no_proxy: without.filter(Boolean).join(",") } };
}

/** Whoever signs must be known before anything is sent; new keys (a role's are renewed) are masked before use. */
async function identify(client: SdkClient, { env, mask }: AwsOptions): Promise<void> {
  try {
    const { secretAccessKey, sessionToken } = await client.config.credentials();
    for (const secret of [secretAccessKey, sessionToken]) if (secret) mask.add(secret);
  } catch (error) {
    const request = env["AWS_WEB_IDENTITY_TOKEN_FILE"]
      ? "sts:AssumeRoleWithWebIdentity"
      : "the credential chain";
    const found = new AwsError(request, error);
    // Nobody was asked: a file that is not there, a profile that is not complete.
    if (found.status === 0 && found.fault === "permanent") throw new AwsError(request, unfound(error));
    throw found;
  }
}

function unfound(error: unknown): Error {
  return Object.assign(new Error(messageOf(error)), { name: "CredentialsProviderError" });
}

const NO_REST: RestMembers = { inPath: [], inQuery: [] };

interface Route {
  readonly client: SdkClient;
  readonly sdk: SdkService;
  readonly service: AwsService;
  readonly operation: string;
}

async function request(
  route: Route,
  input: JsonObject,
  { signal }: AwsCallOptions,
  timeoutMs: number,
): Promise<JsonObject> {
  const name = requestName(route.service, route.operation);
  for (let tries = 1; ; tries++) {
    const timeout = AbortSignal.timeout(timeoutMs);
    const abortSignal = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    try {
      return await send(route, input, abortSignal);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Failure) throw error;
      if (timeout.aborted) throw new AwsError(name, late(timeoutMs));
      if (tries === 1 && isSkew(error)) continue;
      throw new AwsError(name, error);
    }
  }
}

function late(ms: number): Error {
  return Object.assign(new Error(`no answer within ${ms / 1000} s`), { name: "TimeoutError" });
}

/** The SDK has learned the server's time from the refusal: signed anew, the request that was not let in is. */
function isSkew(error: unknown): boolean {
  if (!/Signature|RequestExpired|AuthFailure|TimeTooSkewed/.test(awsCode(error))) return false;
  const { $metadata } = error as { $metadata?: { clockSkewCorrected?: unknown } };
  return $metadata?.clockSkewCorrected === true;
}

async function send(route: Route, input: JsonObject, abortSignal: AbortSignal): Promise<JsonObject> {
  const { client, sdk, operation } = route;
  const Command = sdk.commands[`${operation}Command`] as
    | (new (
        input: JsonObject,
      ) => { middlewareStack: MiddlewareStack })
    | undefined;
  if (Command === undefined) throw new TypeError(`the SDK has no ${operation} for ${route.service}`);
  const xml = sdk.protocol === "query";
  const { inPath, inQuery } = typeof sdk.protocol === "string" ? NO_REST : sdk.protocol;
  const command = new Command(
    xml ? input : only(input, (key) => inPath.includes(key) || inQuery.includes(key)),
  );
  const body = only(input, (key) => !inPath.includes(key));
  if (!xml) sendRaw(command.middlewareStack, body);
  const answer = keepRaw(command.middlewareStack, !xml);
  try {
    const output = (await client.send(command, { abortSignal })) as JsonObject;
    return xml ? only(output, (key) => key !== "$metadata") : parsed(answer.text ?? "");
  } catch (error) {
    throw answer.broken ?? error;
  }
}

function only(input: JsonObject, keep: (key: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(input).filter(([key]) => keep(key)));
}

function parsed(text: string): JsonObject {
  if (text === "") return {};
  const value = readJson(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  // A proxy's or a portal's page: it may be gone at the next try.
  throw Object.assign(new Error("the answer is no JSON object"), { name: "UnreadableAnswer" });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { Failure, messageOf, RemoteError } from "../../../../lib/errors.ts";
import type { Log } from "../../../../lib/log.ts";
import type { Credentials } from "../registry/authorizer.ts";
import { authKeyOf, normaliseHost } from "../registry/names.ts";
import type { BaseHosts } from "./base-hosts.ts";
import { authsOf, type DockerConfig } from "./docker-config.ts";
import { type Ecr, lacksAws } from "./ecr.ts";
import { askHelper } from "./helper.ts";

/** Where logins may come from. */
export interface LoginSources {
  /** As the inputs give them. */
  readonly inputs: readonly {
    readonly registry: string;
    readonly username: string;
    readonly password: string;
  }[];
  /** Undefined: never ask AWS. */
  readonly ecr: Ecr | undefined;
  readonly config: DockerConfig;
}

/** What looking for a login needs. */
export interface LoginPorts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly mask: { add(value: string): void };
}

/** Finds the login of a registry; each is looked for once and kept in memory. */
export interface Logins {
  /**
   * The inputs count first, then AWS for its own registries, then what the
   * machine's Docker configuration has; undefined when nobody knows one. Throws
   * LOGIN_FAILED when AWS refuses and nothing else is known.
   */
  find(host: string): Promise<Credentials | undefined>;
  /**
   * `auths` for a private Docker configuration, so that an engine may pull a
   * private base: the logins found for these hosts, and every login given or
   * kept in the machine's file only where a base may be anywhere.
   */
  auths(from: BaseHosts): Promise<Record<string, { readonly auth: string }>>;
}

/** Every secret is masked before anybody can use it. */
export function openLogins(sources: LoginSources, ports: LoginPorts): Logins {
  const found = new Map<string, Promise<Credentials | undefined>>();
  const given = new Map<string, Credentials>();
  for (const { registry, username, password } of sources.inputs) {
    given.set(normaliseHost(registry), { kind: "password", username, password });
  }
  for (const login of [...given.values(), ...sources.config.logins.values()]) hide(login, ports);
  for (const problem of sources.config.problems) ports.log.warn(problem);
  const find = (text: string) => {
    const host = normaliseHost(text);
    const known = found.get(host) ?? look(host, given, sources, ports);
    found.set(host, known);
    return known;
  };
  return {
    find,
    auths: async ({ hosts, elsewhere }) => {
      const logins = new Map(elsewhere ? [...sources.config.logins, ...given] : []);
      for (const host of hosts) {
        const login = await find(host).catch(() => undefined);
        if (login) logins.set(normaliseHost(host), login);
      }
      return authsOf(logins);
    },
  };
}

async function look(
  host: string,
  given: ReadonlyMap<string, Credentials>,
  { ecr, config }: LoginSources,
  ports: LoginPorts,
): Promise<Credentials | undefined> {
  const input = given.get(host);
  if (input) {
    ports.log.info(`${host}: login from the inputs`);
    return input;
  }
  const aws = await askAws(host, ecr, ports);
  if (aws.login) return aws.login;
  const login = await askMachine(host, config, ports);
  if (login) hide(login, ports);
  else if (aws.failure) throw aws.failure;
  return login;
}

async function askAws(
  host: string,
  ecr: Ecr | undefined,
  ports: LoginPorts,
): Promise<{ login?: Credentials; failure?: Failure }> {
  try {
    const login = await ecr?.login(host);
    return login ? { login } : {};
  } catch (error) {
    ports.signal.throwIfAborted();
    const why = messageOf(error);
    ports.log.info(
      `${host}: ${lacksAws(error) ? "no AWS credentials at hand" : `AWS gives no login: ${why}`}`,
    );
    const fix = error instanceof Failure && error.fix !== "" ? error.fix : "check the job's AWS credentials";
    return { failure: new RemoteError(`${host}: ${why}`, { code: "LOGIN_FAILED", fix, cause: error }) };
  }
}

async function askMachine(
  host: string,
  config: DockerConfig,
  ports: LoginPorts,
): Promise<Credentials | undefined> {
  const where = config.files.join(", ");
  const helper = config.helperOf(host);
  if (helper !== undefined) {
    const helped = await askHelper(helper, authKeyOf(host), ports);
    if (helped.kind === "login") {
      hide(helped.login, ports);
      ports.log.info(`${host}: login from docker-credential-${helper} (named in ${where})`);
      return helped.login;
    }
    if (helped.kind === "broken") {
      ports.log.warn(
        `${host}: ${helped.why}; ${where} names it. Repair it, or give \`username\` and \`password\` here`,
      );
    }
  }
  const kept = config.logins.get(host);
  if (kept) ports.log.info(`${host}: login from ${where}`);
  return kept;
}

function hide(login: Credentials, ports: LoginPorts): void {
  ports.mask.add(login.kind === "password" ? login.password : login.token);
  if (login.kind === "password") {
    ports.mask.add(Buffer.from(`${login.username}:${login.password}`).toString("base64"));
  }
}

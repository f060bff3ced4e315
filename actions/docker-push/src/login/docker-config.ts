import { readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, systemCode } from "../../../../lib/errors.ts";
import type { Credentials } from "../registry/authorizer.ts";
import { authKeyOf, normaliseHost } from "../registry/names.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** What the machine's own Docker configuration tells about logins; it is read and never written. */
export interface DockerConfig {
  /** The files that were read, for messages. */
  readonly files: readonly string[];
  /** A file that is there and cannot be read or understood: one line each. */
  readonly problems: readonly string[];
  /** Logins kept in the file itself, by host. */
  readonly logins: ReadonlyMap<string, Credentials>;
  /** The program that keeps a host's login (`ecr-login` of `docker-credential-ecr-login`), undefined for none. */
  helperOf(host: string): string | undefined;
}

interface Parsed {
  readonly logins: Map<string, Credentials>;
  readonly helpers: Map<string, string>;
  readonly store: string;
}

/** Reads `$DOCKER_CONFIG/config.json` (`~/.docker`), and behind it REGISTRY_AUTH_FILE of buildah and podman. */
export function readDockerConfig(env: Env): DockerConfig {
  const folder = env["DOCKER_CONFIG"] || join(env["HOME"] || "/", ".docker");
  const paths = [join(folder, "config.json"), env["REGISTRY_AUTH_FILE"] ?? ""].filter((path) => path !== "");
  const files: string[] = [];
  const problems: string[] = [];
  const parsed: Parsed[] = [];
  for (const path of paths) {
    try {
      parsed.push(parseDockerConfig(readFileSync(path, "utf8")));
      files.push(path);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") problems.push(`${path} cannot be read: ${reasonOf(error)}`);
    }
  }
  return {
    files,
    problems,
    logins: new Map(parsed.flatMap(({ logins }) => [...logins]).reverse()),
    helperOf: (host) => {
      for (const { helpers, store } of parsed) {
        const name = helpers.get(normaliseHost(host)) ?? store;
        if (name !== "") return name;
      }
      return undefined;
    },
  };
}

/** A parser's message quotes the text, and the text holds passwords. */
function reasonOf(error: unknown): string {
  return error instanceof SyntaxError ? "it is no JSON" : messageOf(error);
}

/**
 * The logins and helpers of a config.json. Throws a SyntaxError when it is no
 * JSON; entries of an unknown shape are passed over, as Docker does.
 * https://docs.docker.com/reference/cli/docker/login/#credential-stores
 */
export function parseDockerConfig(text: string): Parsed {
  const config = record(JSON.parse(text.replace(/^\uFEFF/, "")));
  const logins = new Map<string, Credentials>();
  for (const [key, value] of Object.entries(record(config["auths"]))) {
    const login = loginOf(record(value));
    if (login) logins.set(normaliseHost(key), login);
  }
  const helpers = new Map<string, string>();
  for (const [key, value] of Object.entries(record(config["credHelpers"]))) {
    if (typeof value === "string") helpers.set(normaliseHost(key), value);
  }
  const store = config["credsStore"];
  return { logins, helpers, store: typeof store === "string" ? store : "" };
}

function loginOf(entry: Readonly<Record<string, unknown>>): Credentials | undefined {
  const token = entry["identitytoken"];
  if (typeof token === "string" && token !== "") return { kind: "identity", token };
  const { auth, username, password } = entry;
  if (typeof auth === "string" && auth !== "") {
    const text = Buffer.from(auth, "base64").toString("utf8");
    const colon = text.indexOf(":");
    // Docker pads what it stores with NUL in places.
    const secret = text.slice(colon + 1).replace(/\0+$/, "");
    if (colon > 0 && secret !== "")
      return { kind: "password", username: text.slice(0, colon), password: secret };
  }
  if (typeof username === "string" && typeof password === "string" && username !== "" && password !== "") {
    return { kind: "password", username, password };
  }
  return undefined;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};
}

/** Logins in the form of a config file's `auths`; a refresh token has no such form that every tool reads. */
export function authsOf(logins: ReadonlyMap<string, Credentials>): Record<string, { readonly auth: string }> {
  const auths: Record<string, { readonly auth: string }> = {};
  for (const [host, login] of logins) {
    if (login.kind !== "password") continue;
    const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
    auths[authKeyOf(host)] = { auth };
  }
  return auths;
}

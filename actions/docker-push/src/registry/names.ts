/** One repository of one registry, with every spelling of it resolved. */
export interface Repository {
  /** As people write it, in full: `docker.io/acme/api`, `ghcr.io/acme/api`. */
  readonly name: string;
  /** The registry as people write it: `docker.io`, `ghcr.io`, `127.0.0.1:5000`. */
  readonly registry: string;
  /** The name within the registry: `acme/api`; on Docker Hub `library/nginx` for `nginx`. */
  readonly path: string;
  /** The key of its credentials in a Docker config file: `https://index.docker.io/v1/` for all of Hub, else the host. */
  readonly authKey: string;
  /** Where its API answers: `https://registry-1.docker.io`; plain HTTP on loopback only, as Docker does. */
  readonly origin: string;
}

/** A name that was understood, or one line that says what is wrong with it. */
export type ParsedRepository = { readonly repository: Repository } | { readonly problem: string };

/** Docker Hub under all the names that people, docs and config files give it. */
const HUB = new Set([
  "docker.io",
  "www.docker.com",
  "hub.docker.com",
  "index.docker.io",
  "registry-1.docker.io",
  "registry.hub.docker.com",
]);

const HUB_AUTH_KEY = "https://index.docker.io/v1/";

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const HOST = /^(?:\[[0-9a-f:]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::\d{1,5})?$/;

/** Whether this can be a tag at all (OCI grammar: at most 128 characters, no `/`, no leading `.` or `-`). */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/**
 * Reads a repository name. Upper case becomes lower case (registries know no
 * other); a tag or digest at its end is a problem, since tags have an input of
 * their own.
 */
export function parseRepository(text: string): ParsedRepository {
  const bare = text.trim().replace(/^https?:\/\//i, "");
  if (bare === "") return { problem: "is empty" };
  if (bare.includes("@")) return { problem: `\`${text}\` holds a digest: name the repository only` };
  const slash = bare.indexOf("/");
  const first = slash === -1 ? "" : bare.slice(0, slash);
  const hasHost = /[.:]/.test(first) || first.toLowerCase() === "localhost";
  const host = hasHost ? normaliseHost(first) : "docker.io";
  const rest = hasHost ? bare.slice(slash + 1) : bare;
  if (rest.includes(":")) {
    return { problem: `\`${text}\` holds a tag: name the repository only, and its tags in \`tags\`` };
  }
  if (!HOST.test(host)) return { problem: `\`${text}\` does not start with a registry's host name` };
  const path = rest.toLowerCase();
  const parts = path.split("/");
  if (!parts.every((part) => PATH_COMPONENT.test(part)) || path.length > 255) {
    return {
      problem: `\`${text}\` is no repository name: between slashes stand letters and digits, with single ., _ or - inside`,
    };
  }
  return {
    repository: repositoryOf(host, host === "docker.io" && parts.length === 1 ? `library/${path}` : path),
  };
}

/** The one spelling of a registry's host: lower case, without scheme and path, Hub's many names as `docker.io`. */
export function normaliseHost(text: string): string {
  const host = text
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, "")
    .replace(/\/.*$/, "");
  return HUB.has(host) ? "docker.io" : host;
}

/** The key of a host's credentials in a Docker config file. */
export function authKeyOf(host: string): string {
  const normal = normaliseHost(host);
  return normal === "docker.io" ? HUB_AUTH_KEY : normal;
}

/** Whether this host (a port may follow) is this very machine. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  return (
    name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name)
  );
}

function repositoryOf(host: string, path: string): Repository {
  const apiHost = host === "docker.io" ? "registry-1.docker.io" : host;
  const scheme = isLoopback(host) ? "http" : "https";
  return {
    name: `${host}/${path}`,
    registry: host,
    path,
    authKey: authKeyOf(host),
    origin: `${scheme}://${apiHost}`,
  };
}

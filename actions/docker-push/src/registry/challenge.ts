/** What a registry's 401 asks for. */
export type Challenge =
  | { readonly scheme: "basic" }
  | { readonly scheme: "bearer"; readonly realm: string; readonly service: string };

/**
 * Reads WWW-Authenticate (several challenges may stand in one header). Bearer
 * is preferred to Basic; undefined when neither is offered.
 * https://distribution.github.io/distribution/spec/auth/token/
 */
export function parseChallenge(header: string): Challenge | undefined {
  const bearer = /(?:^|[\s,])bearer\s+(.*)$/is.exec(header);
  if (bearer) {
    const parameters = new Map<string, string>();
    for (const match of (bearer[1] ?? "").matchAll(/([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi)) {
      const name = (match[1] ?? "").toLowerCase();
      const value = match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? "";
      if (!parameters.has(name)) parameters.set(name, value);
    }
    const realm = parameters.get("realm");
    if (realm) return { scheme: "bearer", realm, service: parameters.get("service") ?? "" };
  }
  return /(?:^|[\s,])basic(?:\s|$)/i.test(header) ? { scheme: "basic" } : undefined;
}

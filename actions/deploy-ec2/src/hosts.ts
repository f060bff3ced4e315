/** One machine to deploy to, or a jump host. */
export interface Host {
  /** As the user wrote it: what logs, errors and outputs call it. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly username: string;
}

/** Either the hosts or what is wrong with one of the items. */
export type Hosts =
  | { readonly ok: true; readonly hosts: readonly Host[] }
  | { readonly ok: false; readonly problem: string };

const ITEM =
  /^(?:(?<user>[^@\s]+)@)?(?:\[(?<v6>[0-9a-fA-F:.%\w]+)\]|(?<name>[^\s:@[\]]+))(?::(?<port>\d+))?$/;
/** An address of IPv6 without brackets, which leaves no room for a port. */
const BARE_V6 = /^(?:(?<user>[^@\s]+)@)?(?<v6>[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.%\w]*)$/;

/** Reads `host`, `host:port`, `user@host`, `[v6]:port`; the same machine twice is a mistake. */
export function parseHosts(items: readonly string[], username: string, port: number): Hosts {
  const hosts: Host[] = [];
  for (const item of items) {
    const groups = (BARE_V6.exec(item) ?? ITEM.exec(item))?.groups;
    if (!groups) {
      return {
        ok: false,
        problem: `\`${item}\` is none of \`host\`, \`host:port\`, \`user@host\`, \`[v6]:port\``,
      };
    }
    const host = {
      name: item,
      address: groups["v6"] ?? groups["name"] ?? "",
      port: groups["port"] === undefined ? port : Number(groups["port"]),
      username: groups["user"] ?? username,
    };
    if (host.port < 1 || host.port > 65_535)
      return { ok: false, problem: `\`${item}\`: the port must be from 1 to 65535` };
    if (host.username === "") return { ok: false, problem: `\`${item}\` has no user: set \`username\`` };
    if (hosts.some((other) => other.address === host.address && other.port === host.port)) {
      return { ok: false, problem: `\`${item}\` is listed twice` };
    }
    hosts.push(host);
  }
  return { ok: true, hosts };
}

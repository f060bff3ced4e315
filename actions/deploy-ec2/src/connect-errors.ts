import { messageOf, RemoteError, systemCode } from "../../../lib/errors.ts";
import { hasOnlyAuthority, type KeyVerdict, type Pins } from "./host-keys.ts";
import type { Host } from "./hosts.ts";

/** What a system error code means for someone who looks at a deploy log, and what to do about it. */
const MEANING: Readonly<Record<string, readonly [string, string]>> = {
  ECONNREFUSED: ["nothing listens there", "check `host` and `port`, and that sshd runs"],
  ETIMEDOUT: [
    "no answer",
    "open the port to this runner (security group, firewall), or check that the host is up",
  ],
  EHOSTUNREACH: ["no route to the host", "check `host` and the network between runner and host"],
  ENETUNREACH: ["no route to the network", "check `host` and the network between runner and host"],
  ENOTFOUND: ["the name does not resolve", "check the spelling of `host`"],
  EAI_AGAIN: ["the name server does not answer", "check the runner's DNS, or give an address as `host`"],
  ECONNRESET: ["the connection was reset", "check that an SSH server listens on that port"],
};

/** A host that could not be reached, or that broke off before the login. */
export function connectFailed(host: Host, error: unknown, via?: string): RemoteError {
  if (error instanceof RemoteError) return error;
  const code = isHandshakeTimeout(error) ? "ETIMEDOUT" : systemCode(error);
  const [meaning, fix] = MEANING[code] ?? [messageOf(error), fixFor(messageOf(error))];
  const through = via === undefined ? "" : ` through ${via}`;
  return new RemoteError(
    `${host.name}: cannot connect to ${host.address} port ${host.port}${through}: ${meaning}`,
    { code: "CONNECT_FAILED", fix, cause: error },
  );
}

function isHandshakeTimeout(error: unknown): boolean {
  return error instanceof Error && "level" in error && error.level === "client-timeout";
}

function fixFor(message: string): string {
  if (/no matching key exchange/i.test(message))
    return "let sshd offer curve25519-sha256 as well (KexAlgorithms)";
  if (/no matching/i.test(message)) return "let sshd offer a current algorithm of that kind";
  if (/open failed|administratively prohibited/i.test(message))
    return "allow TCP forwarding on the jump host (AllowTcpForwarding)";
  return "check `host`, `port` and the host's sshd log";
}

/** Whether another try may help: only what failed on the way, never a refusal. */
export function isRetryable(error: unknown): boolean {
  return (
    error instanceof RemoteError && error.code === "CONNECT_FAILED" && !/no matching/.test(error.message)
  );
}

/** The host took the connection and refused the key. */
export function authFailed(host: Host, error: unknown): RemoteError {
  return new RemoteError(`${host.name}: the host refused the key for user \`${host.username}\``, {
    code: "AUTH_FAILED",
    fix: "check `username` (ec2-user, ubuntu, admin, root are usual) and that the public key is in that user's authorized_keys",
    cause: error,
  });
}

/** The host's own key is not the expected one, or none was expected. */
export function hostKeyRefused(
  host: Host,
  pins: Pins,
  verdict: KeyVerdict,
  offered: readonly string[],
): RemoteError {
  const shown = offered.join(", ");
  if (verdict === "revoked") {
    return new RemoteError(`${host.name}: the host offered a key that \`known-hosts\` revokes: ${shown}`, {
      code: "HOST_KEY_MISMATCH",
      fix: "give the host a new key",
    });
  }
  if (verdict === "unknown") {
    const authority = hasOnlyAuthority(pins, host)
      ? " (`known-hosts` has only a certificate authority for it, and a plain key cannot be held against one)"
      : "";
    return new RemoteError(
      `${host.name}: no line of \`known-hosts\` is for this host${authority}; it offered ${shown}`,
      {
        code: "HOST_KEY_UNKNOWN",
        fix: `make sure that this is the host's key (\`ssh-keygen -lf\` on the host), then add it to \`known-hosts\` or \`fingerprint\`${host.port === 22 ? "" : `; the name there is [${host.address}]:${host.port}`}`,
      },
    );
  }
  return new RemoteError(`${host.name}: the host's key is not the expected one; it offered ${shown}`, {
    code: "HOST_KEY_MISMATCH",
    fix: "if the host was made anew, correct `known-hosts` or `fingerprint`; if not, somebody may be in between",
  });
}

import { createHash, createHmac } from "node:crypto";
import type { Host } from "./hosts.ts";

/** What a host's key is held against. */
export interface Pins {
  readonly knownHosts: readonly KnownHost[];
  /** `SHA256:...` without padding. */
  readonly fingerprints: readonly string[];
  /** Accept whatever is offered. */
  readonly acceptAny: boolean;
}

/** One line of a known_hosts file. */
export interface KnownHost {
  readonly mark: "" | "@cert-authority" | "@revoked";
  readonly names: string;
  readonly type: string;
  readonly key: Buffer;
}

/** What a key is worth for a host. */
export type KeyVerdict = "trusted" | "mismatch" | "unknown" | "revoked";

/** Either the lines or what is wrong with one of them. */
export type KnownHosts =
  | { readonly ok: true; readonly lines: readonly KnownHost[] }
  | { readonly ok: false; readonly problem: string };

/** Reads known_hosts lines (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): marks, hashed names, comments. */
export function parseKnownHosts(text: string): KnownHosts {
  const lines: KnownHost[] = [];
  for (const [index, raw] of text.replace(/\\n/g, "\n").split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const fields = line.split(/\s+/);
    const marked = line.startsWith("@");
    const mark = marked ? fields.shift() : "";
    const [names, type, key] = fields;
    const bytes = Buffer.from(key ?? "", "base64");
    const badMark = mark !== "" && mark !== "@cert-authority" && mark !== "@revoked";
    if (badMark || !names || !type || keyType(bytes) !== type)
      return { ok: false, problem: `line ${index + 1} is not \`names type key\`` };
    lines.push({ mark, names, type, key: bytes });
  }
  return { ok: true, lines };
}

/** The type that a key blob names itself (`ssh-ed25519`), "" when it is none. */
export function keyType(key: Buffer): string {
  if (key.length < 5) return "";
  const length = key.readUInt32BE(0);
  return length > 64 || key.length < 4 + length ? "" : key.subarray(4, 4 + length).toString("latin1");
}

/** `SHA256:...` as OpenSSH prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** A fingerprint as people paste it, in OpenSSH's form; undefined when it is none. */
export function parseFingerprint(text: string): string | undefined {
  const match = /^(?:SHA256:)?([A-Za-z0-9+/]{43})=?$/.exec(text.trim());
  return match ? `SHA256:${match[1]}` : undefined;
}

/** Holds an offered key against the pins for that host. */
export function judgeKey(pins: Pins, host: Host, key: Buffer): KeyVerdict {
  const lines = pins.knownHosts.filter((line) => names(line.names, host));
  if (lines.some((line) => line.mark === "@revoked" && line.key.equals(key))) return "revoked";
  if (pins.acceptAny) return "trusted";
  if (pins.fingerprints.includes(fingerprint(key))) return "trusted";
  // A certificate authority vouches for host certificates; a bare key cannot prove that it has one.
  const plain = lines.filter((line) => line.mark === "");
  if (plain.some((line) => line.key.equals(key))) return "trusted";
  return plain.length > 0 || pins.fingerprints.length > 0 ? "mismatch" : "unknown";
}

/** Whether only a certificate authority is known for the host. */
export function hasOnlyAuthority(pins: Pins, host: Host): boolean {
  const lines = pins.knownHosts.filter((line) => names(line.names, host));
  return lines.length > 0 && lines.every((line) => line.mark === "@cert-authority");
}

/** Key types that known_hosts names for the host, in its order: to be asked for first. */
export function pinnedTypes(pins: Pins, host: Host): string[] {
  const lines = pins.knownHosts.filter((line) => line.mark === "" && names(line.names, host));
  return [...new Set(lines.map((line) => line.type))];
}

/** Whether the names field of a line covers the host: hashed, with wildcards, negated, with a port. */
function names(field: string, host: Host): boolean {
  const candidates = host.port === 22 ? [host.address] : [`[${host.address}]:${host.port}`];
  if (field.startsWith("|1|")) {
    const [, , salt, hash] = field.split("|");
    return candidates.some(
      (name) =>
        createHmac("sha1", Buffer.from(salt ?? "", "base64"))
          .update(name)
          .digest("base64") === hash,
    );
  }
  let covered = false;
  for (const pattern of field.split(",")) {
    const negated = pattern.startsWith("!");
    const wanted = wildcard(negated ? pattern.slice(1) : pattern);
    if (!candidates.some((name) => wanted.test(name))) continue;
    if (negated) return false;
    covered = true;
  }
  return covered;
}

function wildcard(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${source}$`, "i");
}

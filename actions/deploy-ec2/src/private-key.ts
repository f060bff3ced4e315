import { createPrivateKey, type KeyObject } from "node:crypto";
import type { ParsedKey } from "ssh2";
import { messageOf, UserError } from "../../../lib/errors.ts";

/**
 * Puts right what pasting does to a key: CRLF, a byte order mark, `\n` written out, indented lines,
 * everything on one line, base64 around the whole file.
 */
export function normaliseKey(text: string): string {
  let key = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  if (!key.includes("\n") || /-----\\n/.test(key)) key = key.replace(/\\r/g, "").replace(/\\n/g, "\n");
  if (!key.includes("-----") && /^[A-Za-z0-9+/=\s]+$/.test(key)) {
    const inner = Buffer.from(key, "base64").toString("latin1");
    if (inner.startsWith("-----BEGIN")) key = inner;
  }
  key = key
    .split("\n")
    .map((line) => line.trim())
    .join("\n")
    .trim();
  const oneLine = /^(-----BEGIN [A-Z0-9 ]+-----) +([A-Za-z0-9+/= ]+?) +(-----END [A-Z0-9 ]+-----)$/.exec(key);
  if (oneLine) key = `${oneLine[1]}\n${oneLine[2]?.replace(/ +/g, "\n")}\n${oneLine[3]}`;
  return `${key}\n`;
}

/** Why a text is no private key, as the end of a sentence; "" when it looks like one. */
export function keyProblem(text: string): string {
  const key = normaliseKey(text);
  if (key.trim() === "") return "it is empty";
  if (/^(ssh-(rsa|ed25519|dss)|ecdsa-sha2-\S+|sk-\S+) /.test(key) || key.includes("BEGIN PUBLIC KEY"))
    return "it is a public key: give the private one (the file without `.pub`)";
  if (/^\S+-cert-v01@openssh\.com /.test(key)) return "it is a certificate: give the private key";
  if (key.startsWith("PuTTY-User-Key-File"))
    return "it is in PuTTY's format: convert it with `puttygen key.ppk -O private-openssh`";
  if (!/^-----BEGIN (OPENSSH |RSA |EC |ENCRYPTED )?PRIVATE KEY-----\n/.test(key))
    return "it is no private key: it must start with `-----BEGIN ... PRIVATE KEY-----`";
  if (!/\n-----END [A-Z ]*PRIVATE KEY-----\n$/.test(key)) return "its end is missing";
  return "";
}

/** Parses a private key once for all connections; a key that cannot be used is a UserError that says why. */
export async function loadKey(input: string, text: string, passphrase: string): Promise<ParsedKey> {
  const { default: ssh2 } = await import("ssh2");
  const normal = normaliseKey(text);
  const readable = /BEGIN (ENCRYPTED )?PRIVATE KEY/.test(normal)
    ? fromPkcs8(input, normal, passphrase)
    : normal;
  const parsed = ssh2.utils.parseKey(readable, passphrase === "" ? undefined : passphrase);
  const key: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || !isParsedKey(key)) throw keyError(input, messageOf(key), passphrase);
  if (!key.isPrivateKey()) throw new UserError([`\`${input}\` is a public key: give the private one`]);
  return key;
}

function isParsedKey(value: unknown): value is ParsedKey {
  return typeof value === "object" && value !== null && "isPrivateKey" in value;
}

function keyError(input: string, reason: string, passphrase: string): UserError {
  const passphraseInput = input.replace(/key(_path)?$/, "passphrase");
  if (/no passphrase|passphrase required|encrypted/i.test(reason) && passphrase === "")
    return new UserError([`\`${input}\` is encrypted: give its passphrase in \`${passphraseInput}\``]);
  if (/passphrase|integrity|decrypt|bad/i.test(reason) && passphrase !== "")
    return new UserError([`\`${passphraseInput}\` does not open \`${input}\``]);
  return new UserError([`\`${input}\` cannot be read: ${reason}`]);
}

/** ssh2 knows no PKCS#8, which openssl and cloud consoles write. */
function fromPkcs8(input: string, text: string, passphrase: string): string {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: text, ...(passphrase === "" ? {} : { passphrase }) });
  } catch (error) {
    // One wrong passphrase in 256 leaves an end that looks right, and OpenSSL then complains of the content.
    const locked = text.includes("BEGIN ENCRYPTED") ? "bad decrypt or encrypted" : "damaged";
    throw keyError(input, `${messageOf(error)} (${locked})`, passphrase);
  }
  if (key.asymmetricKeyType === "rsa") return String(key.export({ type: "pkcs1", format: "pem" }));
  if (key.asymmetricKeyType === "ec") return String(key.export({ type: "sec1", format: "pem" }));
  if (key.asymmetricKeyType === "ed25519") return ed25519Container(key);
  throw new UserError([
    `\`${input}\` is a key of type \`${key.asymmetricKeyType}\`: allowed are RSA, ECDSA and Ed25519`,
  ]);
}

/** OpenSSH's own file format, without encryption: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key */
function ed25519Container(key: KeyObject): string {
  const jwk = key.export({ format: "jwk" });
  const secret = Buffer.from(jwk.d ?? "", "base64url");
  const open = Buffer.from(jwk.x ?? "", "base64url");
  const type = field("ssh-ed25519");
  const publicPart = Buffer.concat([type, field(open)]);
  const check = Buffer.alloc(8, 0x2a);
  let inner = Buffer.concat([check, publicPart, field(Buffer.concat([secret, open])), field("")]);
  for (let pad = 1; inner.length % 8 !== 0; pad++) inner = Buffer.concat([inner, Buffer.from([pad])]);
  const body = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field("none"),
    field("none"),
    field(""),
    Buffer.from([0, 0, 0, 1]),
    field(publicPart),
    field(inner),
  ]);
  const lines = body.toString("base64").replace(/(.{70})/g, "$1\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

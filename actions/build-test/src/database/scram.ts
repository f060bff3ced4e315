import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * The client's side of SCRAM-SHA-256 without channel binding.
 * https://www.rfc-editor.org/rfc/rfc7677 and https://www.postgresql.org/docs/current/sasl-authentication.html
 */
export class Scram {
  private readonly password: string;
  private readonly nonce: string;
  private expected: Buffer = Buffer.alloc(0);

  constructor(password: string, nonce = randomBytes(18).toString("base64")) {
    this.password = password;
    this.nonce = nonce;
  }

  /** The first message. PostgreSQL takes the user from the startup packet, so none is named here. */
  first(): string {
    return `n,,${this.firstBare()}`;
  }

  /** The answer to the server's first message. Throws when the server did not keep our nonce. */
  final(serverFirst: string): string {
    const fields = fieldsOf(serverFirst);
    const nonce = fields.get("r") ?? "";
    const salt = Buffer.from(fields.get("s") ?? "", "base64");
    const rounds = Number(fields.get("i"));
    if (!nonce.startsWith(this.nonce) || !Number.isInteger(rounds) || rounds < 1) {
      throw new Error("the server's SCRAM challenge is not valid");
    }
    const salted = pbkdf2Sync(this.password.normalize("NFKC"), salt, rounds, 32, "sha256");
    const clientKey = hmac(salted, "Client Key");
    const withoutProof = `c=biws,r=${nonce}`;
    const message = `${this.firstBare()},${serverFirst},${withoutProof}`;
    const signature = hmac(createHash("sha256").update(clientKey).digest(), message);
    this.expected = hmac(hmac(salted, "Server Key"), message);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
    return `${withoutProof},p=${proof.toString("base64")}`;
  }

  /** Throws unless the server proved that it knows the password too. */
  verify(serverFinal: string): void {
    const given = Buffer.from(fieldsOf(serverFinal).get("v") ?? "", "base64");
    if (given.length !== this.expected.length || !timingSafeEqual(given, this.expected)) {
      throw new Error("the server did not prove that it knows the password");
    }
  }

  private firstBare(): string {
    return `n=,r=${this.nonce}`;
  }
}

function fieldsOf(message: string): Map<string, string> {
  return new Map(message.split(",").map((part) => [part.slice(0, 1), part.slice(2)]));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

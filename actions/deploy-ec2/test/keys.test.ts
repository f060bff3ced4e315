import { execFileSync } from "node:child_process";
import { createHmac, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { makeKey } from "../../../lib/testing/sshd.ts";
import {
  fingerprint,
  judgeKey,
  type Pins,
  parseFingerprint,
  parseKnownHosts,
  pinnedTypes,
} from "../src/host-keys.ts";
import { loadKey } from "../src/private-key.ts";

let folder: string;
let key: Buffer;
let line: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "goci-keys-"));
  makeKey(join(folder, "host"), "ed25519");
  line = readFileSync(join(folder, "host.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  key = Buffer.from(line.split(" ")[1] ?? "", "base64");
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const host = (address: string, port = 22) => ({ name: address, address, port, username: "me" });

function pins(text: string, extra: Partial<Pins> = {}): Pins {
  const known = parseKnownHosts(text);
  if (!known.ok) throw new Error(known.problem);
  return { knownHosts: known.lines, fingerprints: [], acceptAny: false, ...extra };
}

function hashed(name: string): string {
  const salt = Buffer.from("0123456789abcdef0123");
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`;
}

describe("host keys", () => {
  test("fingerprints are those of ssh-keygen", () => {
    const shown = execFileSync("ssh-keygen", ["-lf", join(folder, "host.pub")], { encoding: "utf8" });
    expect(shown).toContain(fingerprint(key));
    expect(parseFingerprint(`${fingerprint(key)}=`)).toBe(fingerprint(key));
    expect(parseFingerprint("MD5:aa:bb")).toBeUndefined();
  });

  test.each<[string, () => string, string, number, string]>([
    ["a plain name", () => `one ${line}`, "one", 22, "trusted"],
    ["a name in a list", () => `zero,one ${line}`, "one", 22, "trusted"],
    ["a wildcard", () => `*.example.com ${line}`, "a.example.com", 22, "trusted"],
    [
      "a wildcard with an exception",
      () => `*.example.com,!a.example.com ${line}`,
      "a.example.com",
      22,
      "unknown",
    ],
    ["a hashed name", () => `${hashed("one")} ${line}`, "one", 22, "trusted"],
    ["a hashed name with a port", () => `${hashed("[one]:2222")} ${line}`, "one", 2222, "trusted"],
    ["a port in the line", () => `[one]:2222 ${line}`, "one", 2222, "trusted"],
    ["another port", () => `one ${line}`, "one", 2222, "unknown"],
    ["another name", () => `two ${line}`, "one", 22, "unknown"],
    ["revoked", () => `one ${line}\n@revoked * ${line}`, "one", 22, "revoked"],
    ["only an authority", () => `@cert-authority * ${line}`, "one", 22, "unknown"],
    ["comments and blank lines", () => `# c\n\none ${line} comment here`, "one", 22, "trusted"],
  ])("%s", (_name, text, address, port, verdict) => {
    expect(judgeKey(pins(text()), host(address, port), key)).toBe(verdict);
  });

  test("another key for the same name is a mismatch, also with a fingerprint", () => {
    makeKey(join(folder, "other"), "ed25519");
    const other = readFileSync(join(folder, "other.pub"), "utf8").split(" ").slice(0, 2).join(" ");
    expect(judgeKey(pins(`one ${other}`), host("one"), key)).toBe("mismatch");
    expect(judgeKey(pins("", { fingerprints: [`SHA256:${"A".repeat(43)}`] }), host("one"), key)).toBe(
      "mismatch",
    );
    expect(judgeKey(pins(`one ${other}`, { fingerprints: [fingerprint(key)] }), host("one"), key)).toBe(
      "trusted",
    );
    expect(pinnedTypes(pins(`one ${other}`), host("one"))).toEqual(["ssh-ed25519"]);
  });

  test("lines that are no known_hosts lines are named by number", () => {
    expect(parseKnownHosts(`one ${line}\nnonsense`)).toEqual({
      ok: false,
      problem: expect.stringContaining("line 2"),
    });
    expect(parseKnownHosts("one ssh-rsa AAAAB3NzaC1lZDI1NTE5").ok).toBe(false);
  });
});

describe("private keys", () => {
  const pkcs8 = (type: "rsa" | "ec" | "ed25519", passphrase = "") => {
    const options = { modulusLength: 2048, namedCurve: "P-256" };
    const pair = generateKeyPairSync(type as "rsa", options as { modulusLength: number });
    const cipher = passphrase === "" ? {} : { cipher: "aes-256-cbc", passphrase };
    return String(pair.privateKey.export({ type: "pkcs8", format: "pem", ...cipher } as never));
  };

  test.each(["rsa", "ec", "ed25519"] as const)(
    "PKCS#8 %s, plain and encrypted, signs what its public half verifies",
    async (type) => {
      for (const passphrase of ["", "open sesame"]) {
        const loaded = await loadKey("key", pkcs8(type, passphrase), passphrase);
        const signature = loaded.sign("text");
        expect(loaded.isPrivateKey()).toBe(true);
        expect(loaded.verify("text", signature)).toBe(true);
      }
    },
  );

  test.each(["rsa", "ecdsa", "ed25519"])("ssh-keygen's %s in OpenSSH's and in PEM form", async (type) => {
    for (const form of [[], ["-m", "PEM"]]) {
      const path = join(folder, `${type}-${form.length}`);
      makeKey(path, type, form);
      expect((await loadKey("key", readFileSync(path, "utf8"), "")).isPrivateKey()).toBe(true);
    }
  });

  test("a wrong passphrase and a missing one are told apart", async () => {
    const path = join(folder, "locked");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "right", "-f", path]);
    const text = readFileSync(path, "utf8");
    await expect(loadKey("key", text, "")).rejects.toThrow("`key` is encrypted");
    await expect(loadKey("proxy_key", text, "wrong")).rejects.toThrow(
      "`proxy_passphrase` does not open `proxy_key`",
    );
    expect((await loadKey("key", text, "right")).isPrivateKey()).toBe(true);
    const locked = pkcs8("rsa", "right");
    // Enough passphrases that some leave an end which looks right.
    for (let nth = 0; nth < 600; nth++)
      await expect(loadKey("key", locked, `wrong ${nth}`)).rejects.toThrow("does not open");
    await expect(loadKey("key", locked, "")).rejects.toThrow("`key` is encrypted");
  });
});

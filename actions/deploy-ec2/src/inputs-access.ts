import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { messageOf } from "../../../lib/errors.ts";
import type { InputReader } from "../../../lib/inputs.ts";
import type { Mask } from "../../../lib/mask.ts";
import { type KnownHost, type Pins, parseFingerprint, parseKnownHosts } from "./host-keys.ts";
import { type Host, parseHosts } from "./hosts.ts";
import { keyProblem } from "./private-key.ts";

/** A private key as it was given; `input` names the input that it came from. */
export interface KeySource {
  readonly input: string;
  readonly text: string;
  readonly passphrase: string;
}

/** How the hosts are reached. */
export interface Access {
  readonly hosts: readonly Host[];
  readonly key: KeySource;
  readonly pins: Pins;
  /** Milliseconds for one try. */
  readonly connectTimeoutMs: number;
  readonly jump: { readonly host: Host; readonly key: KeySource; readonly pins: Pins } | undefined;
}

/** Reads everything about hosts, keys and host keys. */
export function readAccess(read: InputReader, mask: Mask): Access {
  const transport = read.enumeration("transport", ["ssh", "eice", "ssm"], "ssh");
  if (transport !== "ssh") read.refuse("transport", transport, "use `ssh`");
  for (const name of ["instance-ids", "instance-tags", "aws-region"]) {
    if (read.text(name) !== "") read.refuse(name, read.text(name), "name the machines in `host`");
  }
  const username = read.text("username", "ec2-user");
  const hosts = readHosts(read, "host", username, read.integer("port", 22, { min: 1, max: 65_535 }));
  const key = readKey(read, mask, "key", "key_path", "passphrase");
  const knownHosts = readKnownHosts(read);
  const acceptAny = read.bool("insecure-ignore-host-key", false);
  const pins = { knownHosts, fingerprints: readFingerprints(read, "fingerprint"), acceptAny };
  if (knownHosts.length === 0 && pins.fingerprints.length === 0 && !acceptAny && !pinGiven(read)) {
    read.problem(
      "one of `known-hosts` and `fingerprint` is required: give the hosts' keys (`ssh-keyscan` from a place you trust, or `ssh-keygen -lf` on the host)",
    );
  }
  return {
    hosts,
    key,
    pins,
    connectTimeoutMs: read.duration("connect-timeout", "30s", "s", { min: 100 }),
    jump: readJump(read, username, key, pins),
  };
}

function pinGiven(read: InputReader): boolean {
  return read.given("known-hosts") || read.given("fingerprint");
}

function readHosts(read: InputReader, input: string, username: string, port: number): readonly Host[] {
  const parsed = parseHosts(read.list(input, { commas: true, required: true }), username, port);
  if (parsed.ok) return parsed.hosts;
  read.problem(`\`${input}\`: ${parsed.problem}`);
  return [];
}

function readKey(
  read: InputReader,
  mask: Mask,
  textInput: string,
  pathInput: string,
  passphraseInput: string,
): KeySource {
  const passphrase = read.secret(passphraseInput);
  const given = read.secret(textInput);
  const path = read.text(pathInput);
  if (given !== "" && path !== "")
    read.problem(`\`${textInput}\` and \`${pathInput}\` are both given: leave one out`);
  if (given === "" && path === "") {
    read.problem(`\`${textInput}\` or \`${pathInput}\` is required: the private key to log in with`);
    return { input: textInput, text: "", passphrase };
  }
  const input = given !== "" ? textInput : pathInput;
  const text = given !== "" ? given : readKeyFile(read, mask, pathInput, path);
  const problem = text === undefined ? "" : keyProblem(text);
  if (problem !== "") read.problem(`\`${input}\` is no usable key: ${problem}`);
  return { input, text: text ?? "", passphrase };
}

function readKeyFile(read: InputReader, mask: Mask, input: string, path: string): string | undefined {
  try {
    const text = readFileSync(resolve(path), "utf8");
    mask.add(text);
    return text;
  } catch (error) {
    read.problem(`\`${input}\` is \`${path}\`: it cannot be read: ${messageOf(error)}`);
    return undefined;
  }
}

function readKnownHosts(read: InputReader): readonly KnownHost[] {
  const parsed = parseKnownHosts(read.verbatim("known-hosts"));
  if (parsed.ok) return parsed.lines;
  read.problem(`\`known-hosts\` cannot be read: ${parsed.problem}`);
  return [];
}

function readFingerprints(read: InputReader, input: string): string[] {
  const fingerprints: string[] = [];
  for (const item of read.list(input, { commas: true })) {
    const fingerprint = parseFingerprint(item);
    if (fingerprint) fingerprints.push(fingerprint);
    else
      read.problem(
        `\`${input}\` is \`${item}\`: allowed is \`SHA256:\` and 43 characters (\`ssh-keygen -lf\`)`,
      );
  }
  return fingerprints;
}

function readJump(read: InputReader, username: string, key: KeySource, pins: Pins): Access["jump"] {
  const name = read.text("proxy_host");
  const port = read.integer("proxy_port", 22, { min: 1, max: 65_535 });
  const user = read.text("proxy_username") || username;
  const passphrase = read.secret("proxy_passphrase");
  const text = read.secret("proxy_key");
  const fingerprints = readFingerprints(read, "proxy_fingerprint");
  if (name === "") return undefined;
  const parsed = parseHosts([name], user, port);
  if (!parsed.ok) read.problem(`\`proxy_host\`: ${parsed.problem}`);
  const host = parsed.ok ? parsed.hosts[0] : undefined;
  if (!host) return undefined;
  const problem = text === "" ? "" : keyProblem(text);
  if (problem !== "") read.problem(`\`proxy_key\` is no usable key: ${problem}`);
  if (fingerprints.length === 0 && pins.knownHosts.length === 0 && !pins.acceptAny)
    read.problem("`proxy_fingerprint`, or a line of `known-hosts` for the jump host, is required");
  return {
    host,
    key: text === "" ? key : { input: "proxy_key", text, passphrase },
    pins: { ...pins, fingerprints },
  };
}

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { parse as parseYaml } from "yaml";
import { UserError } from "../../../lib/errors.ts";
import { readGitHubContext } from "../../../lib/github-context.ts";
import { InputReader } from "../../../lib/inputs.ts";
import { Mask } from "../../../lib/mask.ts";
import { parseHosts } from "../src/hosts.ts";
import { type Inputs, parseInputs } from "../src/inputs.ts";
import { OUTPUTS } from "../src/outputs.ts";
import { normaliseKey } from "../src/private-key.ts";

const KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
const PIN = `SHA256:${"a".repeat(43)}`;
const GOOD = { host: "one", key: KEY, fingerprint: PIN, source: "build" };

function read(inputs: Record<string, string>, env: Record<string, string> = {}) {
  const variables = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const masked: string[] = [];
  const reader = new InputReader(Object.fromEntries(variables), new Mask((secret) => masked.push(secret)));
  const github = readGitHubContext({
    GITHUB_REPOSITORY: "acme/shop",
    GITHUB_RUN_NUMBER: "12",
    GITHUB_SHA: "0123456789abcdef",
    GITHUB_WORKSPACE: "/work",
    ...env,
  });
  const parsed = parseInputs(reader, github);
  reader.bool("summary", true);
  return { reader, parsed, masked };
}

function problems(inputs: Record<string, string>): readonly string[] {
  try {
    read(inputs).reader.finish();
    return [];
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  }
}

describe("inputs", () => {
  test("action.yml and the code name the same inputs with the same defaults, and the same outputs", () => {
    const folder = join(dirname(fileURLToPath(import.meta.url)), "..");
    const file = parseYaml(readFileSync(join(folder, "action.yml"), "utf8"));
    const declared = Object.entries<{ default?: string }>(file.inputs).map(([name, input]) => [
      name,
      String(input.default ?? ""),
    ]);
    const used = read(GOOD).reader.uses.map((use) => [use.name, use.fallback]);
    expect(new Map(used as [string, string][])).toEqual(new Map(declared as [string, string][]));
    expect(Object.keys(file.outputs).sort()).toEqual([...OUTPUTS].sort());
  });

  test("good inputs raise no problem", () => {
    expect(problems(GOOD)).toEqual([]);
  });

  test.each<[string, Record<string, string>, (inputs: Inputs) => unknown, unknown]>([
    ["release", {}, (i) => i.release.release, "12-0123456"],
    ["target", {}, (i) => i.release.target, "/opt/shop"],
    ["target cleaned", { target: "/srv//app/" }, (i) => i.release.target, "/srv/app"],
    ["timeout", {}, (i) => i.rollout.timeoutMs, 1_800_000],
    ["bare timeout is minutes", { timeout: "5" }, (i) => i.rollout.timeoutMs, 300_000],
    ["stop-timeout rounds up", { "stop-timeout": "1500ms" }, (i) => i.service.stopSeconds, 2],
    ["batch by number", { "batch-size": "3" }, (i) => i.batch(10), 3],
    ["batch by percentage", { "batch-size": "25%" }, (i) => i.batch(10), 2],
    ["batch is at least one", { "batch-size": "10%" }, (i) => i.batch(3), 1],
    ["all at once", { strategy: "all-at-once" }, (i) => i.batch(7), 7],
    ["exclude", {}, (i) => i.release.exclude, ["postgres-data", ".git", "node_modules/.cache"]],
  ])("%s", (_name, inputs, pick, expected) => {
    expect(pick(read({ ...GOOD, ...inputs }).parsed)).toEqual(expected);
  });

  test("the second attempt of a run gets a release of its own", () => {
    expect(read(GOOD, { GITHUB_RUN_ATTEMPT: "2" }).parsed.release.release).toBe("12-0123456-2");
  });

  test.each<[string, Record<string, string>, string]>([
    ["no source", { source: "" }, "`source`"],
    ["no host", { host: "" }, "`host`"],
    ["no key", { key: "" }, "`key`"],
    ["key and key_path", { key_path: "/x" }, "`key_path`"],
    ["a public key", { key: "ssh-ed25519 AAAA me" }, "public key"],
    ["a PuTTY key", { key: "PuTTY-User-Key-File-3: ssh-ed25519" }, "PuTTY"],
    ["a key without its end", { key: KEY.split("\n").slice(0, 2).join("\n") }, "end is missing"],
    ["root as target", { target: "/" }, "`target`"],
    ["a target that climbs", { target: "/opt/../etc" }, "`target`"],
    ["a target that a shell would read", { target: "/opt/$(id)" }, "`target`"],
    ["another PORT", { "environment-variables": "PORT=1" }, "PORT"],
    ["a readonly variable", { "environment-variables": "UID=1" }, "`UID`"],
    ["several lines of command", { command: "a\nb" }, "`command`"],
    ["eice", { transport: "eice" }, "`transport`"],
    ["blue-green", { strategy: "blue-green" }, "`strategy`"],
    ["a release with a slash", { release: "a/b" }, "`release`"],
    ["a GitHub environment without a token", { "github-environment": "prod" }, "`github-token`"],
    [
      "a jump host without a pin",
      { "known-hosts": "", proxy_host: "jump", fingerprint: PIN },
      "`proxy_fingerprint`",
    ],
    ["over 100 percent", { "batch-size": "120%" }, "`batch-size`"],
  ])("%s is a problem that names what is wrong", (_name, inputs, text) => {
    expect(problems({ ...GOOD, ...inputs }).join("\n")).toContain(text);
  });

  test("secrets are masked, plain words and numbers are not", () => {
    const { masked } = read({
      ...GOOD,
      passphrase: "open sesame",
      "environment-variables":
        "DATABASE_URL=postgres://u:p@h/d\nPASSWORD=1234\nNODE_ENV=production\nDBPORT=5432\nHOST=127.0.0.1",
    });
    expect(masked).toEqual(expect.arrayContaining(["open sesame", "postgres://u:p@h/d", "1234"]));
    for (const plain of ["production", "5432", "127.0.0.1"]) expect(masked).not.toContain(plain);
  });
});

describe("host list", () => {
  test.each([
    ["one", { address: "one", port: 22, username: "me" }],
    ["one:2222", { address: "one", port: 2222, username: "me" }],
    ["you@one", { address: "one", port: 22, username: "you" }],
    ["you@one:23", { address: "one", port: 23, username: "you" }],
    ["[2001:db8::1]:2222", { address: "2001:db8::1", port: 2222, username: "me" }],
    ["2001:db8::1", { address: "2001:db8::1", port: 22, username: "me" }],
    ["you@[::1]", { address: "::1", port: 22, username: "you" }],
  ])("%s", (item, expected) => {
    expect(parseHosts([item], "me", 22)).toMatchObject({ ok: true, hosts: [expected] });
  });

  test.each(["a b", "one:port", "one:0", "one:70000", "@one", "[::1", ""])("`%s` is refused", (item) => {
    expect(parseHosts([item], "me", 22).ok).toBe(false);
  });

  test("the same machine twice is refused", () => {
    expect(parseHosts(["one", "you@one:22"], "me", 22).ok).toBe(false);
  });
});

describe("pasted keys", () => {
  const lines = KEY.trim().split("\n");
  test.each([
    ["CRLF", lines.join("\r\n")],
    ["written-out newlines", lines.join("\\n")],
    ["a byte order mark", `\uFEFF${KEY}`],
    ["indentation", lines.map((line) => `    ${line}`).join("\n")],
    ["one line", lines.join(" ")],
    ["base64 around it", Buffer.from(KEY).toString("base64")],
    ["no final newline", KEY.trim()],
  ])("%s is forgiven", (_name, text) => {
    expect(normaliseKey(text)).toBe(KEY);
  });
});

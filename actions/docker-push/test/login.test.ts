import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { AwsCall } from "../../../lib/aws/call.ts";
import { AwsError } from "../../../lib/aws/errors.ts";
import { RecordingLog } from "../../../lib/log.ts";
import { FakeClock } from "../../../lib/testing/fake-clock.ts";
import { parseDockerConfig, readDockerConfig } from "../src/login/docker-config.ts";
import { openEcr } from "../src/login/ecr.ts";
import { openLogins } from "../src/login/logins.ts";
import { makePrivateHome } from "../src/login/private-home.ts";
import { repositoryOf } from "./push-kit.ts";

const ECR_HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "goci-login-"));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** Writes config.json and helper programs; a helper is a shell script that gets `get` and stdin. */
function machine(config: unknown, helpers: Record<string, string> = {}): Record<string, string> {
  const bin = join(home, "bin");
  mkdirSync(bin, { recursive: true });
  for (const [name, body] of Object.entries(helpers)) {
    writeFileSync(join(bin, `docker-credential-${name}`), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, `docker-credential-${name}`), 0o755);
  }
  mkdirSync(join(home, ".docker"), { recursive: true });
  const text = typeof config === "string" ? config : JSON.stringify(config);
  writeFileSync(join(home, ".docker/config.json"), text);
  return { HOME: home, PATH: `${bin}:/usr/bin:/bin`, INPUT_PASSWORD: "never-pass-me-on" };
}

function logins(env: Record<string, string>, more: Partial<Parameters<typeof openLogins>[0]> = {}) {
  const log = new RecordingLog();
  const masked: string[] = [];
  const mask = { add: (value: string) => masked.push(value) };
  const signal = new AbortController().signal;
  const sources = { inputs: [], ecr: undefined, config: readDockerConfig(env), ...more };
  return { logins: openLogins(sources, { env, log, mask, signal }), log, masked };
}

describe("the machine's Docker configuration", () => {
  test("its logins are found under every spelling of a host", async () => {
    const env = machine({
      auths: {
        "https://index.docker.io/v1/": { auth: base64("hub:p:w\0\0") },
        "https://ghcr.io/v2/": { username: "cat", password: "token" },
        "acme.azurecr.io": { auth: base64("0000:"), identitytoken: "refresh" },
        "empty.example": {},
        "odd.example": "text",
      },
    });
    const { logins: found, masked, log } = logins(env);
    expect(await found.find("docker.io")).toEqual({ kind: "password", username: "hub", password: "p:w" });
    expect(await found.find("registry-1.docker.io")).toEqual({
      kind: "password",
      username: "hub",
      password: "p:w",
    });
    expect(await found.find("ghcr.io")).toEqual({ kind: "password", username: "cat", password: "token" });
    expect(await found.find("acme.azurecr.io")).toEqual({ kind: "identity", token: "refresh" });
    expect(await found.find("empty.example")).toBeUndefined();
    expect(await found.find("odd.example")).toBeUndefined();
    expect(masked).toEqual(expect.arrayContaining(["p:w", "token", "refresh", base64("hub:p:w")]));
    expect(log.lines.join("\n")).toContain("ghcr.io: login from ");
  });

  test("the inputs come first, and the file stays as it is", async () => {
    const env = machine({ auths: { "ghcr.io": { auth: base64("file:file") } } });
    const path = join(home, ".docker/config.json");
    const before = [readFileSync(path, "utf8"), statSync(path).mtimeMs];
    const { logins: found } = logins(env, {
      inputs: [{ registry: "GHCR.io", username: "input", password: "secret" }],
    });
    expect(await found.find("ghcr.io")).toEqual({ kind: "password", username: "input", password: "secret" });
    expect([readFileSync(path, "utf8"), statSync(path).mtimeMs]).toEqual(before);
  });

  test("a file that is no JSON is named, and nothing of it is shown", async () => {
    const { logins: found, log } = logins(machine('{"auths": {"ghcr.io": {"auth": "c2VjcmV0"'));
    expect(await found.find("ghcr.io")).toBeUndefined();
    expect(log.lines).toEqual([
      expect.stringMatching(/^warning: .*config\.json cannot be read: it is no JSON$/),
    ]);
  });

  test("none at all is no problem", async () => {
    const { logins: found, log } = logins({ HOME: home });
    expect(await found.find("ghcr.io")).toBeUndefined();
    expect(log.lines).toEqual([]);
  });

  test("DOCKER_CONFIG and REGISTRY_AUTH_FILE are followed, Docker's counting first", async () => {
    mkdirSync(join(home, "elsewhere"));
    writeFileSync(
      join(home, "elsewhere/config.json"),
      JSON.stringify({ auths: { "a.example": { auth: base64("docker:1") } } }),
    );
    writeFileSync(
      join(home, "auth.json"),
      JSON.stringify({
        auths: { "a.example": { auth: base64("podman:2") }, "b.example": { auth: base64("podman:2") } },
      }),
    );
    const { logins: found } = logins({
      DOCKER_CONFIG: join(home, "elsewhere"),
      REGISTRY_AUTH_FILE: join(home, "auth.json"),
    });
    expect(await found.find("a.example")).toMatchObject({ username: "docker" });
    expect(await found.find("b.example")).toMatchObject({ username: "podman" });
  });

  test.each(["null", "[]", '{"auths":null,"credHelpers":[1],"credsStore":7}'])("%s holds nothing", (text) => {
    const parsed = parseDockerConfig(text);
    expect([parsed.logins.size, parsed.helpers.size, parsed.store]).toEqual([0, 0, ""]);
  });
});

describe("credential helpers", () => {
  test("get the registry's key on stdin and none of the step's inputs", async () => {
    const env = machine(
      { credsStore: "store", credHelpers: { "gcr.io": "gcloud" } },
      {
        store: `read key; env > ${home}/seen-env; printf '%s %s' "$*" "$key" > ${home}/seen; echo '{"Username":"u","Secret":"s3cret"}'`,
        gcloud: `echo '{"Username":"<token>","Secret":"refresh"}'`,
      },
    );
    const { logins: found, masked } = logins(env);
    expect(await found.find("docker.io")).toEqual({ kind: "password", username: "u", password: "s3cret" });
    expect(readFileSync(join(home, "seen"), "utf8")).toBe("get https://index.docker.io/v1/");
    expect(readFileSync(join(home, "seen-env"), "utf8")).not.toContain("never-pass-me-on");
    expect(await found.find("gcr.io")).toEqual({ kind: "identity", token: "refresh" });
    expect(masked).toEqual(expect.arrayContaining(["s3cret", "refresh"]));
  });

  test("one that knows nothing is silent; then the file counts", async () => {
    const env = machine(
      { credsStore: "store", auths: { "ghcr.io": { auth: base64("kept:kept") } } },
      { store: 'echo "credentials not found in native keychain"; exit 1' },
    );
    const { logins: found, log } = logins(env);
    expect(await found.find("ghcr.io")).toMatchObject({ username: "kept" });
    expect(await found.find("quay.io")).toBeUndefined();
    expect(log.lines.filter((line) => line.startsWith("warning"))).toEqual([]);
  });

  test.each([
    ["is not installed", undefined, "could not be started"],
    ["fails", 'echo "keychain is locked" >&2; exit 3', "ended with code 3: keychain is locked"],
    ["talks nonsense", "echo hello", "answered no login"],
  ])("one that %s is named in a notice, with a way out", async (_name, body, words) => {
    const env = machine({ credsStore: "broken" }, body === undefined ? {} : { broken: body });
    const { logins: found, log } = logins(env);
    expect(await found.find("ghcr.io")).toBeUndefined();
    const [line = ""] = log.lines.filter((text) => text.startsWith("warning"));
    expect(line).toContain("docker-credential-broken");
    expect(line).toContain(words);
    expect(line).toContain("config.json names it. Repair it, or give `username` and `password`");
  });

  test("a name that is a path is none", async () => {
    const { logins: found, log } = logins(machine({ credsStore: "../../bin/sh" }));
    expect(await found.find("ghcr.io")).toBeUndefined();
    expect(log.lines.join()).toContain("is no name of a helper");
  });
});

describe("Amazon's registries", () => {
  const ports = (call: AwsCall) => ({
    awsRegion: "",
    env: {},
    log: new RecordingLog(),
    clock: new FakeClock(undefined, true),
    signal: new AbortController().signal,
    mask: { add: (value: string) => void masks.push(value) },
    call,
  });
  const masks: string[] = [];
  const refused = (name: string, status: number) =>
    new AwsError(
      "ecr:GetAuthorizationToken",
      Object.assign(new Error("said so"), { name, $metadata: { httpStatusCode: status } }),
    );

  test("sign in with the AWS credentials at hand, masked before use; others are not asked about", async () => {
    const calls: unknown[] = [];
    const ecr = openEcr(
      ports(async (...args) => {
        calls.push(args.slice(0, 2));
        return { authorizationData: [{ authorizationToken: base64("AWS:long:token") }] };
      }),
    );
    const { logins: found } = logins({ HOME: home }, { ecr });
    expect(await found.find(ECR_HOST)).toEqual({ kind: "password", username: "AWS", password: "long:token" });
    await found.find(ECR_HOST);
    expect(await found.find("ghcr.io")).toBeUndefined();
    expect(calls).toEqual([["ecr", "GetAuthorizationToken"]]);
    expect(masks).toContain("long:token");
    // A user name that is the same for everybody must not blot out half of the log.
    expect(masks).not.toContain("AWS");
  });

  test("a throttle is waited out; a refusal is LOGIN_FAILED, unless the machine has a login", async () => {
    let tries = 0;
    const ecr = openEcr(
      ports(async () => {
        if (++tries < 3) throw refused("ThrottlingException", 400);
        throw refused("AccessDeniedException", 400);
      }),
    );
    await expect(logins({ HOME: home }, { ecr }).logins.find(ECR_HOST)).rejects.toMatchObject({
      code: "LOGIN_FAILED",
    });
    expect(tries).toBe(3);
    const env = machine({ auths: { [ECR_HOST]: { auth: base64("AWS:kept") } } });
    expect(await logins(env, { ecr }).logins.find(ECR_HOST)).toMatchObject({ password: "kept" });
  });

  test("a missing repository is made, with the account of its host", async () => {
    const inputs: unknown[] = [];
    const ecr = openEcr(
      ports(async (_service, operation, input) => {
        inputs.push([operation, input]);
        return {};
      }),
    );
    expect(await ecr.createRepository(repositoryOf(`${ECR_HOST}/team/api`))).toBe(true);
    expect(await ecr.createRepository(repositoryOf("ghcr.io/team/api"))).toBe(false);
    expect(inputs).toEqual([
      ["CreateRepository", { registryId: "123456789012", repositoryName: "team/api" }],
    ]);
  });
});

describe("the private folder", () => {
  test("is closed and holds the logins for a base image; the user's own stays as it was", async () => {
    const env = machine({ auths: { "quay.io": { auth: base64("machine:1") } }, currentContext: "remote" });
    const path = join(home, ".docker/config.json");
    const before = readFileSync(path, "utf8");
    const { logins: found } = logins(env, {
      inputs: [{ registry: "docker.io", username: "me", password: "mine" }],
    });
    const made = makePrivateHome(home);
    made.fill(env, await found.auths({ hosts: ["docker.io", "quay.io"], elsewhere: false }));
    expect(statSync(made.folder).mode & 0o777).toBe(0o700);
    const file = join(made.folder, "config.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      currentContext: "remote",
      auths: {
        "https://index.docker.io/v1/": { auth: base64("me:mine") },
        "quay.io": { auth: base64("machine:1") },
      },
    });
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  test("holds no login that the build has no use for, and all where a base may be anywhere", async () => {
    const env = machine({ auths: { "quay.io": { auth: base64("machine:1") } } });
    const { logins: found } = logins(env, {
      inputs: [{ registry: "ghcr.io", username: "me", password: "mine" }],
    });
    expect(await found.auths({ hosts: [], elsewhere: false })).toEqual({});
    expect(Object.keys(await found.auths({ hosts: [], elsewhere: true })).sort()).toEqual([
      "ghcr.io",
      "quay.io",
    ]);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { FakeClock } from "../../../lib/testing/fake-clock.ts";
import { startRegistry, type TestRegistry } from "../../../lib/testing/registry.ts";
import { startFaultProxy } from "../../../lib/testing/registry-faults.ts";
import {
  startTokenRegistry,
  type TokenOptions,
  type TokenRegistry,
} from "../../../lib/testing/registry-tokens.ts";
import type { Credentials } from "../src/registry/authorizer.ts";
import { parseChallenge } from "../src/registry/challenge.ts";
import type { RegistryClient } from "../src/registry/client.ts";
import { blobOf, clientFor, imageOf, loginOf } from "./push-kit.ts";

const LOGIN = { username: "octocat", password: "s3cret:with&signs" };

let registry: TestRegistry;
const ends: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  registry = await startRegistry({ open: true });
});

afterAll(() => registry.stop());

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function started(options: Partial<TokenOptions> = {}): Promise<TokenRegistry> {
  const server = await startTokenRegistry(registry.origin, { ...LOGIN, ...options });
  ends.push(() => server.stop());
  return server;
}

function client(
  server: { readonly host: string; readonly origin: string },
  more: Parameters<typeof clientFor>[2] = {},
  credentials: Credentials | undefined = loginOf(LOGIN),
): RegistryClient {
  const made = clientFor({ registry: server.host, origin: server.origin }, credentials, more);
  ends.push(() => made.close());
  return made;
}

describe("a registry behind a token server", () => {
  test("one token for all that is done with a repository, masked before its use", async () => {
    const server = await started();
    const masked: string[] = [];
    const one = client(server, { mask: (secret) => masked.push(secret) });
    const image = imageOf(["tokens"]);
    await one.proveUpload("acme/api");
    for (const blob of [...image.layers, image.config]) {
      if (!(await one.hasBlob("acme/api", blob.digest))) await one.uploadBlob("acme/api", blob);
    }
    await one.putManifest("acme/api", "1.0", image.manifest);
    expect((await one.headManifest("acme/api", "1.0"))?.digest).toBe(image.manifest.digest);
    expect(await one.listTags("acme/api")).toEqual(["1.0"]);
    expect(server.asked).toEqual([
      { scopes: ["repository:acme/api:pull,push"], user: "octocat", status: 200 },
    ]);
    expect(masked).toHaveLength(1);
  });

  test("requests side by side share one token", async () => {
    const server = await started();
    const one = client(server);
    await one.listTags("acme/first");
    await Promise.all(["a", "b", "c", "d"].map((tag) => one.headManifest("acme/second", tag)));
    expect(server.asked.map((asked) => asked.scopes)).toEqual([
      ["repository:acme/first:pull"],
      ["repository:acme/second:pull"],
    ]);
  });

  test("reading asks for no right to write", async () => {
    const server = await started({ mayPush: () => false, accessToken: true });
    expect(await client(server).listTags("acme/none")).toEqual([]);
    expect(server.asked.map((asked) => asked.scopes)).toEqual([["repository:acme/none:pull"]]);
  });

  test("a mount asks for both repositories", async () => {
    const server = await started();
    const one = client(server);
    const blob = blobOf("mount me");
    await one.uploadBlob("acme/from", blob);
    expect(await one.mountBlob("acme/to", blob.digest, "acme/from")).toBe(true);
    expect(server.asked.at(-1)?.scopes).toEqual([
      "repository:acme/to:pull,push",
      "repository:acme/from:pull",
    ]);
  });

  test("an expired token is renewed once and the push goes on", async () => {
    const server = await started();
    const one = client(server);
    await one.uploadBlob("acme/expired", blobOf("first"));
    server.expireAll();
    await one.uploadBlob("acme/expired", blobOf("second"));
    expect(server.asked).toHaveLength(2);
    server.expireAll();
    const image = imageOf(["expired"]);
    const blobs = [...image.layers, image.config].map((blob) => one.uploadBlob("acme/expired", blob));
    await Promise.all(blobs);
    await one.putManifest("acme/expired", "1", image.manifest);
    // Requests side by side may each have asked; nobody asked twice.
    expect(server.asked.length).toBeLessThanOrEqual(4);
  });

  test("a token that says how long it lives is replaced before it ends", async () => {
    const server = await started({ expiresIn: 300 });
    const clock = new FakeClock(0, true);
    const one = client(server, { clock });
    await one.listTags("acme/api");
    await clock.sleep(200_000);
    await one.listTags("acme/api");
    expect(server.asked).toHaveLength(1);
    await clock.sleep(95_000);
    await one.listTags("acme/api");
    expect(server.asked).toHaveLength(2);
  });

  test("a token that is refused again and again is a missing right, after one renewal", async () => {
    const server = await started();
    const front = await startFaultProxy(server.origin);
    ends.push(() => front.stop());
    const one = client(front);
    await one.uploadBlob("acme/api", blobOf("good"));
    front.clear();
    front.add({ method: "HEAD", fault: { kind: "status", status: 401 } });
    await expect(one.headManifest("acme/api", "x")).rejects.toMatchObject({ code: "DENIED" });
    expect(front.seen.filter((seen) => seen.method === "HEAD")).toHaveLength(2);
  });

  test("a wrong password is told by the token server, once", async () => {
    const server = await started();
    const one = client(server, {}, { kind: "password", username: "octocat", password: "wrong" });
    await expect(one.proveUpload("acme/api")).rejects.toMatchObject({
      code: "LOGIN_FAILED",
      message: expect.stringContaining("incorrect username or password"),
    });
    expect(server.asked).toHaveLength(1);
  });

  test("a wrong password is tried once also by many requests side by side, and later", async () => {
    const server = await started();
    const one = client(server, {}, { kind: "password", username: "octocat", password: "wrong" });
    const ends = await Promise.allSettled(["a", "b", "c"].map((name) => one.listTags(`acme/${name}`)));
    expect(ends.map((end) => end.status)).toEqual(["rejected", "rejected", "rejected"]);
    await expect(one.proveUpload("acme/d")).rejects.toMatchObject({ code: "LOGIN_FAILED" });
    expect(server.asked).toHaveLength(1);
  });

  test("a good login without the right to push is DENIED", async () => {
    const server = await started({ mayPush: (path) => path !== "other/api" });
    await expect(client(server).proveUpload("other/api")).rejects.toMatchObject({
      code: "DENIED",
      message: expect.stringContaining("other/api"),
    });
    expect(server.asked).toHaveLength(1);
  });

  test("a token server that is ill for a while is asked again", async () => {
    const server = await started();
    const front = await startFaultProxy(server.origin);
    ends.push(() => front.stop());
    front.add({ target: /^\/token/, fault: { kind: "status", status: 503 }, times: 2 });
    front.add({ target: /^\/token/, fault: { kind: "reset" }, times: 1 });
    await client(front).proveUpload("acme/ill");
    expect(front.seen.filter((seen) => seen.target.startsWith("/token"))).toHaveLength(4);
  });

  test("a login goes to no other machine in the clear", async () => {
    const server = await started();
    const front = await startFaultProxy(server.origin);
    ends.push(() => front.stop());
    const header = { "www-authenticate": 'Bearer realm="http://evil.example/token"' };
    front.add({ fault: { kind: "status", status: 401, headers: header } });
    await expect(client(front).proveUpload("acme/api")).rejects.toMatchObject({
      code: "LOGIN_FAILED",
      message: expect.stringContaining("not encrypted"),
    });
  });

  test("a refresh token is traded by POST", async () => {
    const server = await started();
    const front = await startFaultProxy(server.origin);
    ends.push(() => front.stop());
    front.add({
      method: "POST",
      target: /^\/token/,
      fault: { kind: "status", status: 200, body: '{"access_token":"abc"}' },
    });
    const one = client(front, {}, { kind: "identity", token: "refresh-me" });
    await expect(one.listTags("acme/api")).rejects.toMatchObject({ code: "DENIED" });
    expect(front.seen.map((seen) => [seen.method, seen.authorization])).toContainEqual(["POST", ""]);
    expect(front.seen.at(-1)?.authorization).toBe("Bearer");
  });
});

describe("challenges", () => {
  test.each([
    ['Basic realm="x"', { scheme: "basic" }],
    ["basic", { scheme: "basic" }],
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
      { scheme: "bearer", realm: "https://auth.docker.io/token", service: "registry.docker.io" },
    ],
    [
      "bearer realm=https://a.example/t , service=s",
      { scheme: "bearer", realm: "https://a.example/t", service: "s" },
    ],
    ['Basic realm="x", Bearer realm="https://a/t"', { scheme: "bearer", realm: "https://a/t", service: "" }],
    ['Bearer realm="https://a/\\"t"', { scheme: "bearer", realm: 'https://a/"t', service: "" }],
    ["Negotiate", undefined],
    ["", undefined],
    ["Bearer", undefined],
  ])("%s", (header, challenge) => {
    expect(parseChallenge(header)).toEqual(challenge);
  });
});

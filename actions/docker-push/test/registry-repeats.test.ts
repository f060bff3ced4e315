import { describe, expect, test } from "@jest/globals";
import { RecordingLog } from "../../../lib/log.ts";
import { FakeClock } from "../../../lib/testing/fake-clock.ts";
import type { FaultProxy } from "../../../lib/testing/registry-faults.ts";
import { blobOf, clientFor, documentOf, imageOf } from "./push-kit.ts";
import { RegistrySite, stored } from "./registry-site.ts";

const site = new RegistrySite();

describe("repeats", () => {
  const five: [string, Parameters<FaultProxy["add"]>[0]][] = [
    [
      "two 503 at the start of an upload",
      { method: "POST", fault: { kind: "status", status: 503 }, times: 2 },
    ],
    [
      "a 503 at the end of an upload",
      { method: "PUT", target: /blobs/, fault: { kind: "status", status: 503 }, times: 1 },
    ],
    [
      "a 503 at a blob's HEAD",
      { method: "HEAD", target: /blobs/, fault: { kind: "status", status: 503 }, times: 1 },
    ],
    [
      "a 503 at the manifest",
      { method: "PUT", target: /manifests/, fault: { kind: "status", status: 503 }, times: 1 },
    ],
    [
      "a 429 at the manifest",
      {
        method: "PUT",
        target: /manifests/,
        fault: { kind: "status", status: 429, headers: { "retry-after": "1" } },
        times: 1,
      },
    ],
    ["a 408", { method: "PUT", target: /manifests/, fault: { kind: "status", status: 408 }, times: 1 }],
    [
      "a cut connection at the manifest",
      { method: "PUT", target: /manifests/, fault: { kind: "reset" }, times: 2 },
    ],
    [
      "a lost answer of an upload",
      { method: "PUT", target: /blobs/, fault: { kind: "lost-answer" }, times: 1 },
    ],
    ["silence at the manifest", { method: "PUT", target: /manifests/, fault: { kind: "hang" }, times: 1 }],
    ["a truncated manifest", { method: "GET", target: /manifests/, fault: { kind: "truncate" }, times: 1 }],
    [
      "four 500 in a row",
      { method: "PUT", target: /manifests/, fault: { kind: "status", status: 500 }, times: 4 },
    ],
  ];
  test.each(five)("%s costs time, not the push", async (_name, rule) => {
    const path = site.freshPath();
    const one = site.client();
    await one.headManifest(path, "x");
    site.proxy.add(rule);
    const image = imageOf([path]);
    for (const blob of [...image.layers, image.config]) {
      if (!(await one.hasBlob(path, blob.digest))) await one.uploadBlob(path, blob);
    }
    await one.putManifest(path, "x", image.manifest);
    expect((await one.getManifest(path, "x"))?.digest).toBe(image.manifest.digest);
    expect(site.proxy.seen.filter((seen) => seen.faulty).length).toBe(rule.times);
  });

  test("bytes whose answer was lost are not sent again", async () => {
    const one = site.client();
    site.proxy.add({ method: "PUT", fault: { kind: "lost-answer" }, times: 1 });
    await one.uploadBlob(site.freshPath(), blobOf("sent once"));
    expect(site.proxy.seen.filter((seen) => seen.method === "PUT")).toHaveLength(1);
  });

  test.each([400, 403, 404])("a %i is never repeated", async (status) => {
    const one = site.client();
    const { manifest } = await stored(one, site.freshPath());
    site.proxy.clear();
    site.proxy.add({ method: "PUT", fault: { kind: "status", status } });
    await expect(one.putManifest("test/x", manifest.digest, manifest)).rejects.toThrow();
    expect(site.proxy.seen).toHaveLength(1);
  });

  test("waits are 0.5 to 8 s with jitter, five tries, and then it says so", async () => {
    for (const random of [0, 0.999]) {
      site.proxy.clear();
      const clock = new FakeClock(0, true);
      const log = new RecordingLog();
      const one = site.client({ clock, log, random: () => random });
      site.proxy.add({ fault: { kind: "status", status: 502, body: "<html>Bad Gateway</html>" } });
      await expect(one.headManifest("test/a", "x")).rejects.toMatchObject({
        code: "REGISTRY_UNAVAILABLE",
        message: expect.stringMatching(/tried 5 times: status 502/),
      });
      expect(site.proxy.seen).toHaveLength(5);
      expect(log.lines).toHaveLength(4);
      expect(clock.now()).toBeGreaterThanOrEqual(4 * 500);
      expect(clock.now()).toBeLessThanOrEqual(4 * 8000);
    }
  });

  test("Retry-After is honoured, up to a minute", async () => {
    const clock = new FakeClock(0, true);
    const one = site.client({ clock });
    await one.headManifest("test/a", "x");
    site.proxy.add({ fault: { kind: "status", status: 429, headers: { "retry-after": "45" } }, times: 1 });
    await one.headManifest("test/a", "x");
    expect(clock.now()).toBe(45_000);
    site.proxy.clear();
    site.proxy.add({ fault: { kind: "status", status: 429, headers: { "retry-after": "3600" } } });
    await expect(one.headManifest("test/a", "x")).rejects.toMatchObject({
      code: "RATE_LIMITED",
      message: expect.stringContaining("60 min"),
    });
    expect(site.proxy.seen).toHaveLength(1);
  });

  test("two minutes are the end, whatever is asked for", async () => {
    const clock = new FakeClock(0, true);
    const one = site.client({ clock });
    site.proxy.add({ fault: { kind: "status", status: 503, headers: { "retry-after": "55" } } });
    await expect(one.headManifest("test/a", "x")).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
    expect(clock.now()).toBeLessThanOrEqual(120_000);
    expect(site.proxy.seen).toHaveLength(3);
  });

  test("nobody listens: REGISTRY_UNAVAILABLE", async () => {
    const one = clientFor({ registry: "127.0.0.1:9", origin: "http://127.0.0.1:9" }, undefined);
    await expect(one.headManifest("a", "x")).rejects.toMatchObject({
      code: "REGISTRY_UNAVAILABLE",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });

  test("a cancel ends a wait and a request at once", async () => {
    const controller = new AbortController();
    const one = site.client({ signal: controller.signal, idleMs: 60_000 });
    site.proxy.add({ fault: { kind: "hang" } });
    site.proxy.onRequest(() => controller.abort(new Error("cancelled by a test")));
    await expect(one.headManifest("test/a", "x")).rejects.toThrow("cancelled by a test");
  });
});

describe("a cancel amid an upload", () => {
  test("cancels the upload too", async () => {
    const path = site.freshPath();
    const controller = new AbortController();
    const one = site.client({ signal: controller.signal });
    site.proxy.add({ method: "PUT", fault: { kind: "hang" } });
    site.proxy.onRequest((request) => {
      if (request.method === "PUT") controller.abort(new Error("cancelled by a test"));
    });
    await expect(one.uploadBlob(path, blobOf("half"))).rejects.toThrow("cancelled by a test");
    expect(site.proxy.seen.at(-1)).toMatchObject({ method: "DELETE", status: 204 });
  });
});

describe("what a registry may not get away with", () => {
  test("another digest than the one that was stored", async () => {
    const path = site.freshPath();
    const one = site.client();
    const { manifest } = await stored(one, path);
    const digest = blobOf("other").digest;
    site.proxy.add({ method: "PUT", target: /manifests/, fault: { kind: "digest", digest } });
    await expect(one.putManifest(path, "x", manifest)).rejects.toMatchObject({
      code: "DIGEST_MISMATCH",
      message: expect.stringContaining(digest),
    });
  });

  test("other bytes than the digest asked for", async () => {
    const path = site.freshPath();
    const one = site.client();
    const { manifest } = await stored(one, path);
    site.proxy.add({
      method: "GET",
      target: /manifests/,
      fault: { kind: "status", status: 200, body: "{}" },
    });
    await expect(one.getManifest(path, manifest.digest)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  test("a digest header is optional: the bytes are asked for", async () => {
    const path = site.freshPath();
    const one = site.client();
    const { manifest } = await stored(one, path);
    site.proxy.add({ target: /manifests/, fault: { kind: "digest", digest: "" } });
    await one.putManifest(path, "x", manifest);
    expect(await one.headManifest(path, "x")).toMatchObject({ digest: manifest.digest });
    expect(site.proxy.seen.filter((seen) => seen.method === "GET")).toHaveLength(2);
  });

  test("bytes that got lost on their way up", async () => {
    const path = site.freshPath();
    const wrong = { ...blobOf("right"), digest: blobOf("wrong").digest };
    await expect(site.client().uploadBlob(path, wrong)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });
});

describe("refusals", () => {
  const error = (code: string, message: string) => JSON.stringify({ errors: [{ code, message }] });
  test.each([
    [
      400,
      error(
        "TAG_INVALID",
        "The image tag 'x' already exists in the 'api' repository and cannot be overwritten because the tag is immutable.",
      ),
      "TAG_IMMUTABLE",
    ],
    [412, error("PRECONDITION", "Failed to process request due to immutable tag"), "TAG_IMMUTABLE"],
    [409, "Conflict", "TAG_IMMUTABLE"],
    [404, "404 page not found\n", "TAG_INVALID"],
    [404, error("NAME_UNKNOWN", "repository name not known to registry"), "NAME_UNKNOWN"],
    [403, error("DENIED", "requested access to the resource is denied"), "DENIED"],
    [403, error("TOOMANYREQUESTS", "You have reached your pull rate limit"), "RATE_LIMITED"],
    [400, error("DIGEST_INVALID", "provided digest did not match uploaded content"), "DIGEST_MISMATCH"],
    [400, error("MANIFEST_INVALID", "manifest invalid"), "PUSH_REFUSED"],
    [405, "", "DENIED"],
  ])("%i %s is %s%s", async (status, body, code) => {
    const one = site.client();
    await one.headManifest("test/a", "x");
    site.proxy.add({ method: "PUT", fault: { kind: "status", status, body } });
    await expect(one.putManifest("test/a", "x", documentOf({}))).rejects.toMatchObject({
      code,
      fix: expect.stringMatching(/\w/),
    });
  });

  test("what is said about the fix fits the registry", async () => {
    const { refusal } = await import("../src/registry/failures.ts");
    const answer = (status: number, text: string) => ({ status, headers: {}, body: Buffer.from(text) });
    const fixOf = (registry: string, status: number, code: string) =>
      refusal(answer(status, error(code, "")), { registry, path: "acme/api", what: "push" }).fix;
    expect(fixOf("ghcr.io", 403, "DENIED")).toContain("packages: write");
    expect(fixOf("docker.io", 404, "NAME_UNKNOWN")).toContain("<user or organisation>/<repository>");
    expect(fixOf("123456789012.dkr.ecr.eu-west-1.amazonaws.com", 404, "NAME_UNKNOWN")).toContain(
      "`ecr-create-repository: true`",
    );
    expect(fixOf("123456789012.dkr.ecr.eu-west-1.amazonaws.com", 403, "DENIED")).toContain(
      "ecr:PutImage".slice(0, 4),
    );
  });
});

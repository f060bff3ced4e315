import { describe, expect, test } from "@jest/globals";
import { startFaultProxy } from "../../../lib/testing/registry-faults.ts";
import { blobOf, documentOf } from "./push-kit.ts";
import { RegistrySite, stored } from "./registry-site.ts";

const site = new RegistrySite();
/** A login that the registry refuses. */
const WRONG = { kind: "password", username: "robot", password: "wrong" } as const;

describe("a registry with a login", () => {
  test("blobs and manifests go up and come back byte for byte", async () => {
    const path = site.freshPath();
    const one = site.client();
    const image = await stored(one, path);
    await one.putManifest(path, "1.0", image.manifest);
    expect(await one.getManifest(path, "1.0")).toEqual(image.manifest);
    expect(await one.headManifest(path, "1.0")).toEqual({
      digest: image.manifest.digest,
      mediaType: image.manifest.mediaType,
    });
    expect(await one.headManifest(path, "2.0")).toBeUndefined();
    expect(await one.getManifest("test/none", "1.0")).toBeUndefined();
    expect(await one.hasBlob(path, image.config.digest)).toBe(true);
    expect(await one.hasBlob(path, blobOf("other").digest)).toBe(false);
    expect((await one.getBlob(path, image.config.digest))?.length).toBe(image.config.size);
    expect(await one.getBlob(path, blobOf("other").digest)).toBeUndefined();
    expect(await site.registry.digestOf(path, "1.0")).toBe(image.manifest.digest);
  });

  test("the first request alone goes without a login", async () => {
    const one = site.client();
    await one.headManifest("test/none", "1");
    await one.headManifest("test/none", "2");
    expect(site.proxy.seen.map((seen) => [seen.status, seen.authorization])).toEqual([
      [401, ""],
      [404, "Basic"],
      [404, "Basic"],
    ]);
    expect(one.requests).toBe(3);
  });

  test("a wrong password is tried once and named", async () => {
    const one = site.client({ credentials: WRONG });
    await expect(one.proveUpload("test/a")).rejects.toMatchObject({
      code: "LOGIN_FAILED",
      message: expect.stringContaining(`${site.proxy.host} refused the login`),
      fix: expect.stringContaining("password"),
    });
    expect(site.proxy.seen.filter((seen) => seen.authorization !== "")).toHaveLength(1);
  });

  test("a wrong password is tried once also by many requests side by side", async () => {
    const one = site.client({ credentials: WRONG });
    const ends = await Promise.allSettled(["a", "b", "c"].map((name) => one.listTags(`test/${name}`)));
    expect(ends.map((end) => end.status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(site.proxy.seen.filter((seen) => seen.authorization !== "")).toHaveLength(1);
  });

  test("no login at all says which inputs are missing", async () => {
    const one = site.client({ credentials: undefined });
    await expect(one.listTags("test/a")).rejects.toMatchObject({
      code: "LOGIN_FAILED",
      message: expect.stringContaining("none is given"),
      fix: expect.stringContaining("`registry-auth`"),
    });
  });

  test("a challenge of another kind is told, and the login that was given is not denied", async () => {
    const headers = { "www-authenticate": 'Digest realm="x"' };
    site.proxy.add({ fault: { kind: "status", status: 401, headers } });
    await expect(site.client().listTags("test/a")).rejects.toMatchObject({
      code: "LOGIN_FAILED",
      message: expect.stringMatching(/refused the login: .*neither a Bearer nor a Basic challenge/),
    });
  });

  test("a 401 in the middle is final for a password", async () => {
    const path = site.freshPath();
    const one = site.client();
    const image = await stored(one, path);
    site.proxy.add({
      method: "PUT",
      target: /manifests\/x$/,
      fault: { kind: "status", status: 401 },
      times: 1,
    });
    await expect(one.putManifest(path, "x", image.manifest)).rejects.toMatchObject({ code: "DENIED" });
    expect(site.proxy.seen.filter((seen) => seen.target.endsWith("/manifests/x"))).toHaveLength(1);
  });

  test("a preflight starts one upload and cancels it", async () => {
    const before = site.registry.accessLog().length;
    await site.client().proveUpload(site.freshPath());
    const log = site.registry.accessLog().slice(before);
    expect(log.map((line) => [line.method, line.status])).toEqual([
      ["POST", 401],
      ["POST", 202],
      ["DELETE", 204],
    ]);
  });

  test("a mount takes a blob over without its bytes", async () => {
    const one = site.client();
    const from = site.freshPath();
    const image = await stored(one, from);
    const to = site.freshPath();
    site.proxy.clear();
    expect(await one.mountBlob(to, image.config.digest, from)).toBe(true);
    expect(await one.hasBlob(to, image.config.digest)).toBe(true);
    expect(await one.mountBlob(to, blobOf("nowhere").digest, from)).toBe(false);
    expect(site.proxy.seen.reduce((sum, seen) => sum + seen.bytes, 0)).toBe(0);
    expect(site.proxy.seen.at(-1)).toMatchObject({ method: "DELETE", status: 204 });
  });

  test("without the types a registry converts; with them the digest is the image's own", async () => {
    const path = site.freshPath();
    const one = site.client();
    const config = blobOf(
      JSON.stringify({
        os: "linux",
        architecture: "amd64",
        rootfs: { type: "layers", diff_ids: [] },
        history: [{}],
      }),
    );
    const layer = blobOf("layer");
    for (const blob of [config, layer]) await one.uploadBlob(path, blob);
    const manifest = documentOf(
      {
        schemaVersion: 2,
        mediaType: "application/vnd.docker.distribution.manifest.v2+json",
        config: {
          mediaType: "application/vnd.docker.container.image.v1+json",
          digest: config.digest,
          size: config.size,
        },
        layers: [
          {
            mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
            digest: layer.digest,
            size: layer.size,
          },
        ],
      },
      "application/vnd.docker.distribution.manifest.v2+json",
    );
    await one.putManifest(path, "old", manifest);
    const plain = await site.registry.fetch(`/v2/${path}/manifests/old`);
    expect(plain.headers.get("docker-content-digest")).not.toBe(manifest.digest);
    expect((await one.headManifest(path, "old"))?.digest).toBe(manifest.digest);
    expect((await one.getManifest(path, "old"))?.digest).toBe(manifest.digest);
  });

  test("all pages of tags are read, those of attached documents left out", async () => {
    const path = site.freshPath();
    const one = site.client();
    const image = await stored(one, path);
    const tags = ["1.0", "1.1", "2.0", "latest"];
    for (const tag of [...tags, `sha256-${"a".repeat(64)}`, `sha256-${"b".repeat(64)}.sig`]) {
      await one.putManifest(path, tag, image.manifest);
    }
    expect((await one.listTags(path)).sort()).toEqual(tags);
    const page = (names: readonly string[] | null, next?: string) => ({
      kind: "status" as const,
      status: 200,
      headers: {
        "content-type": "application/json",
        ...(next ? { link: `<${next}>; rel="next"` } : {}),
      },
      body: JSON.stringify({ name: path, tags: names }),
    });
    site.proxy.add({ target: /n=1000$/, fault: page(["1.0", "1.1"], `/v2/${path}/tags/list?last=1.1&n=2`) });
    site.proxy.add({
      target: /last=1.1/,
      fault: page(["2.0"], `${site.proxy.origin}/v2/${path}/tags/list?last=2.0&n=2`),
    });
    site.proxy.add({ target: /last=2.0/, fault: page(["latest"]) });
    expect(await one.listTags(path)).toEqual(tags);
    expect(await one.listTagsWithin(path, 2)).toBeUndefined();
    expect(await one.listTagsWithin(path, 3)).toEqual(tags);
    site.proxy.clear();
    site.proxy.add({ target: /n=1000$/, fault: page(null) });
    expect(await one.listTags(path)).toEqual([]);
    expect(await one.listTags("test/none")).toEqual([]);
  });

  test("a registry that does not let tags be listed can still be asked for one", async () => {
    const one = site.client();
    site.proxy.add({
      target: /tags\/list/,
      fault: { kind: "status", status: 403, body: '{"errors":[{"code":"DENIED"}]}' },
    });
    expect(await one.listTagsWithin("test/a", 2)).toBeUndefined();
    await expect(one.listTags("test/a")).rejects.toMatchObject({ code: "DENIED" });
    site.proxy.clear();
    site.proxy.add({ target: /tags\/list/, fault: { kind: "status", status: 501 } });
    expect(await one.listTagsWithin("test/a", 2)).toBeUndefined();
    expect(site.proxy.seen.filter((seen) => seen.faulty)).toHaveLength(1);
  });
});

describe("places", () => {
  test("a redirect to another host gets no Authorization", async () => {
    const path = site.freshPath();
    const one = site.client();
    const image = await stored(one, path);
    const other = await startFaultProxy(site.registry.origin);
    try {
      other.add({ fault: { kind: "status", status: 404 } });
      site.proxy.add({ method: "GET", target: /blobs/, fault: { kind: "redirect", origin: other.origin } });
      await one.getBlob(path, image.config.digest);
      expect(other.seen.map((seen) => seen.authorization)).toEqual([""]);
    } finally {
      await other.stop();
    }
  });

  test("a redirect within the host keeps it", async () => {
    const path = site.freshPath();
    const one = site.client();
    const image = await stored(one, path);
    site.proxy.add({ method: "GET", target: /blobs/, fault: { kind: "redirect", origin: "" }, times: 1 });
    expect(await one.getBlob(path, image.config.digest)).toBeDefined();
    expect(site.proxy.seen.at(-1)).toMatchObject({ authorization: "Basic", status: 200 });
  });

  test("a relative Location and one with another scheme lead back to the registry", async () => {
    const path = site.freshPath();
    const one = site.client();
    await one.headManifest(path, "x");
    for (const prefix of ["", `http://${site.proxy.host}`]) {
      site.proxy.clear();
      const target = `/v2/${path}/blobs/uploads/nowhere?_state=abc`;
      site.proxy.add({
        method: "POST",
        fault: { kind: "status", status: 202, headers: { location: `${prefix}${target}` } },
      });
      site.proxy.add({ method: "PUT", fault: { kind: "status", status: 201 } });
      const blob = blobOf(`x${prefix}`);
      await one.uploadBlob(path, blob);
      expect(site.proxy.seen.at(-1)?.target).toBe(`${target}&digest=${encodeURIComponent(blob.digest)}`);
    }
  });

  test("what is too large for one request goes in parts", async () => {
    const path = site.freshPath();
    const one = site.client();
    site.proxy.add({ method: "PUT", target: /blobs/, fault: { kind: "status", status: 413 }, times: 1 });
    const blob = blobOf(Buffer.alloc((33 << 20) + 5, "goci"));
    await one.uploadBlob(path, blob);
    expect(await one.hasBlob(path, blob.digest)).toBe(true);
    const patches = site.proxy.seen.filter((seen) => seen.method === "PATCH");
    expect(patches.length).toBeGreaterThanOrEqual(1);
    expect(patches.reduce((sum, seen) => sum + seen.bytes, 0)).toBe(blob.size);
  });
});

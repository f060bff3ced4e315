import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startRegistry, type TestRegistry } from "../../../lib/testing/registry.ts";
import { startFaultProxy } from "../../../lib/testing/registry-faults.ts";
import { rootOf } from "../src/push/image-index.ts";
import { preflight } from "../src/push/preflight.ts";
import { push } from "../src/push/push.ts";
import { imageOf, jobOf, repositoryOf, tagsOf } from "./push-kit.ts";
import { RegistrySite } from "./registry-site.ts";

const site = new RegistrySite();
let other: TestRegistry;

beforeAll(async () => {
  other = await startRegistry();
});

afterAll(() => other.stop());

const pathOf = (name: string) => repositoryOf(name).path;
const seen = () => site.proxy.seen.map((request) => request.method).join(" ");

describe("a push", () => {
  test("goes blobs, manifest by digest, proof, tags in order", async () => {
    const name = site.freshName();
    const image = imageOf(["one", "two"]);
    const used = site.ports();
    const result = await push(jobOf(image, [name], tagsOf("1.0.0!", "1.0", "latest")), used);
    const { digest } = image.manifest;
    expect(result).toMatchObject({ outcome: "succeeded", digest });
    expect(result.tags.map((tag) => [tag.tag, tag.action, tag.before])).toEqual([
      ["1.0.0", "created", ""],
      ["1.0", "created", ""],
      ["latest", "created", ""],
    ]);
    expect(result.uploadedBytes).toBe(
      [...image.layers, image.config].reduce((sum, blob) => sum + blob.size, 0),
    );
    const story = site.proxy.seen
      .filter(
        (request) =>
          request.method === "PUT" || (request.method === "GET" && /manifests/.test(request.target)),
      )
      .map((request) =>
        /blobs/.test(request.target) ? "blob" : `${request.method} ${request.target.split("/").pop()}`,
      );
    expect(story).toEqual([
      "blob",
      "blob",
      "blob",
      `PUT ${digest}`,
      `GET ${digest}`,
      "PUT 1.0.0",
      "PUT 1.0",
      "PUT latest",
    ]);
    for (const tag of ["1.0.0", "1.0", "latest"])
      expect(await site.registry.digestOf(pathOf(name), tag)).toBe(digest);
    expect(used.saved).toEqual([
      { digest, moves: ["1.0.0", "1.0", "latest"].map((tag) => ({ image: name, tag, before: "" })) },
      undefined,
    ]);
  });

  test("of what is there already is one HEAD and one PUT for each new tag", async () => {
    const name = site.freshName();
    const image = imageOf(["warm"]);
    await push(jobOf(image, [name], tagsOf("first!")), site.ports());
    site.proxy.clear();
    const tags = ["a!", "b!", "c!", "d", "e", "f"];
    await push(jobOf(image, [name], tagsOf(...tags)), site.ports());
    expect(site.requests("HEAD", /manifests/)).toBe(1);
    expect(site.requests("PUT", /manifests/)).toBe(tags.length);
    expect(
      site.requests("GET", /blobs|\/blobs/) +
        site.requests("POST", /./) +
        site.requests("PATCH", /./) +
        site.requests("HEAD", /blobs/),
    ).toBe(0);
    expect(site.proxy.seen.length).toBeLessThanOrEqual(image.layers.length + tags.length + 6);
  });

  test("again is unchanged: nothing but reads", async () => {
    const name = site.freshName();
    const job = jobOf(imageOf(["same"]), [name], tagsOf("1!", "main", "latest"));
    await push(job, site.ports());
    site.proxy.clear();
    const used = site.ports();
    const result = await push(job, used);
    expect(result).toMatchObject({ outcome: "unchanged", uploadedBytes: 0 });
    expect(result.tags.map((tag) => tag.action)).toEqual(["unchanged", "unchanged", "unchanged"]);
    expect(seen()).toBe("GET GET HEAD HEAD HEAD");
    expect(used.saved).toEqual([]);
  });

  test("moves what may move and tells what it was", async () => {
    const name = site.freshName();
    const old = imageOf(["old"]);
    await push(jobOf(old, [name], tagsOf("1.0.0!", "latest")), site.ports());
    const result = await push(jobOf(imageOf(["new"]), [name], tagsOf("1.0.1!", "latest")), site.ports());
    expect(result.tags.map((tag) => [tag.tag, tag.action, tag.before])).toEqual([
      ["1.0.1", "created", ""],
      ["latest", "moved", old.manifest.digest],
    ]);
    expect(await site.registry.digestOf(pathOf(name), "1.0.0")).toBe(old.manifest.digest);
  });

  test("an immutable tag with another digest ends it before anything is sent", async () => {
    const name = site.freshName();
    const old = imageOf(["old"]);
    await push(jobOf(old, [name], tagsOf("1.0.0!", "main")), site.ports());
    site.proxy.clear();
    const image = imageOf(["new"]);
    await expect(push(jobOf(image, [name], tagsOf("1.0.0!", "main")), site.ports())).rejects.toMatchObject({
      code: "TAG_IMMUTABLE",
      message: expect.stringContaining(`${name}:1.0.0 exists`),
      evidence: [`${name}:1.0.0 is ${old.manifest.digest}, not ${image.manifest.digest}`],
    });
    expect(seen()).not.toMatch(/PUT|POST|PATCH/);
  });

  test.each([
    ["never", "main", "TAG_IMMUTABLE"],
    ["moving", "main", undefined],
    ["moving", "1.0.0!", "TAG_IMMUTABLE"],
    ["always", "1.0.0!", undefined],
  ] as const)("overwrite: %s and an existing %s", async (overwrite, tag, code) => {
    const name = site.freshName();
    await push(jobOf(imageOf(["old"]), [name], tagsOf(tag)), site.ports());
    const again = push(jobOf(imageOf(["new"]), [name], tagsOf(tag), { overwrite }), site.ports());
    if (code) await expect(again).rejects.toMatchObject({ code });
    else expect((await again).tags[0]?.action).toBe("moved");
    const same = await push(
      jobOf(imageOf([code ? "old" : "new"]), [name], tagsOf(tag), { overwrite: "never" }),
      site.ports(),
    );
    expect(same.outcome).toBe("unchanged");
  });

  test("a second repository of the same registry takes the blobs over", async () => {
    const [one, two] = [site.freshName(), site.freshName()];
    const image = imageOf(["mounted a", "mounted b"]);
    await push(jobOf(image, [one, two], tagsOf("x")), site.ports());
    expect(site.requests("POST", /mount=/)).toBe(3);
    expect(site.requests("PUT", new RegExp(`${pathOf(two)}/blobs`))).toBe(0);
    expect(await site.registry.digestOf(pathOf(two), "x")).toBe(image.manifest.digest);
  });

  test("two registries get the manifest before either gets a tag; tags go by rank", async () => {
    const name = site.freshName();
    const away = await startFaultProxy(other.origin);
    try {
      const image = imageOf(["two registries"]);
      const order: string[] = [];
      const note = (where: string) => (request: { method: string; target: string }) => {
        if (request.method === "PUT" && /manifests/.test(request.target)) {
          order.push(
            `${where} ${request.target
              .split("/")
              .pop()
              ?.replace(/^sha256.*/, "digest")}`,
          );
        }
      };
      site.proxy.onRequest(note("here"));
      away.onRequest(note("there"));
      await push(jobOf(image, [name, `${away.host}/test/x`], tagsOf("1!", "latest")), site.ports());
      expect(order).toEqual([
        "here digest",
        "there digest",
        "here 1",
        "there 1",
        "here latest",
        "there latest",
      ]);
      expect(await other.digestOf("test/x", "latest")).toBe(image.manifest.digest);
    } finally {
      await away.stop();
    }
  });

  test("without tags it pushes by digest", async () => {
    const name = site.freshName();
    const image = imageOf(["no tags"]);
    expect(await push(jobOf(image, [name], []), site.ports())).toMatchObject({
      outcome: "succeeded",
      tags: [],
    });
    expect(await site.registry.digestOf(pathOf(name), image.manifest.digest)).toBe(image.manifest.digest);
  });
});

describe("several platforms", () => {
  test("become an index whose children are there and proven", async () => {
    const name = site.freshName();
    const images = [imageOf(["shared", "a"], "amd64"), imageOf(["shared", "b"], "arm64")] as const;
    const root = rootOf([...images], {
      index: { "org.example": "x" },
      descriptor: ({ architecture }) => ({ arch: architecture }),
    });
    const job = jobOf(images[0], [name], tagsOf("1!"), { root, images: [...images] });
    const result = await push(job, site.ports());
    expect(result.digest).toBe(root.digest);
    const answer = await site.registry.fetch(`/v2/${pathOf(name)}/manifests/1`, {
      headers: { accept: root.mediaType },
    });
    const index = (await answer.json()) as {
      manifests: { digest: string; platform: object; annotations: object }[];
      annotations: object;
    };
    expect(index.annotations).toEqual({ "org.example": "x" });
    expect(index.manifests.map((entry) => [entry.digest, entry.platform, entry.annotations])).toEqual([
      [images[0].manifest.digest, { architecture: "amd64", os: "linux" }, { arch: "amd64" }],
      [images[1].manifest.digest, { architecture: "arm64", os: "linux" }, { arch: "arm64" }],
    ]);
    for (const { manifest } of images) expect(site.requests("GET", new RegExp(manifest.digest))).toBe(1);
  });

  test("an image built for another platform than it says is refused before anything is sent", async () => {
    const wrong = { ...imageOf(["x"], "amd64"), platform: { os: "linux", architecture: "arm64" } };
    await expect(push(jobOf(wrong, [site.freshName()], tagsOf("1!")), site.ports())).rejects.toMatchObject({
      code: "BUILD_FAILED",
      message: expect.stringContaining("linux/arm64 was built for linux/amd64"),
    });
    expect(site.proxy.seen).toEqual([]);
  });

  test("one platform needs no index, and the same images give the same index", () => {
    const image = imageOf(["x"]);
    expect(rootOf([image])).toBe(image.manifest);
    const pair = [imageOf(["x"]), imageOf(["y"], "arm64")] as [
      ReturnType<typeof imageOf>,
      ReturnType<typeof imageOf>,
    ];
    expect(rootOf(pair).digest).toBe(rootOf(pair).digest);
    expect(rootOf(pair).digest).not.toBe(rootOf([pair[1], pair[0]]).digest);
  });
});

describe("preflight", () => {
  test("names every repository that may not be pushed to, before anything is built", async () => {
    const [one, two] = [site.freshName(), site.freshName()];
    site.proxy.add({
      method: "POST",
      target: new RegExp(pathOf(one)),
      fault: { kind: "status", status: 403 },
    });
    site.proxy.add({
      method: "POST",
      target: new RegExp(pathOf(two)),
      fault: { kind: "status", status: 404 },
    });
    const startedAt = performance.now();
    await expect(
      preflight([one, two, site.freshName()].map(repositoryOf), site.ports()),
    ).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`${pathOf(one)}.*${pathOf(two)}`)),
    });
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test("tries a wrong password once, however many repositories there are", async () => {
    const wrong = site.ports({ kind: "password", username: site.registry.username, password: "wrong" });
    const names = [site.freshName(), site.freshName(), site.freshName()];
    await expect(preflight(names.map(repositoryOf), wrong)).rejects.toMatchObject({ code: "LOGIN_FAILED" });
    expect(site.proxy.seen.filter((request) => request.authorization !== "")).toHaveLength(1);
  });

  test("creates what is missing where that is wanted, and asks again", async () => {
    const name = site.freshName();
    site.proxy.add({ method: "POST", fault: { kind: "status", status: 404 }, after: 1, times: 1 });
    const created: string[] = [];
    const createRepository = async (repository: { name: string }) => created.push(repository.name) > 0;
    await preflight([repositoryOf(name)], { ...site.ports(), createRepository });
    expect(created).toEqual([name]);
    expect(site.proxy.seen.at(-1)).toMatchObject({ method: "DELETE", status: 204 });
  });
});

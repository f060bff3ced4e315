import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { startRegistry, type TestRegistry } from "../../../lib/testing/registry.ts";
import { type FaultProxy, startFaultProxy } from "../../../lib/testing/registry-faults.ts";
import { rootOf } from "../src/push/image-index.ts";
import { preflight } from "../src/push/preflight.ts";
import { push } from "../src/push/push.ts";
import { imageOf, jobOf, loginOf, portsFor, repositoryOf, type TestPorts, tagsOf } from "./push-kit.ts";

let registry: TestRegistry;
let other: TestRegistry;
let proxy: FaultProxy;
const opened: TestPorts[] = [];
let count = 0;

beforeAll(async () => {
  [registry, other] = await Promise.all([startRegistry(), startRegistry()]);
  proxy = await startFaultProxy(registry.origin);
});

afterAll(async () => {
  await proxy.stop();
  await Promise.all([registry.stop(), other.stop()]);
});

afterEach(() => {
  for (const ports of opened.splice(0)) ports.close();
  proxy.clear();
});

function ports(): TestPorts {
  const made = portsFor(loginOf(registry));
  opened.push(made);
  return made;
}

/** The name of a repository that no other test uses, through the proxy. */
const fresh = () => `${proxy.host}/test/p${++count}`;
const pathOf = (name: string) => repositoryOf(name).path;
const seen = () => proxy.seen.map((request) => request.method).join(" ");
const countOf = (method: string, target: RegExp) =>
  proxy.seen.filter((request) => request.method === method && target.test(request.target)).length;

describe("a push", () => {
  test("goes blobs, manifest by digest, proof, tags in order", async () => {
    const name = fresh();
    const image = imageOf(["one", "two"]);
    const used = ports();
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
    const story = proxy.seen
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
      expect(await registry.digestOf(pathOf(name), tag)).toBe(digest);
    expect(used.saved).toEqual([
      { digest, moves: ["1.0.0", "1.0", "latest"].map((tag) => ({ image: name, tag, before: "" })) },
      undefined,
    ]);
  });

  test("of what is there already is one HEAD and one PUT for each new tag", async () => {
    const name = fresh();
    const image = imageOf(["warm"]);
    await push(jobOf(image, [name], tagsOf("first!")), ports());
    proxy.clear();
    const tags = ["a!", "b!", "c!", "d", "e", "f"];
    await push(jobOf(image, [name], tagsOf(...tags)), ports());
    expect(countOf("HEAD", /manifests/)).toBe(1);
    expect(countOf("PUT", /manifests/)).toBe(tags.length);
    expect(
      countOf("GET", /blobs|\/blobs/) +
        countOf("POST", /./) +
        countOf("PATCH", /./) +
        countOf("HEAD", /blobs/),
    ).toBe(0);
    expect(proxy.seen.length).toBeLessThanOrEqual(image.layers.length + tags.length + 6);
  });

  test("again is unchanged: nothing but reads", async () => {
    const name = fresh();
    const job = jobOf(imageOf(["same"]), [name], tagsOf("1!", "main", "latest"));
    await push(job, ports());
    proxy.clear();
    const used = ports();
    const result = await push(job, used);
    expect(result).toMatchObject({ outcome: "unchanged", uploadedBytes: 0 });
    expect(result.tags.map((tag) => tag.action)).toEqual(["unchanged", "unchanged", "unchanged"]);
    expect(seen()).toBe("GET GET HEAD HEAD HEAD");
    expect(used.saved).toEqual([]);
  });

  test("moves what may move and tells what it was", async () => {
    const name = fresh();
    const old = imageOf(["old"]);
    await push(jobOf(old, [name], tagsOf("1.0.0!", "latest")), ports());
    const result = await push(jobOf(imageOf(["new"]), [name], tagsOf("1.0.1!", "latest")), ports());
    expect(result.tags.map((tag) => [tag.tag, tag.action, tag.before])).toEqual([
      ["1.0.1", "created", ""],
      ["latest", "moved", old.manifest.digest],
    ]);
    expect(await registry.digestOf(pathOf(name), "1.0.0")).toBe(old.manifest.digest);
  });

  test("an immutable tag with another digest ends it before anything is sent", async () => {
    const name = fresh();
    const old = imageOf(["old"]);
    await push(jobOf(old, [name], tagsOf("1.0.0!", "main")), ports());
    proxy.clear();
    const image = imageOf(["new"]);
    await expect(push(jobOf(image, [name], tagsOf("1.0.0!", "main")), ports())).rejects.toMatchObject({
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
    const name = fresh();
    await push(jobOf(imageOf(["old"]), [name], tagsOf(tag)), ports());
    const again = push(jobOf(imageOf(["new"]), [name], tagsOf(tag), { overwrite }), ports());
    if (code) await expect(again).rejects.toMatchObject({ code });
    else expect((await again).tags[0]?.action).toBe("moved");
    const same = await push(
      jobOf(imageOf([code ? "old" : "new"]), [name], tagsOf(tag), { overwrite: "never" }),
      ports(),
    );
    expect(same.outcome).toBe("unchanged");
  });

  test("a second repository of the same registry takes the blobs over", async () => {
    const [one, two] = [fresh(), fresh()];
    const image = imageOf(["mounted a", "mounted b"]);
    await push(jobOf(image, [one, two], tagsOf("x")), ports());
    expect(countOf("POST", /mount=/)).toBe(3);
    expect(countOf("PUT", new RegExp(`${pathOf(two)}/blobs`))).toBe(0);
    expect(await registry.digestOf(pathOf(two), "x")).toBe(image.manifest.digest);
  });

  test("two registries get the manifest before either gets a tag; tags go by rank", async () => {
    const name = fresh();
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
      proxy.onRequest(note("here"));
      away.onRequest(note("there"));
      await push(jobOf(image, [name, `${away.host}/test/x`], tagsOf("1!", "latest")), ports());
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
    const name = fresh();
    const image = imageOf(["no tags"]);
    expect(await push(jobOf(image, [name], []), ports())).toMatchObject({ outcome: "succeeded", tags: [] });
    expect(await registry.digestOf(pathOf(name), image.manifest.digest)).toBe(image.manifest.digest);
  });
});

describe("several platforms", () => {
  test("become an index whose children are there and proven", async () => {
    const name = fresh();
    const images = [imageOf(["shared", "a"], "amd64"), imageOf(["shared", "b"], "arm64")] as const;
    const root = rootOf([...images], {
      index: { "org.example": "x" },
      descriptor: ({ architecture }) => ({ arch: architecture }),
    });
    const job = jobOf(images[0], [name], tagsOf("1!"), { root, images: [...images] });
    const result = await push(job, ports());
    expect(result.digest).toBe(root.digest);
    const answer = await registry.fetch(`/v2/${pathOf(name)}/manifests/1`, {
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
    for (const { manifest } of images) expect(countOf("GET", new RegExp(manifest.digest))).toBe(1);
  });

  test("an image built for another platform than it says is refused before anything is sent", async () => {
    const wrong = { ...imageOf(["x"], "amd64"), platform: { os: "linux", architecture: "arm64" } };
    await expect(push(jobOf(wrong, [fresh()], tagsOf("1!")), ports())).rejects.toMatchObject({
      code: "BUILD_FAILED",
      message: expect.stringContaining("linux/arm64 was built for linux/amd64"),
    });
    expect(proxy.seen).toEqual([]);
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
    const [one, two] = [fresh(), fresh()];
    proxy.add({ method: "POST", target: new RegExp(pathOf(one)), fault: { kind: "status", status: 403 } });
    proxy.add({ method: "POST", target: new RegExp(pathOf(two)), fault: { kind: "status", status: 404 } });
    const startedAt = performance.now();
    await expect(preflight([one, two, fresh()].map(repositoryOf), ports())).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`${pathOf(one)}.*${pathOf(two)}`)),
    });
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  test("tries a wrong password once, however many repositories there are", async () => {
    const wrong = portsFor({ kind: "password", username: registry.username, password: "wrong" });
    opened.push(wrong);
    const names = [fresh(), fresh(), fresh()];
    await expect(preflight(names.map(repositoryOf), wrong)).rejects.toMatchObject({ code: "LOGIN_FAILED" });
    expect(proxy.seen.filter((request) => request.authorization !== "")).toHaveLength(1);
  });

  test("creates what is missing where that is wanted, and asks again", async () => {
    const name = fresh();
    proxy.add({ method: "POST", fault: { kind: "status", status: 404 }, after: 1, times: 1 });
    const created: string[] = [];
    const createRepository = async (repository: { name: string }) => created.push(repository.name) > 0;
    await preflight([repositoryOf(name)], { ...ports(), createRepository });
    expect(created).toEqual([name]);
    expect(proxy.seen.at(-1)).toMatchObject({ method: "DELETE", status: 204 });
  });
});

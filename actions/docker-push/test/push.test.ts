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

describe("documents about an image", () => {
  const documentFor = (subject: string, text: string) => ({
    subject,
    artifactType: "application/spdx+json",
    bytes: Buffer.from(text),
    annotations: { "org.opencontainers.image.created": "2026-01-01T00:00:00Z" },
  });

  test("are listed under the tag that stands for the missing API, before any tag moves", async () => {
    const name = fresh();
    const path = pathOf(name);
    const image = imageOf(["attested"]);
    const subject = image.manifest.digest;
    const attachments = [documentFor(subject, '{"sbom":1}'), documentFor(subject, '{"provenance":1}')];
    const result = await push(jobOf(image, [name], tagsOf("1!", "latest"), { attachments }), ports());
    expect(result.attached.map((item) => item.subject)).toEqual([subject, subject]);
    const list = await registry.fetch(`/v2/${path}/manifests/${subject.replace(":", "-")}`, {
      headers: { accept: "application/vnd.oci.image.index.v1+json" },
    });
    const index = (await list.json()) as {
      manifests: { digest: string; artifactType: string; annotations: object }[];
    };
    expect(index.manifests.map((entry) => entry.digest)).toEqual(result.attached.map((item) => item.digest));
    expect(index.manifests[0]).toMatchObject({ artifactType: "application/spdx+json" });
    const stored = await registry.fetch(`/v2/${path}/manifests/${result.attached[0]?.digest}`, {
      headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
    });
    const manifest = (await stored.json()) as {
      subject: { digest: string; size: number };
      layers: { digest: string }[];
    };
    expect(manifest.subject).toEqual({
      mediaType: image.manifest.mediaType,
      digest: subject,
      size: image.manifest.bytes.length,
    });
    const blob = await registry.fetch(`/v2/${path}/blobs/${manifest.layers[0]?.digest}`);
    expect(await blob.text()).toBe('{"sbom":1}');
    const targets = proxy.seen.map((request) => `${request.method} ${request.target}`);
    const firstTag = targets.indexOf(`PUT /v2/${path}/manifests/1`);
    expect(
      targets.findLastIndex((target) => target.includes("PUT") && target.includes("sha256-")),
    ).toBeLessThan(firstTag);
  });

  test("need no list where the registry says that it keeps one", async () => {
    const name = fresh();
    const image = imageOf(["with api"]);
    const attachments = [documentFor(image.manifest.digest, "{}")];
    proxy.add({
      method: "GET",
      target: /referrers/,
      fault: {
        kind: "status",
        status: 200,
        headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
        body: '{"schemaVersion":2,"manifests":[]}',
      },
    });
    await push(jobOf(image, [name], [], { attachments }), ports());
    // The API is there and does not know the document: it is listed by us rather than lost.
    expect(countOf("PUT", /manifests\/sha256-/)).toBe(1);
  });

  test("a list that cannot be read is a failure, not an empty list", async () => {
    const name = fresh();
    const image = imageOf(["unreadable"]);
    const attachments = [documentFor(image.manifest.digest, "{}")];
    proxy.add({ method: "GET", target: /referrers/, fault: { kind: "status", status: 403, body: "no" } });
    const job = jobOf(image, [name], tagsOf("1!"), { attachments });
    await expect(push(job, ports())).rejects.toMatchObject({ code: "DENIED" });
    expect(await registry.digestOf(pathOf(name), "1")).toBeUndefined();
  });

  test("somebody else's entry is kept, and one that another run has overwritten is written anew", async () => {
    const name = fresh();
    const path = pathOf(name);
    const image = imageOf(["raced"]);
    const subject = image.manifest.digest;
    await push(jobOf(image, [name], [], { attachments: [documentFor(subject, "one")] }), ports());
    await push(jobOf(image, [name], [], { attachments: [documentFor(subject, "two")] }), ports());
    const read = async () => {
      const answer = await registry.fetch(`/v2/${path}/manifests/${subject.replace(":", "-")}`, {
        headers: { accept: "application/vnd.oci.image.index.v1+json" },
      });
      return {
        text: await answer.clone().text(),
        count: ((await answer.json()) as { manifests: object[] }).manifests.length,
      };
    };
    const former = await read();
    expect(former.count).toBe(2);
    // Before ours is read back, another run puts its own list in its place, once.
    let isRaced = false;
    proxy.clear();
    proxy.onRequest(async (request) => {
      if (isRaced || request.method !== "GET" || countOf("PUT", /manifests\/sha256-/) === 0) return;
      isRaced = true;
      await registry.fetch(`/v2/${path}/manifests/${subject.replace(":", "-")}`, {
        method: "PUT",
        headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
        body: former.text,
      });
    });
    await push(jobOf(image, [name], [], { attachments: [documentFor(subject, "three")] }), ports());
    expect(isRaced).toBe(true);
    expect((await read()).count).toBe(3);
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

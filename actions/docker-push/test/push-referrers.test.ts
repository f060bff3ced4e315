import { describe, expect, test } from "@jest/globals";
import { push } from "../src/push/push.ts";
import { imageOf, jobOf, repositoryOf, tagsOf } from "./push-kit.ts";
import { RegistrySite } from "./registry-site.ts";

const site = new RegistrySite();
const pathOf = (name: string) => repositoryOf(name).path;

describe("documents about an image", () => {
  const documentFor = (subject: string, text: string) => ({
    subject,
    artifactType: "application/spdx+json",
    bytes: Buffer.from(text),
    annotations: { "org.opencontainers.image.created": "2026-01-01T00:00:00Z" },
  });

  test("are listed under the tag that stands for the missing API, before any tag moves", async () => {
    const name = site.freshName();
    const path = pathOf(name);
    const image = imageOf(["attested"]);
    const subject = image.manifest.digest;
    const attachments = [documentFor(subject, '{"sbom":1}'), documentFor(subject, '{"provenance":1}')];
    const result = await push(jobOf(image, [name], tagsOf("1!", "latest"), { attachments }), site.ports());
    expect(result.attached.map((item) => item.subject)).toEqual([subject, subject]);
    const list = await site.registry.fetch(`/v2/${path}/manifests/${subject.replace(":", "-")}`, {
      headers: { accept: "application/vnd.oci.image.index.v1+json" },
    });
    const index = (await list.json()) as {
      manifests: { digest: string; artifactType: string; annotations: object }[];
    };
    expect(index.manifests.map((entry) => entry.digest)).toEqual(result.attached.map((item) => item.digest));
    expect(index.manifests[0]).toMatchObject({ artifactType: "application/spdx+json" });
    const stored = await site.registry.fetch(`/v2/${path}/manifests/${result.attached[0]?.digest}`, {
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
    const blob = await site.registry.fetch(`/v2/${path}/blobs/${manifest.layers[0]?.digest}`);
    expect(await blob.text()).toBe('{"sbom":1}');
    const targets = site.proxy.seen.map((request) => `${request.method} ${request.target}`);
    const firstTag = targets.indexOf(`PUT /v2/${path}/manifests/1`);
    expect(
      targets.findLastIndex((target) => target.includes("PUT") && target.includes("sha256-")),
    ).toBeLessThan(firstTag);
  });

  test("that were asked for later are attached though no tag moves, and only once", async () => {
    const name = site.freshName();
    const image = imageOf(["attested later"]);
    const subject = image.manifest.digest;
    await push(jobOf(image, [name], tagsOf("1!", "latest")), site.ports());
    const job = jobOf(image, [name], tagsOf("1!", "latest"), { attachments: [documentFor(subject, "{}")] });
    const later = await push(job, site.ports());
    expect([later.outcome, later.attached.length]).toEqual(["succeeded", 1]);
    expect(site.requests("PUT", /manifests\/(1|latest)$/)).toBe(2);
    // Another text of the same kind (a provenance with another run's number) changes nothing.
    const again = { ...job, attachments: [documentFor(subject, '{"run":2}')] };
    expect(await push(again, site.ports())).toMatchObject({ outcome: "unchanged", attached: [] });
  });

  test("need no list where the registry says that it keeps one", async () => {
    const name = site.freshName();
    const image = imageOf(["with api"]);
    const attachments = [documentFor(image.manifest.digest, "{}")];
    site.proxy.add({
      method: "GET",
      target: /referrers/,
      fault: {
        kind: "status",
        status: 200,
        headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
        body: '{"schemaVersion":2,"manifests":[]}',
      },
    });
    await push(jobOf(image, [name], [], { attachments }), site.ports());
    // The API is there and does not know the document: it is listed by us rather than lost.
    expect(site.requests("PUT", /manifests\/sha256-/)).toBe(1);
  });

  test("a list that cannot be read is a failure, not an empty list", async () => {
    const name = site.freshName();
    const image = imageOf(["unreadable"]);
    const attachments = [documentFor(image.manifest.digest, "{}")];
    site.proxy.add({
      method: "GET",
      target: /referrers/,
      fault: { kind: "status", status: 403, body: "no" },
    });
    const job = jobOf(image, [name], tagsOf("1!"), { attachments });
    await expect(push(job, site.ports())).rejects.toMatchObject({ code: "DENIED" });
    expect(await site.registry.digestOf(pathOf(name), "1")).toBeUndefined();
  });

  test("somebody else's entry is kept, and one that another run has overwritten is written anew", async () => {
    const name = site.freshName();
    const path = pathOf(name);
    const image = imageOf(["raced"]);
    const subject = image.manifest.digest;
    await push(jobOf(image, [name], [], { attachments: [documentFor(subject, "one")] }), site.ports());
    await push(jobOf(image, [name], [], { attachments: [documentFor(subject, "two")] }), site.ports());
    const read = async () => {
      const answer = await site.registry.fetch(`/v2/${path}/manifests/${subject.replace(":", "-")}`, {
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
    site.proxy.clear();
    site.proxy.onRequest(async (request) => {
      if (isRaced || request.method !== "GET" || site.requests("PUT", /manifests\/sha256-/) === 0) return;
      isRaced = true;
      await site.registry.fetch(`/v2/${path}/manifests/${subject.replace(":", "-")}`, {
        method: "PUT",
        headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
        body: former.text,
      });
    });
    await push(jobOf(image, [name], [], { attachments: [documentFor(subject, "three")] }), site.ports());
    expect(isRaced).toBe(true);
    expect((await read()).count).toBe(3);
  });
});

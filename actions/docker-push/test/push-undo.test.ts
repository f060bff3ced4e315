import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Cancelled, type Failure } from "../../../lib/errors.ts";
import { push } from "../src/push/push.ts";
import { readMoves, undoMoves } from "../src/push/undo.ts";
import { BEFORE, FaultSite, NEW, OLD, TAGS } from "./fault-kit.ts";
import { imageOf, jobOf, tagsOf } from "./push-kit.ts";

let site: FaultSite;

beforeAll(async () => {
  site = await FaultSite.open(true);
});

afterAll(() => site.stop());

describe("a tag that cannot be set", () => {
  test.each(TAGS.map((tag) => tag.replace("!", "")))(
    "%s, for ever: what was moved goes back",
    async (tag) => {
      const { job, path, name } = await site.prepared();
      site.proxy.add({
        method: "PUT",
        target: new RegExp(`manifests/${tag.replaceAll(".", "\\.")}$`),
        fault: { kind: "status", status: 503 },
      });
      const end = await site.ended(job);
      await site.expectKept(path, end);
      expect(end.error).toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
      const now = await site.read(path);
      expect(now.slice(2)).toEqual(BEFORE.slice(2));
      const made = TAGS.slice(
        0,
        TAGS.findIndex((item) => item.replace("!", "") === tag),
      ).filter((item) => /^1/.test(item));
      for (const item of made) {
        expect((end.error as Failure).message).toMatch(/new and remaining: .*:1\.1\.0/);
        expect((end.error as Failure).evidence.join("\n")).toContain(
          `${name}:${item.replace("!", "")} is new and remains`,
        );
      }
      if (made.length === 0) expect((end.error as Failure).message).toContain("all tags are as before");
      // Nothing is left for a post step.
      expect(end.ports.saved.at(-1)).toBeUndefined();
    },
  );

  test("an answer that is lost for ever: the tag was moved, and goes back", async () => {
    const { job, path } = await site.prepared();
    site.proxy.add({ method: "PUT", target: /manifests\/main$/, fault: { kind: "lost-answer" }, times: 5 });
    const end = await site.ended(job);
    await site.expectKept(path, end);
    expect((await site.read(path))[2]).toBe(OLD.manifest.digest);
    expect((end.error as Failure).evidence.join("\n")).toContain(
      `main was put back to ${OLD.manifest.digest}`,
    );
  });

  test("a tag that somebody else has moved meanwhile is left alone", async () => {
    const { job, path, name } = await site.prepared();
    const theirs = imageOf(["theirs"]);
    const own = site.ports();
    await push(jobOf(theirs, [name], tagsOf("theirs")), own);
    own.close();
    site.proxy.add({ method: "PUT", target: /manifests\/latest$/, fault: { kind: "status", status: 403 } });
    site.proxy.onRequest(async (request) => {
      if (request.method !== "PUT" || !request.target.endsWith("/latest")) return;
      await site.put(path, "main", theirs);
    });
    const end = await site.ended(job);
    expect((await site.read(path))[2]).toBe(theirs.manifest.digest);
    expect((end.error as Failure).message).toContain(`moved by somebody else: ${name}:main`);
  });

  test("the registry dies with the move: what could not be put back is told and left for the post step", async () => {
    const { job, path, name } = await site.prepared();
    site.proxy.add({ target: /manifests\/latest$/, method: "PUT", fault: { kind: "status", status: 403 } });
    site.proxy.onRequest((request) => {
      if (request.method !== "PUT" || !request.target.endsWith("/latest")) return;
      site.proxy.add({ fault: { kind: "status", status: 503 } });
    });
    const end = await site.ended(job);
    await site.expectKept(path, end);
    expect((end.error as Failure).message).toContain("could not be put back");
    const saved = readMoves(JSON.parse(JSON.stringify(end.ports.saved.at(-1))));
    expect(saved?.moves).toHaveLength(4);
    site.proxy.clear();
    const post = site.ports();
    const undone = await undoMoves(saved ?? { digest: "", moves: [] }, post);
    post.close();
    expect(Object.fromEntries(undone.map((item) => [item.tag, item.result]))).toEqual({
      "1.1.0": "remains",
      "1.1": "remains",
      main: "restored",
      latest: "untouched",
    });
    expect((await site.read(path)).slice(2)).toEqual(BEFORE.slice(2));
    expect(undone.every((item) => item.image === name)).toBe(true);
  });
});

describe("a run that is cut", () => {
  test("a tag that is being set when the cancel comes is set to its end, and goes back", async () => {
    const { job, path } = await site.prepared();
    const ports = site.ports();
    site.proxy.onRequest(async (request) => {
      if (request.method !== "PUT" || !request.target.endsWith("/latest")) return;
      site.proxy.onRequest(undefined);
      ports.controller.abort(new Cancelled("the run was cancelled (SIGINT)"));
      // A registry that takes its time: an undo that does not wait for it looks too early.
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    const end = await site.ended(job, ports);
    expect((end.error as Failure).evidence.join("\n")).toContain(
      `latest was put back to ${OLD.manifest.digest}`,
    );
    expect((await site.read(path)).slice(2)).toEqual(BEFORE.slice(2));
  });

  test("a kill at each tag leaves a post step all that it needs", async () => {
    for (let killed = 1; killed <= TAGS.length; killed++) {
      const { job, path } = await site.prepared();
      const ports = site.ports();
      // A killed process sends nothing more: from that tag on, nobody answers and nothing is undone.
      let puts = 0;
      let saved: unknown;
      site.proxy.onRequest((request) => {
        if (request.method !== "PUT" || !/manifests\/(?!sha256:)/.test(request.target)) return;
        if (++puts !== killed) return;
        saved = JSON.parse(JSON.stringify(ports.saved.at(-1)));
        site.proxy.add({ fault: { kind: "reset" } });
      });
      await site.ended(job, ports);
      site.proxy.clear();
      const text = JSON.stringify(saved);
      expect(text).not.toContain(site.registry.password);
      const post = site.ports();
      await undoMoves(readMoves(saved) ?? { digest: "", moves: [] }, post);
      post.close();
      expect((await site.read(path)).slice(2)).toEqual(BEFORE.slice(2));
    }
  });

  test("a push that is cut in its blobs leaves no tag", async () => {
    const { job, path } = await site.prepared();
    const tags = jobOf(NEW, [job.repositories[0].name], tagsOf("fresh!"));
    site.proxy.add({ method: "PUT", target: /blobs/, fault: { kind: "reset" }, after: 1 });
    const end = await site.ended(tags);
    expect(end.error).toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
    expect(await site.registry.digestOf(path, "fresh")).toBeUndefined();
    expect(end.ports.saved).toEqual([]);
  });
});

describe("saved moves", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  test.each([
    [undefined],
    ["text"],
    [{ digest: "sha256:short", moves: [] }],
    [{ digest, moves: "none" }],
    [{ digest, moves: [] }],
    [{ digest, moves: [{ image: "ghcr.io/a/b", tag: "../x", before: "" }] }],
    [{ digest, moves: [{ image: "ghcr.io/a/b:1", tag: "x", before: "" }] }],
    [{ digest, moves: [{ image: "ghcr.io/a/b", tag: "x", before: "latest" }] }],
  ])("%j is none of ours", (value) => {
    expect(readMoves(value)).toBeUndefined();
  });
});

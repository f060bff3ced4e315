import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Cancelled, Failure } from "../../../lib/errors.ts";
import { startRegistry, type TestRegistry } from "../../../lib/testing/registry.ts";
import { type Fault, type FaultProxy, startFaultProxy } from "../../../lib/testing/registry-faults.ts";
import type { PushJob } from "../src/push/push.ts";
import { push } from "../src/push/push.ts";
import { readMoves, undoMoves } from "../src/push/undo.ts";
import { imageOf, jobOf, loginOf, portsFor, repositoryOf, type TestPorts, tagsOf } from "./push-kit.ts";

const OLD = imageOf(["old"]);
const NEW = imageOf(["new"]);
const TAGS = ["1.1.0!", "1.1", "main", "latest"];

let registry: TestRegistry;
let proxy: FaultProxy;
let count = 0;

beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startFaultProxy(registry.origin);
  const ports = portsFor(loginOf(registry));
  await push(jobOf(OLD, [`${registry.host}/fault/base`], []), ports);
  ports.close();
});

afterAll(async () => {
  await proxy.stop();
  await registry.stop();
});

/** A repository (through the proxy) whose `main` and `latest` name the old image. */
async function prepared(): Promise<{ name: string; path: string; job: PushJob }> {
  const name = `${proxy.host}/fault/f${++count}`;
  const { path } = repositoryOf(name);
  // Straight to the registry, blobs taken over: there are hundreds of these.
  for (const { digest } of [...OLD.layers, OLD.config]) {
    await registry.fetch(`/v2/${path}/blobs/uploads/?mount=${digest}&from=fault/base`, { method: "POST" });
  }
  for (const tag of ["main", "latest"]) await put(path, tag, OLD);
  proxy.clear();
  return { name, path, job: jobOf(NEW, [name], tagsOf(...TAGS)) };
}

async function put(path: string, tag: string, { manifest }: typeof OLD): Promise<void> {
  await registry.fetch(`/v2/${path}/manifests/${tag}`, {
    method: "PUT",
    headers: { "content-type": manifest.mediaType },
    body: new Uint8Array(manifest.bytes),
  });
}

const BEFORE = [undefined, undefined, OLD.manifest.digest, OLD.manifest.digest];
const AFTER = TAGS.map(() => NEW.manifest.digest);

const read = (path: string) => Promise.all(TAGS.map((tag) => registry.digestOf(path, tag.replace("!", ""))));

interface Ended {
  readonly error: unknown;
  readonly ports: TestPorts;
}

async function ended(job: PushJob, ports = portsFor(loginOf(registry))): Promise<Ended> {
  try {
    await push(job, ports);
    return { error: undefined, ports };
  } catch (error) {
    return { error, ports };
  } finally {
    ports.close();
  }
}

/**
 * The promise: green and all tags new, or red and all tags as before; a tag
 * that is neither (it is new and cannot be forgotten, or could not be put
 * back) is named in the failure.
 */
async function expectKept(path: string, { error }: Ended): Promise<void> {
  const now = await read(path);
  if (error === undefined) return expect(now).toEqual(AFTER);
  expect(error).toBeInstanceOf(Failure);
  const told = `${(error as Failure).message}\n${(error as Failure).evidence.join("\n")}`;
  for (const [index, tag] of TAGS.entries()) {
    if (now[index] !== BEFORE[index]) expect(told).toContain(`:${tag.replace("!", "")}`);
  }
}

/** How many requests a push without faults sends. */
async function requestsOfAPush(): Promise<number> {
  const { job, path } = await prepared();
  await expectKept(path, await ended(job));
  return proxy.seen.length;
}

const FAULTS: [string, Fault][] = [
  ["403", { kind: "status", status: 403 }],
  ["404", { kind: "status", status: 404 }],
  ["500", { kind: "status", status: 500 }],
  ["429", { kind: "status", status: 429, headers: { "retry-after": "1" } }],
  ["401", { kind: "status", status: 401 }],
  ["a reset", { kind: "reset" }],
  ["a lost answer", { kind: "lost-answer" }],
  ["a wrong digest", { kind: "digest", digest: `sha256:${"0".repeat(64)}` }],
  ["half an answer", { kind: "truncate" }],
];

describe("whatever single request fails, tags are all new or all as before", () => {
  test.each(FAULTS)("%s, at each request in turn", async (_name, fault) => {
    const requests = await requestsOfAPush();
    expect(requests).toBeGreaterThanOrEqual(16);
    for (let after = 0; after < requests; after++) {
      const { job, path } = await prepared();
      proxy.add({ fault, after, times: 1 });
      await expectKept(path, await ended(job));
    }
  });

  test.each([
    ["HEAD", /manifests/],
    ["POST", /uploads/],
    ["GET", /manifests/],
    ["PUT", /manifests\/main/],
  ])("silence at a %s %p is waited out and repeated", async (method, target) => {
    const { job, path } = await prepared();
    proxy.add({ method, target, fault: { kind: "hang" }, times: 1 });
    const end = await ended(job);
    expect(end.error).toBeUndefined();
    await expectKept(path, end);
  });
});

describe("a tag that cannot be set", () => {
  test.each(TAGS.map((tag) => tag.replace("!", "")))(
    "%s, for ever: what was moved goes back",
    async (tag) => {
      const { job, path, name } = await prepared();
      proxy.add({
        method: "PUT",
        target: new RegExp(`manifests/${tag.replaceAll(".", "\\.")}$`),
        fault: { kind: "status", status: 503 },
      });
      const end = await ended(job);
      await expectKept(path, end);
      expect(end.error).toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
      const now = await read(path);
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
    const { job, path } = await prepared();
    proxy.add({ method: "PUT", target: /manifests\/main$/, fault: { kind: "lost-answer" }, times: 5 });
    const end = await ended(job);
    await expectKept(path, end);
    expect((await read(path))[2]).toBe(OLD.manifest.digest);
    expect((end.error as Failure).evidence.join("\n")).toContain(
      `main was put back to ${OLD.manifest.digest}`,
    );
  });

  test("a tag that somebody else has moved meanwhile is left alone", async () => {
    const { job, path, name } = await prepared();
    const theirs = imageOf(["theirs"]);
    const own = portsFor(loginOf(registry));
    await push(jobOf(theirs, [name], tagsOf("theirs")), own);
    own.close();
    proxy.add({ method: "PUT", target: /manifests\/latest$/, fault: { kind: "status", status: 403 } });
    proxy.onRequest(async (request) => {
      if (request.method !== "PUT" || !request.target.endsWith("/latest")) return;
      await put(path, "main", theirs);
    });
    const end = await ended(job);
    expect((await read(path))[2]).toBe(theirs.manifest.digest);
    expect((end.error as Failure).message).toContain(`moved by somebody else: ${name}:main`);
  });

  test("the registry dies with the move: what could not be put back is told and left for the post step", async () => {
    const { job, path, name } = await prepared();
    proxy.add({ target: /manifests\/latest$/, method: "PUT", fault: { kind: "status", status: 403 } });
    proxy.onRequest((request) => {
      if (request.method !== "PUT" || !request.target.endsWith("/latest")) return;
      proxy.add({ fault: { kind: "status", status: 503 } });
    });
    const end = await ended(job);
    await expectKept(path, end);
    expect((end.error as Failure).message).toContain("could not be put back");
    const saved = readMoves(JSON.parse(JSON.stringify(end.ports.saved.at(-1))));
    expect(saved?.moves).toHaveLength(4);
    proxy.clear();
    const post = portsFor(loginOf(registry));
    const undone = await undoMoves(saved ?? { digest: "", moves: [] }, post);
    post.close();
    expect(Object.fromEntries(undone.map((item) => [item.tag, item.result]))).toEqual({
      "1.1.0": "remains",
      "1.1": "remains",
      main: "restored",
      latest: "untouched",
    });
    expect((await read(path)).slice(2)).toEqual(BEFORE.slice(2));
    expect(undone.every((item) => item.image === name)).toBe(true);
  });
});

describe("a run that is cut", () => {
  test("a cancel before, amid and after each tag puts all back", async () => {
    const requests = await requestsOfAPush();
    for (let after = 0; after < requests; after++) {
      const { job, path } = await prepared();
      const ports = portsFor(loginOf(registry));
      let seen = 0;
      proxy.onRequest(() => {
        if (seen++ === after) ports.controller.abort(new Cancelled("the run was cancelled (SIGINT)"));
      });
      const end = await ended(job, ports);
      expect(end.error).toMatchObject({ outcome: "cancelled" });
      await expectKept(path, end);
      expect((await read(path)).slice(2)).toEqual(BEFORE.slice(2));
      expect(ports.saved.at(-1)).toBeUndefined();
    }
  });

  test("a tag that is being set when the cancel comes is set to its end, and goes back", async () => {
    const { job, path } = await prepared();
    const ports = portsFor(loginOf(registry));
    proxy.onRequest(async (request) => {
      if (request.method !== "PUT" || !request.target.endsWith("/latest")) return;
      proxy.onRequest(undefined);
      ports.controller.abort(new Cancelled("the run was cancelled (SIGINT)"));
      // A registry that takes its time: an undo that does not wait for it looks too early.
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    const end = await ended(job, ports);
    expect((end.error as Failure).evidence.join("\n")).toContain(
      `latest was put back to ${OLD.manifest.digest}`,
    );
    expect((await read(path)).slice(2)).toEqual(BEFORE.slice(2));
  });

  test("a kill at each tag leaves a post step all that it needs", async () => {
    for (let killed = 1; killed <= TAGS.length; killed++) {
      const { job, path } = await prepared();
      const ports = portsFor(loginOf(registry));
      // A killed process sends nothing more: from that tag on, nobody answers and nothing is undone.
      let puts = 0;
      let saved: unknown;
      proxy.onRequest((request) => {
        if (request.method !== "PUT" || !/manifests\/(?!sha256:)/.test(request.target)) return;
        if (++puts !== killed) return;
        saved = JSON.parse(JSON.stringify(ports.saved.at(-1)));
        proxy.add({ fault: { kind: "reset" } });
      });
      await ended(job, ports);
      proxy.clear();
      const text = JSON.stringify(saved);
      expect(text).not.toContain(registry.password);
      const post = portsFor(loginOf(registry));
      await undoMoves(readMoves(saved) ?? { digest: "", moves: [] }, post);
      post.close();
      expect((await read(path)).slice(2)).toEqual(BEFORE.slice(2));
    }
  });

  test("a push that is cut in its blobs leaves no tag", async () => {
    const { job, path } = await prepared();
    const tags = jobOf(NEW, [job.repositories[0].name], tagsOf("fresh!"));
    proxy.add({ method: "PUT", target: /blobs/, fault: { kind: "reset" }, after: 1 });
    const end = await ended(tags);
    expect(end.error).toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
    expect(await registry.digestOf(path, "fresh")).toBeUndefined();
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

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { readGitHubContext } from "../../github-context.ts";
import { RecordingLog } from "../../log.ts";
import { ActArtifactServer } from "../../testing/act-artifact-server.ts";
import type { ArtifactStore } from "../artifact-store.ts";
import { artifactNameOf, openArtifactStore } from "../artifacts.ts";

let folder: string;
let server: ActArtifactServer;
let env: Readonly<Record<string, string>>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "goci-artifacts-"));
  server = new ActArtifactServer();
  env = await server.start();
});

afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function store(known: Readonly<Record<string, string>> = env): ArtifactStore {
  return openArtifactStore({ env: known, github: readGitHubContext({}), log: new RecordingLog() });
}

function target(): string {
  return mkdtempSync(join(folder, "to-"));
}

const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

describe("artifacts under act", () => {
  test("one large file comes back as it was, sent in blocks one after the other", async () => {
    const bytes = Buffer.alloc(20_000_000, "no two blocks look the same ");
    writeFileSync(join(folder, "app.tar.gz"), bytes);
    const uploaded = await store().upload("app", folder, ["app.tar.gz"], { retentionDays: 0 });
    expect(uploaded).toEqual({ id: "42", url: "", size: server.files.get("1/app")?.length });
    const blocks = server.seen.filter((request) => request.method === "PUT").map((request) => request.bytes);
    expect(blocks.map((size) => size > 0 && size <= 8 * 1024 * 1024)).toEqual([true, true, true, true]);

    const to = target();
    const got = await store().download("app", to, sha256(bytes));
    expect(got).toEqual({ path: join(to, "app.tar.gz"), digest: sha256(bytes), files: ["app.tar.gz"] });
    expect(readFileSync(got.path).equals(bytes)).toBe(true);
  });

  test("several files keep their paths, modes and an empty one", async () => {
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin/run"), "#!/bin/sh\n", { mode: 0o755 });
    writeFileSync(join(folder, "é.txt"), "");
    await store().upload("two", folder, ["é.txt", "bin/run"], { retentionDays: 0 });
    const got = await store().download("two", target());
    expect([got.files, got.digest]).toEqual([["bin/run", "é.txt"], ""]);
    expect(statSync(join(got.path, "bin/run")).mode & 0o111).toBe(0o111);
    expect(readFileSync(join(got.path, "é.txt"), "utf8")).toBe("");
  });

  test("another digest than the one expected is a mismatch", async () => {
    writeFileSync(join(folder, "a"), "a");
    await store().upload("a", folder, ["a"], { retentionDays: 0 });
    const failure = { code: "ARTIFACT_MISMATCH" };
    await expect(store().download("a", target(), `sha256:${"0".repeat(64)}`)).rejects.toMatchObject(failure);
  });

  test("a stored file that was damaged is noticed", async () => {
    writeFileSync(join(folder, "a"), "some text that matters");
    await store().upload("a", folder, ["a"], { retentionDays: 0 });
    const zip = server.files.get("1/a") ?? Buffer.alloc(0);
    zip.write("X", zip.indexOf("matters"));
    await expect(store().download("a", target())).rejects.toMatchObject({ code: "ARTIFACT_DOWNLOAD_FAILED" });
    server.files.set("1/a", zip.subarray(0, zip.length - 5));
    await expect(store().download("a", target())).rejects.toMatchObject({ code: "ARTIFACT_DOWNLOAD_FAILED" });
  });

  test("an archive whose entry leaves the folder is refused", async () => {
    mkdirSync(join(folder, "x"));
    writeFileSync(join(folder, "evil"), "x");
    await store().upload("evil", join(folder, "x"), ["../evil"], { retentionDays: 0 });
    const to = target();
    await expect(store().download("evil", to)).rejects.toMatchObject({ code: "ARTIFACT_DOWNLOAD_FAILED" });
  });

  test("a name that nobody uploaded, in an empty run and beside others", async () => {
    await expect(store().download("none", target())).rejects.toMatchObject({ code: "ARTIFACT_NOT_FOUND" });
    writeFileSync(join(folder, "a"), "a");
    await store().upload("a", folder, ["a"], { retentionDays: 0 });
    await expect(store().download("none", target())).rejects.toMatchObject({ code: "ARTIFACT_NOT_FOUND" });
  });

  test("a server that is gone fails an upload at once", async () => {
    writeFileSync(join(folder, "a"), "a");
    const gone = { ...env, ACTIONS_RESULTS_URL: "http://127.0.0.1:1/" };
    const upload = store(gone).upload("a", folder, ["a"], { retentionDays: 0 });
    await expect(upload).rejects.toMatchObject({ code: "ARTIFACT_UPLOAD_FAILED" });
  });
});

describe("artifacts on GitHub", () => {
  test("go and come back through GitHub's own client, verified", async () => {
    const github = new ActArtifactServer("github");
    const variables = await github.start("9");
    // GitHub's client reads the runner's variables itself.
    const before = { ...process.env };
    Object.assign(process.env, variables);
    try {
      writeFileSync(join(folder, "app.tar.gz"), "bytes that matter");
      const uploaded = await store(variables).upload("app", folder, ["app.tar.gz"], { retentionDays: 3 });
      expect(uploaded.id).toBe("42");
      const got = await store(variables).download("app", target(), sha256(Buffer.from("bytes that matter")));
      expect(got.files).toEqual(["app.tar.gz"]);
      await expect(store(variables).download("none", target())).rejects.toMatchObject({
        code: "ARTIFACT_NOT_FOUND",
      });
    } finally {
      process.env = before;
      await github.stop();
    }
  }, 30_000);
});

describe("the choice of a store", () => {
  test("none without the runner's variables: uploads stay local, downloads fail", async () => {
    const none = store({});
    expect(none.kind).toBe("none");
    expect(await none.upload("a", folder, [], { retentionDays: 0 })).toEqual({ id: "", url: "", size: 0 });
    await expect(none.download("a", folder)).rejects.toMatchObject({ code: "ARTIFACT_NOT_FOUND" });
  });

  test("GitHub's own without ACT", () => {
    const { ACT: _, ...github } = env;
    expect(store(github).kind).toBe("github");
  });
});

describe("names", () => {
  test.each([
    ["shop-test-1", "shop-test-1"],
    ['a/b:c"d', "a-b-c-d"],
    ["", "artifact"],
  ])("%j becomes %j", (text, name) => expect(artifactNameOf(text)).toBe(name));

  test("a name that the store would refuse is a bad input", async () => {
    await expect(store().upload("a/b", folder, [], { retentionDays: 0 })).rejects.toMatchObject({
      code: "BAD_INPUT",
    });
  });
});

import { execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findProgram } from "../../../lib/testing/docker-engine.ts";
import type { BuildSpec } from "../src/engine/engine.ts";
import { chooseEngine } from "../src/engine/probe.ts";
import { writeArchive } from "../src/image/write-archive.ts";
import { contextOf, finished, portsOf, specOf } from "./engine-kit.ts";
import { makeFolder } from "./image-kit.ts";

const root = process.getuid?.() === 0;
const problem = !findProgram("buildah") ? "buildah is not installed" : !root ? "needs root" : undefined;
const withBuildah = problem ? describe.skip : describe;

const STEPS = [
  "FROM scratch",
  "COPY busybox /bin/busybox",
  "COPY a.txt b.txt /data/",
  `RUN ["/bin/busybox", "sh", "-c", "/bin/busybox --install -s /bin; echo hi >/b && ln /b /c && rm /data/b.txt"]`,
];

withBuildah(`buildah${problem ? ` (skipped: ${problem})` : ""}`, () => {
  const storage = makeFolder();
  const env = { PATH: process.env["PATH"] ?? "", HOME: storage, BUILDAH_ISOLATION: "chroot" } as const;
  const runner = { ...env, CONTAINERS_STORAGE_CONF: join(storage, "storage.conf") };
  const buildah = (...args: string[]) =>
    execFileSync("buildah", args, { env: runner, encoding: "utf8" }).trim();

  beforeAll(() => {
    const lines = [
      "[storage]",
      'driver = "vfs"',
      `graphroot = "${storage}/root"`,
      `runroot = "${storage}/run"`,
    ];
    writeFileSync(runner.CONTAINERS_STORAGE_CONF, `${lines.join("\n")}\n`);
  });

  afterAll(() => rmSync(storage, { recursive: true, force: true }));

  async function build(more: Partial<BuildSpec> = {}, lines = STEPS) {
    const context = contextOf(lines, { "a.txt": "hello", "b.txt": "gone" });
    copyFileSync(findProgram("busybox") ?? "", join(context, "busybox"));
    const ports = portsOf(runner, context);
    const spec = specOf(context, more);
    const engine = await chooseEngine("buildah", spec, ports);
    const built = await engine.build(spec, ports);
    return { engine, built, ports, ...(await finished(built, ports.signal)) };
  }

  test("two clean builds are one digest, and no image stays", async () => {
    const first = await build({ noCache: true });
    const second = await build({ noCache: true });
    expect(second.pushed.manifest.digest).toBe(first.pushed.manifest.digest);
    expect(first.built).toMatchObject({ steps: 3, cachedSteps: 0 });
    expect(first.image.labels).toEqual({});
    expect(buildah("images", "--quiet", "--filter", "dangling=false")).toBe("");
    expect(buildah("containers", "--quiet")).toBe("");
  }, 60_000);

  test("secrets reach the step and nothing else; a failing step is named", async () => {
    const secrets = [{ id: "k", value: Buffer.from("very-hidden-value") }];
    const lines = [...STEPS, "RUN --mount=type=secret,id=k wc -c </run/secrets/k >/size"];
    const { image, ports } = await build({ secrets }, lines);
    expect(Buffer.concat([...(image.layers.at(-1)?.chunks() ?? [])]).toString()).toContain("17\n");
    expect(readdirSync(ports.folder).filter((name) => name.startsWith("secret"))).toEqual([]);
    await expect(build({}, [...STEPS, "", "RUN echo telling && false"])).rejects.toMatchObject({
      code: "BUILD_FAILED",
      message: expect.stringContaining("(Dockerfile, line 6): `RUN echo telling && false` failed"),
      evidence: expect.arrayContaining(["telling"]),
    });
    expect(buildah("containers", "--quiet")).toBe("");
  }, 60_000);

  test("a cached build is a clean one's image; what is loaded is what is pushed", async () => {
    const clean = await build({ noCache: true });
    const { built, engine, image, ports } = await build();
    expect(built.cachedSteps).toBe(3);
    expect(image.configDigest).toBe(clean.image.configDigest);
    const archive = join(ports.folder, "load.tar");
    await writeArchive(image, ["loaded:1"], archive, ports.signal);
    await engine.load(archive, ports);
    expect(buildah("inspect", "--type", "image", "--format", "{{.FromImageID}}", "loaded:1")).toBe(
      image.configDigest.replace("sha256:", ""),
    );
  }, 60_000);
});

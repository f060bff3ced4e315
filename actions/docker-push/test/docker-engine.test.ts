import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  engineProblem,
  findProgram,
  importBase,
  type RunningEngine,
  startDockerEngine,
} from "../../../lib/testing/docker-engine.ts";
import type { BuildSpec, EngineName } from "../src/engine/engine.ts";
import { chooseEngine, exportFromDaemon } from "../src/engine/probe.ts";
import { writeArchive } from "../src/image/write-archive.ts";
import { prepare } from "../src/phases/prepare.ts";
import { contextOf, finished, portsOf, specOf } from "./engine-kit.ts";
import { COMMIT_TIME, makeFolder } from "./image-kit.ts";

const problem = engineProblem();
const withEngine = problem ? describe.skip : describe;
const title = (text: string) => (problem ? `${text} (skipped: ${problem})` : text);

const STEPS = [
  "FROM base:test",
  "COPY a.txt /a.txt",
  "RUN echo hi >/b && ln /b /c && ln -s b /d && rm /a.txt",
  "ENV X=1",
];
/** In an engine without a bridge BuildKit's steps need the machine's network. */
const HOST = { network: "host" };

/** A folder with a docker CLI that reaches BuildKit without a plug-in, undefined where there is none. */
function oldCli(): string | undefined {
  return ["/usr/bin", "/usr/local/bin"].find((folder) => {
    try {
      return (
        Number(
          /(\d+)\./.exec(execFileSync(join(folder, "docker"), ["--version"], { encoding: "utf8" }))?.[1],
        ) < 23
      );
    } catch {
      return false;
    }
  });
}

const buildx = process.env["GOCI_BUILDX"] || findProgram("docker-buildx");

withEngine(title("a real Docker engine"), () => {
  let engine: RunningEngine;

  beforeAll(async () => {
    engine = await startDockerEngine();
    importBase(engine);
  }, 60_000);

  afterAll(() => engine?.stop(), 60_000);

  /** The environment of a runner whose user has these plug-ins and this CLI. */
  function runnerEnv(more: { readonly cli?: string; readonly plugin?: string } = {}) {
    const home = makeFolder();
    mkdirSync(join(home, ".docker", "cli-plugins"), { recursive: true });
    writeFileSync(join(home, ".docker", "config.json"), '{"auths":{"r.example":{"auth":"dTpw"}}}');
    if (more.plugin) symlinkSync(more.plugin, join(home, ".docker", "cli-plugins", "docker-buildx"));
    const { DOCKER_CONFIG: _, ...env } = engine.env;
    return {
      ...env,
      HOME: home,
      ...(more.cli ? { PATH: `${more.cli}:${env["PATH"]}` } : {}),
      UNRELATED: "stays-out",
    };
  }

  async function build(
    name: EngineName | "auto",
    env: ReturnType<typeof runnerEnv>,
    more: Partial<BuildSpec> = {},
    lines = STEPS,
  ) {
    const context = contextOf(lines, { "a.txt": "hello" });
    const ports = portsOf(env, context);
    const spec = specOf(context, more);
    const chosen = await chooseEngine(name, spec, ports);
    const built = await chosen.build(spec, ports);
    return { chosen, built, ports, ...(await finished(built, ports.signal)) };
  }

  const images = () =>
    engine.docker(["images", "--all", "--format", "{{.Repository}}"]).trim().split("\n").sort();

  async function expectReproducible(
    name: EngineName,
    env: ReturnType<typeof runnerEnv>,
    more: Partial<BuildSpec> = {},
  ) {
    const first = await build(name, env, { noCache: true, ...more });
    const second = await build(name, env, { noCache: true, ...more });
    expect(second.pushed.manifest.digest).toBe(first.pushed.manifest.digest);
    expect(second.ports.folder).not.toBe(first.ports.folder);
    expect(images()).not.toContain("goci-build");
    expect(first.built.steps).toBeGreaterThan(0);
    return first;
  }

  test("classic: two clean builds are one digest, and nothing but the cache stays in the engine", async () => {
    const env = runnerEnv();
    const { image, chosen } = await expectReproducible("classic", env);
    expect(chosen.about).toContain("classic builder");
    expect(image.config["container_config"]).toBeUndefined();
    // The same context again: every step is found, and one image is kept for it.
    const context = contextOf(STEPS, { "a.txt": "hello" });
    const spec = specOf(context);
    for (const cachedSteps of [0, 3]) {
      const ports = portsOf(env, context);
      const built = await (await chooseEngine("classic", spec, ports)).build(spec, ports);
      expect(built).toMatchObject({ steps: 3, cachedSteps });
    }
    expect(images().filter((one) => one === "goci-cache")).toHaveLength(1);
    // Another content takes its place, but an image that the user has named stays.
    const kept = engine.docker(["images", "--quiet", "goci-cache"]).trim();
    engine.docker(["tag", kept, "users:own"]);
    writeFileSync(join(context, "a.txt"), "other");
    const ports = portsOf(env, context);
    await (await chooseEngine("classic", spec, ports)).build(spec, ports);
    expect(images().filter((one) => one === "goci-cache")).toHaveLength(1);
    expect(engine.docker(["images", "--quiet", "users:own"]).trim()).toBe(kept);
    engine.docker(["image", "rm", "users:own"]);
    expect(engine.docker(["ps", "--all", "--quiet"])).toBe("");
  }, 60_000);

  test("what is loaded is what is pushed: the engine shows the same image id, and it runs", async () => {
    const { image, chosen, ports } = await build("classic", runnerEnv());
    const archive = join(ports.folder, "load.tar");
    await writeArchive(image, ["loaded:1"], archive, ports.signal);
    await chosen.load(archive, ports);
    expect(engine.docker(["image", "inspect", "--format", "{{.Id}}", "loaded:1"]).trim()).toBe(
      image.configDigest,
    );
    expect(engine.docker(["run", "--rm", "--network", "none", "loaded:1", "/bin/cat", "/c"]).trim()).toBe(
      "hi",
    );
    // And an image of the engine can be pushed as it is.
    const [again] = await prepare(await exportFromDaemon("loaded:1", ports), {
      ...{
        commitTime: COMMIT_TIME,
        labels: new Map(),
        folder: makeFolder(),
        signal: ports.signal,
        secretValues: [],
      },
    });
    expect(again?.configDigest).toBe(image.configDigest);
    await expect(exportFromDaemon("not-there:1", ports)).rejects.toMatchObject({
      code: "BAD_INPUT",
      message: "`source`: the Docker engine has no image `not-there:1`",
    });
    engine.docker(["image", "rm", "loaded:1"]);
  }, 60_000);

  const cli = oldCli();
  (cli ? test : test.skip)(
    cli
      ? "BuildKit in the engine: reproducible, and with secrets"
      : "BuildKit in the engine (skipped: no docker CLI before 23)",
    async () => {
      const env = runnerEnv({ ...(cli ? { cli } : {}) });
      const { chosen } = await expectReproducible("buildkit", env, HOST);
      expect(chosen.name).toBe("buildkit");
      const secrets = [{ id: "k", value: Buffer.from("very-hidden-value") }];
      const lines = ["FROM base:test", "RUN --mount=type=secret,id=k wc -c </run/secrets/k >/size"];
      const { image, ports } = await build("buildkit", env, { ...HOST, secrets }, lines);
      expect(Buffer.concat([...(image.layers[1]?.chunks() ?? [])]).toString()).toContain("17\n");
      expect(readdirSync(ports.folder).filter((name) => name.startsWith("secret"))).toEqual([]);
      expect(JSON.stringify(image.config)).not.toContain("very-hidden-value");
    },
    60_000,
  );

  (buildx ? test : test.skip)(
    buildx
      ? "buildx: reproducible, found through the private configuration"
      : "buildx (skipped: set GOCI_BUILDX to its plug-in)",
    async () => {
      const { chosen } = await expectReproducible("buildx", runnerEnv({ plugin: buildx ?? "" }), HOST);
      expect(chosen.about).toContain("docker driver");
      expect((await build("auto", runnerEnv({ plugin: buildx ?? "" }), HOST)).chosen.name).toBe("buildx");
    },
    60_000,
  );

  test("`auto` takes the classic builder where there is nothing else, and says what is missing", async () => {
    const env = { ...runnerEnv(), PATH: `${programFolder("docker")}:/nowhere` };
    const context = contextOf(STEPS, { "a.txt": "x" });
    const ports = portsOf(env, context);
    expect((await chooseEngine("auto", specOf(context), ports)).name).toBe("classic");
    const secrets = [{ id: "k", value: Buffer.from("v") }];
    await expect(chooseEngine("classic", specOf(context, { secrets }), ports)).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: "`engine` `classic`: classic cannot do `secrets`",
      fix: "leave these inputs out, or choose buildx or buildkit or buildah",
    });
  });

  test("classic: one image per platform, whatever the cache holds of another", async () => {
    const context = contextOf(["FROM scratch", "COPY a.txt /a.txt"], { "a.txt": "any" });
    const spec = specOf(context, { platforms: ["linux/amd64", "linux/arm64"] });
    const ports = portsOf(runnerEnv(), context);
    const built = await (await chooseEngine("classic", spec, ports)).build(spec, ports);
    const how = {
      commitTime: COMMIT_TIME,
      labels: new Map(),
      folder: makeFolder(),
      signal: ports.signal,
      secretValues: [],
    };
    const prepared = (await Promise.all(built.images.map((one) => prepare(one, how)))).flat();
    expect(prepared.map(({ platform }) => platform.architecture)).toEqual(["amd64", "arm64"]);
  }, 30_000);

  test("a failing step is named with its line, and leaves no container", async () => {
    const lines = ["FROM base:test", "", "RUN echo telling && \\", "  false"];
    const failing = build("classic", runnerEnv(), {}, lines);
    await expect(failing).rejects.toMatchObject({
      code: "BUILD_FAILED",
      message: expect.stringMatching(
        /^the build failed \(Dockerfile, line 3\): `RUN echo telling && {1,3}false` failed: /,
      ),
      evidence: expect.arrayContaining(["telling"]),
    });
    expect(engine.docker(["ps", "--all", "--quiet"])).toBe("");
  }, 30_000);

  test("a cancel in a step ends the build, its container and the CLI", async () => {
    const context = contextOf(["FROM base:test", "RUN echo sleeping && sleep 300"]);
    const stop = new AbortController();
    const ports = portsOf(runnerEnv(), context, stop.signal);
    const spec = specOf(context);
    const chosen = await chooseEngine("classic", spec, ports);
    const building = chosen.build(spec, ports);
    const ended = expect(building).rejects.toThrow("cancelled here");
    while (!ports.log.lines.includes("sleeping")) await sleep(50);
    const started = performance.now();
    stop.abort(new Error("cancelled here"));
    await ended;
    expect(performance.now() - started).toBeLessThan(5000);
    for (let tries = 0; tries < 100 && engine.docker(["ps", "--all", "--quiet"]) !== ""; tries++)
      await sleep(100);
    expect(engine.docker(["ps", "--all", "--quiet"])).toBe("");
    expect(images()).not.toContain("goci-build");
  }, 40_000);

  test("the user's Docker folder stays as it is, and its logins do not reach the engine's", async () => {
    const env = runnerEnv(buildx ? { plugin: buildx } : {});
    const folder = join(env.HOME, ".docker");
    const before = listing(folder);
    const { ports } = await build("auto", env, HOST);
    expect(listing(folder)).toEqual(before);
    expect(readFileSync(join(ports.dockerConfig, "config.json"), "utf8")).not.toContain("r.example");
  }, 40_000);
});

function programFolder(name: string): string {
  const folder = makeFolder();
  symlinkSync(findProgram(name) ?? "", join(folder, name));
  return folder;
}

function listing(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path} ${path.endsWith(".json") ? readFileSync(path, "utf8") : ""}`)
    .sort();
}

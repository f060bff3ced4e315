import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { runWithCaches } from "../src/engine/cache-import.ts";
import { childEnv } from "../src/engine/child.ts";
import { dockerHome } from "../src/engine/docker-home.ts";
import type { BuildSpec } from "../src/engine/engine.ts";
import { chooseEngine } from "../src/engine/probe.ts";
import { contextOf, fakePrograms, portsOf, specOf } from "./engine-kit.ts";
import { makeFolder } from "./image-kit.ts";

/** A docker CLI that answers `version`, and does as told for the rest. */
const docker = (rest: string, server = "27.0.1", client = "27.0.1") => `case "$1" in
version) echo '{"Client":{"Version":"${client}"},"Server":{"Version":"${server}"}}' ;;
${rest}
*) exit 1 ;;
esac`;

const plain = () => contextOf(["FROM base", "COPY a /"]);

async function buildWith(env: Record<string, string>, name: "classic" | "buildx" = "classic", more = {}) {
  const context = plain();
  const ports = portsOf(env, context);
  const spec = specOf(context, more);
  const engine = await chooseEngine(name, spec, ports);
  return { ports, result: engine.build(spec, ports) };
}

describe("a builder that lies", () => {
  test("an exit code other than 0 is a failure, also without a word", async () => {
    const { result } = await buildWith(fakePrograms({ docker: docker("build) exit 7 ;;") }));
    await expect(result).rejects.toMatchObject({
      code: "BUILD_FAILED",
      message: expect.stringContaining("code 7"),
    });
  });

  test("exit code 0 without an image is a failure too", async () => {
    const { result } = await buildWith(fakePrograms({ docker: docker("build) exit 0 ;;") }));
    await expect(result).rejects.toMatchObject({
      code: "BUILD_FAILED",
      message: expect.stringContaining("without an image"),
    });
  });

  test("an image that cannot be given out is a failure with the engine's words", async () => {
    const build = `build) while [ $# -gt 0 ]; do [ "$1" = --iidfile ] && printf 'sha256:%064d' 1 >"$2"; shift; done ;;`;
    const save = "save) echo 'no space left on device' >&2; exit 1 ;;";
    const { result } = await buildWith(fakePrograms({ docker: docker(`${build}\n${save}`) }));
    await expect(result).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      message: expect.stringContaining("no space left"),
    });
  });
});

describe("probing", () => {
  test("a plug-in that answers and cannot build is not taken", async () => {
    const buildx = `buildx) case "$2" in inspect) echo 'Driver: docker' ;; version) echo v0.99.0 ;;
build) echo 'ERROR: client version 1.99 is too new. Maximum supported API version is 1.41' >&2; exit 1 ;; esac ;;`;
    const context = plain();
    const ports = portsOf(fakePrograms({ docker: docker(buildx) }), context);
    const found = chooseEngine("buildx", specOf(context), ports);
    await expect(found).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      message: expect.stringContaining("is too new"),
    });
    expect((await chooseEngine("auto", specOf(context), ports)).name).toBe("classic");
  });

  test("an engine that does not answer, and one that is not there, are told apart", async () => {
    const down = `echo '{"Client":{"Version":"27.0.1"},"Server":null}'; echo 'Cannot connect to the Docker daemon' >&2; exit 1`;
    const context = plain();
    for (const [scripts, words] of [
      [{ docker: down }, "Cannot connect to the Docker daemon"],
      [{}, "the docker CLI is not installed"],
    ] as const) {
      const found = chooseEngine("classic", specOf(context), portsOf(onlyPrograms(scripts), context));
      await expect(found).rejects.toMatchObject({
        code: "ENGINE_UNAVAILABLE",
        message: expect.stringContaining(words),
      });
    }
    const auto = chooseEngine("auto", specOf(context), portsOf(onlyPrograms({}), context));
    await expect(auto).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      message: expect.stringContaining("buildah: "),
    });
  });

  test("`auto` names what each engine cannot do, and which could", async () => {
    const context = plain();
    const spec = specOf(context, { ssh: ["default"], network: "mine" });
    await expect(chooseEngine("auto", spec, portsOf(onlyPrograms({}), context))).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringMatching(/buildx cannot do `network`.*classic cannot do `ssh`/),
      fix: expect.stringContaining("install buildah"),
    });
  });
});

describe("build secrets", () => {
  test("are files of the user alone while the build runs, and gone after it", async () => {
    const seen = join(makeFolder(), "seen");
    const buildx = `buildx) case "$2" in inspect) echo 'Driver: docker-container' ;; version) echo v0.20.0 ;;
build) case "$*" in *--secret*) for word; do case "$word" in id=k,src=*) f=\${word#id=k,src=}; esac; done
{ stat -c '%a %s' "$f"; echo "$f"; echo "$*"; env; } >${seen}; exit 3 ;; esac ;; esac ;;`;
    const env = { ...fakePrograms({ docker: docker(buildx) }), UNRELATED_TOKEN: "stays-out" };
    const { ports, result } = await buildWith(env, "buildx", {
      secrets: [{ id: "k", value: Buffer.from("hidden-value") }],
    });
    await expect(result).rejects.toMatchObject({ code: "BUILD_FAILED" });
    const [mode, path, ...rest] = readFileSync(seen, "utf8").split("\n");
    expect(mode).toBe("600 12");
    expect(existsSync(path ?? "")).toBe(false);
    expect(readdirSync(ports.folder)).toEqual(["docker"]);
    expect(rest.join("\n")).not.toMatch(/hidden-value|stays-out/);
  });
});

describe("the private Docker folder", () => {
  test("has plug-ins, contexts and builders of the user, the given logins, and no others", () => {
    const home = makeFolder();
    const original = join(home, ".docker");
    mkdirSync(join(original, "cli-plugins"), { recursive: true });
    mkdirSync(join(original, "buildx", "instances"), { recursive: true });
    mkdirSync(join(original, "contexts", "meta"), { recursive: true });
    writeFileSync(join(original, "cli-plugins", "docker-buildx"), "x");
    chmodSync(join(original, "cli-plugins", "docker-buildx"), 0o755);
    writeFileSync(join(original, "buildx", "instances", "b"), "{}");
    const theirs = {
      auths: { theirs: { auth: "a" } },
      credsStore: "desktop",
      currentContext: "far",
      HttpHeaders: { A: "b" },
    };
    writeFileSync(join(original, "config.json"), JSON.stringify(theirs));
    const folder = join(home, "private");
    dockerHome(folder, { HOME: home }, { "r.example": { auth: "b3Vycw==" } });
    const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    expect(config).toEqual({ currentContext: "far", auths: { "r.example": { auth: "b3Vycw==" } } });
    expect(statSync(join(folder, "config.json")).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "cli-plugins", "docker-buildx")).mode & 0o111).not.toBe(0);
    expect(existsSync(join(folder, "buildx", "instances", "b"))).toBe(true);
    dockerHome(folder, { HOME: "/nowhere" }, {});
  });

  test("children get what they need of the environment, and nothing else", () => {
    const env = {
      PATH: "/bin",
      DOCKER_HOST: "unix:///x",
      GITHUB_TOKEN: "t",
      ACTIONS_RUNTIME_TOKEN: "r",
      SSH_AUTH_SOCK: "/s",
    };
    const context = plain();
    const ports = portsOf(env, context);
    expect(childEnv(ports, specOf(context))).toEqual({
      PATH: "/bin",
      DOCKER_HOST: "unix:///x",
      DOCKER_CONFIG: ports.dockerConfig,
      BUILDX_CONFIG: `${ports.dockerConfig}/buildx`,
      REGISTRY_AUTH_FILE: `${ports.dockerConfig}/config.json`,
      NO_COLOR: "1",
      SOURCE_DATE_EPOCH: "1700000000",
    });
    const more = childEnv(ports, specOf(context, { ssh: ["default"], cacheTo: ["type=gha"] }));
    expect([more["SSH_AUTH_SOCK"], more["ACTIONS_RUNTIME_TOKEN"]]).toEqual(["/s", "r"]);
  });
});

test("a cache that cannot be stored is a warning; the image is there", async () => {
  const buildx = `buildx) case "$2" in inspect) echo 'Driver: docker-container' ;; version) echo v0.20.0 ;;
build) case "$*" in *--cache-to*) echo 'denied: no cache for you' >&2; exit 1 ;; esac ;; esac ;;`;
  const cache = ["type=registry,ref=r/c"];
  const { ports, result } = await buildWith(fakePrograms({ docker: docker(buildx) }), "buildx", {
    cacheTo: cache,
  });
  expect((await result).images).toHaveLength(1);
  expect(ports.log.lines.at(-1)).toContain("the cache was not stored: denied: no cache for you");
});

describe("a cache to read from", () => {
  const answer = (withCache: string) =>
    fakePrograms({
      tool: `case "$*" in *--cache-from*) ${withCache} ;; *) echo '#5 [2/2] RUN x'; echo '#5 DONE 0.1s' ;; esac`,
    });
  const argvFor = (spec: BuildSpec) =>
    ["tool", ...spec.cacheFrom.flatMap((one) => ["--cache-from", one])] as [string, ...string[]];
  const spec = () => specOf(plain(), { cacheFrom: ["r/c"] });

  test.each([
    ["hangs", "echo '#3 importing cache manifest from r/c'; sleep 60", 300],
    ["is refused", "echo 'ERROR: failed to configure registry cache importer: 401' >&2; exit 1", 60_000],
  ])("that %s is done without", async (_, script, limit) => {
    const env = answer(script);
    const ports = portsOf(env, plain());
    const transcript = await runWithCaches(argvFor, env, spec(), ports, limit);
    expect(transcript.counts().steps).toBe(1);
    expect(ports.log.lines).toContain(
      "warning: `cache-from`: a cache cannot be read; the build starts without it",
    );
    expect(ports.log.annotations).toEqual([]);
  });

  test.each([
    [
      "has begun a step",
      "echo '#3 importing cache manifest from r/c'; echo '#4 [1/2] RUN a'; sleep 1; echo 'cache import' >&2; exit 1",
    ],
    [
      "fails by itself",
      "echo '#3 importing cache manifest from r/c'; echo '#3 DONE 0.1s'; sleep 1; echo 'no such stage' >&2; exit 1",
    ],
  ])("a build that %s is never repeated", async (_, script) => {
    const env = answer(script);
    const ports = portsOf(env, plain());
    await expect(runWithCaches(argvFor, env, spec(), ports, 300)).rejects.toMatchObject({
      code: "BUILD_FAILED",
    });
    expect(ports.log.lines.filter((line) => line.startsWith("warning"))).toEqual([]);
  });
});

/** As `fakePrograms`, without the machine's own programs. */
function onlyPrograms(scripts: Readonly<Record<string, string>>): Record<string, string> {
  const env = fakePrograms(scripts);
  return { ...env, PATH: (env["PATH"] ?? "").split(":")[0] ?? "" };
}

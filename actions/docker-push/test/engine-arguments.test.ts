import { describe, expect, test } from "@jest/globals";
import { ableEngines, cannotMeet } from "../src/engine/abilities.ts";
import {
  type BuildRun,
  buildahArguments,
  buildctlArguments,
  buildxArguments,
  cacheExport,
  classicArguments,
  imageOf,
  innerBuildKitArguments,
} from "../src/engine/arguments.ts";
import type { BuildSpec, EngineName } from "../src/engine/engine.ts";
import { contextOf, specOf } from "./engine-kit.ts";

function runOf(more: Partial<BuildSpec> = {}, platform = ""): BuildRun {
  const spec = { ...specOf("/ctx"), ...more };
  const secrets = spec.secrets.map(({ id }) => ({ id, path: `/private/${id}` }));
  return { spec, platform, secrets, idFile: "/private/id", name: "goci-build:1", output: "/private/out.tar" };
}

/** The words of `argv` that follow `flag`. */
function valuesOf(argv: readonly string[], flag: string): string[] {
  return argv.flatMap((word, index) => (argv[index - 1] === flag ? [word] : []));
}

const everything: Partial<BuildSpec> = {
  target: "final",
  args: new Map([
    ["A", "1=2"],
    ["B", "with blank"],
  ]),
  network: "host",
  addHosts: ["db:10.0.0.1", "six:fd00::1"],
  shmSize: 64_000_000,
  ulimits: ["nofile=1024:2048"],
  noCache: true,
  pull: true,
};

describe("arguments", () => {
  test("the classic builder", () => {
    expect(classicArguments(runOf())).toEqual([
      ...["docker", "build", "--file", "/ctx/Dockerfile", "--iidfile", "/private/id"],
      ...["--force-rm", "/ctx"],
    ]);
    const argv = classicArguments(
      runOf({ ...everything, cacheFrom: ["type=registry,ref=r/c:1", "r/d", "type=gha"] }, "linux/arm64"),
    );
    expect(valuesOf(argv, "--build-arg")).toEqual(["A=1=2", "B=with blank"]);
    expect(valuesOf(argv, "--cache-from")).toEqual(["r/c:1", "r/d"]);
    expect(valuesOf(argv, "--add-host")).toEqual(["db:10.0.0.1", "six:fd00::1"]);
    for (const [flag, value] of [
      ["--target", "final"],
      ["--platform", "linux/arm64"],
      ["--network", "host"],
      ["--shm-size", "64000000"],
      ["--ulimit", "nofile=1024:2048"],
    ] as const)
      expect(valuesOf(argv, flag)).toEqual([value]);
    expect(argv).toEqual(expect.arrayContaining(["--no-cache", "--pull"]));
    expect(argv.at(-1)).toBe("/ctx");
  });

  test("BuildKit inside an engine gets files and agents, never values", () => {
    const argv = innerBuildKitArguments(
      runOf({ secrets: [{ id: "k", value: Buffer.from("hidden-value") }], ssh: ["default"] }),
    );
    expect(valuesOf(argv, "--secret")).toEqual(["id=k,src=/private/k"]);
    expect(valuesOf(argv, "--ssh")).toEqual(["default"]);
    expect(argv.join(" ")).not.toContain("hidden-value");
  });

  test("buildx loads into an engine, or writes a file where its builder is none", () => {
    const contexts = new Map([["lib", "/other"]]);
    const inside = buildxArguments(runOf({ ...everything, contexts }), false);
    expect(inside).toEqual(expect.arrayContaining(["--load", "--provenance=false", "--sbom=false"]));
    expect(valuesOf(inside, "--build-context")).toEqual(["lib=/other"]);
    expect(valuesOf(inside, "--allow")).toEqual(["network.host"]);
    const outside = buildxArguments(runOf(), true);
    expect(outside).not.toContain("--load");
    expect(valuesOf(outside, "--output")).toEqual([
      "type=oci,dest=/private/out.tar,compression=uncompressed",
    ]);
  });

  test("buildctl", () => {
    const contexts = new Map([
      ["lib", "/other"],
      ["base", "docker-image://alpine"],
    ]);
    const argv = buildctlArguments(
      runOf({ ...everything, contexts, cacheFrom: ["r/c"] }, "linux/arm64"),
      "tcp://h",
    );
    expect(argv.slice(0, 4)).toEqual(["buildctl", "--addr", "tcp://h", "build"]);
    expect(valuesOf(argv, "--local")).toEqual(["context=/ctx", "dockerfile=/ctx", "lib=/other"]);
    expect(valuesOf(argv, "--opt")).toEqual([
      "filename=Dockerfile",
      "target=final",
      "build-arg:A=1=2",
      "build-arg:B=with blank",
      "platform=linux/arm64",
      "force-network-mode=host",
      "add-hosts=db=10.0.0.1,six=fd00::1",
      "shm-size=64000000",
      "ulimit=nofile=1024:2048",
      "context:lib=local:lib",
      "context:base=docker-image://alpine",
      "image-resolve-mode=pull",
    ]);
    expect(valuesOf(argv, "--import-cache")).toEqual(["type=registry,ref=r/c"]);
  });

  test("buildah always keeps one layer for a step", () => {
    const argv = buildahArguments(
      runOf({ ...everything, contexts: new Map([["lib", "/other"]]) }, "linux/arm64"),
    );
    expect(argv).toEqual(expect.arrayContaining(["--layers", "--no-cache", "--pull-always"]));
    expect(valuesOf(argv, "--platform")).toEqual(["linux/arm64"]);
    expect(valuesOf(argv, "--build-context")).toEqual(["lib=/other"]);
  });

  test("the cache is given out by a second run without an image", () => {
    const first = buildxArguments(runOf(), true);
    const second = cacheExport(first, ["type=local,dest=/cache", "r/c"]);
    expect(valuesOf(second, "--cache-to")).toEqual(["type=local,dest=/cache", "type=registry,ref=r/c"]);
    expect(valuesOf(second, "--output")).toEqual(["type=cacheonly"]);
    expect(second).not.toContain("--tag");
    expect(second).not.toContain("/private/out.tar");
    expect(second.at(-1)).toBe("/ctx");
    const buildctl = cacheExport(buildctlArguments(runOf(), ""), ["type=local,dest=/cache"]);
    expect(valuesOf(buildctl, "--export-cache")).toEqual(["type=local,dest=/cache"]);
    expect(buildctl).not.toContain("--output");
  });

  test.each([
    ["r/c:tag", "r/c:tag"],
    ["type=registry,ref=r/c,mode=max", "r/c"],
    ["type=gha,scope=x", undefined],
  ])("the image of the cache %s", (cache, image) => {
    expect(imageOf(cache)).toBe(image);
  });
});

describe("what an engine cannot do", () => {
  const plain = ["FROM scratch", "COPY a /"];
  const cases: readonly (readonly [string, Partial<BuildSpec>, readonly string[], readonly EngineName[]])[] =
    [
      ["nothing special", {}, plain, ["buildx", "buildkit", "classic", "buildah"]],
      [
        "secrets",
        { secrets: [{ id: "a", value: Buffer.from("b") }] },
        plain,
        ["buildx", "buildkit", "buildah"],
      ],
      ["ssh", { ssh: ["default"] }, plain, ["buildx", "buildkit", "buildah"]],
      ["build contexts", { contexts: new Map([["a", "b"]]) }, plain, ["buildx", "buildkit", "buildah"]],
      ["a network by name", { network: "mine" }, plain, ["classic", "buildah"]],
      [
        "a mount in the Dockerfile",
        {},
        ["FROM a", "RUN --mount=type=cache,target=/c make"],
        ["buildx", "buildkit", "buildah"],
      ],
      ["a here-document", {}, ["FROM a", "RUN <<EOF", "make", "EOF"], ["buildx", "buildkit", "buildah"]],
      ["both a secret and a network by name", { network: "mine", ssh: ["default"] }, plain, ["buildah"]],
    ];
  test.each(cases)("%s", (_, more, lines, able) => {
    expect(ableEngines(specOf(contextOf(lines), more))).toEqual(able);
  });

  test("names the inputs; BuildKit in an old engine would drop some without a word", () => {
    const spec = specOf(contextOf(plain, { "Dockerfile.dockerignore": "x" }), {
      shmSize: 1,
      ulimits: ["a=1"],
    });
    expect(cannotMeet(spec, "old")).toEqual(["`shm-size`", "`ulimit`"]);
    expect(cannotMeet(spec, "classic")).toEqual([
      "an ignore file of the Dockerfile's own (`<Dockerfile>.dockerignore`)",
    ]);
    expect(cannotMeet(spec, "buildx")).toEqual([]);
  });
});

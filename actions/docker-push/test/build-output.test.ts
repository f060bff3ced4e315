import { describe, expect, test } from "@jest/globals";
import type { Exit } from "../../../lib/exec.ts";
import { failedBuild } from "../src/engine/build-failure.ts";
import { findInstruction, needsBuildKit, parseDockerfile, stepsOnBase } from "../src/engine/dockerfile.ts";
import { Transcript } from "../src/engine/transcript.ts";
import { contextOf, portsOf, specOf } from "./engine-kit.ts";

const DOCKERFILE = [
  "# syntax=none",
  "ARG BASE",
  "FROM base AS build",
  "RUN echo one && \\",
  "    # a comment between",
  "    echo two",
  "",
  "COPY <<EOF /x",
  "RUN not an instruction",
  "EOF",
  "FROM base",
  "RUN make \\",
  "  all",
];

describe("the Dockerfile", () => {
  const instructions = parseDockerfile(DOCKERFILE.join("\n"));

  test("instructions and their lines", () => {
    expect(instructions.map(({ line, text }) => [line, text])).toEqual([
      [2, "ARG BASE"],
      [3, "FROM base AS build"],
      [4, "RUN echo one && \\ echo two".replace("\\ ", "")],
      [8, "COPY <<EOF /x"],
      [11, "FROM base"],
      [12, "RUN make all"],
    ]);
  });

  test("a step is found by its text, whatever its blanks and case", () => {
    expect(findInstruction(instructions, "RUN make   all")?.line).toBe(12);
    expect(findInstruction(instructions, "run make all")?.line).toBe(12);
    expect(findInstruction(instructions, "RUN other")).toBeUndefined();
  });

  test.each([
    ["RUN --mount=type=secret,id=a cat", true],
    ["COPY --chmod=755 a b", true],
    ["COPY --link a b", true],
    ["COPY --from=build --chown=1:1 a b", false],
    ["RUN echo $((1<<2)) --mount=", false],
    ["RUN cat <<< word", false],
    ["RUN cat <<END\nx\nEND", true],
  ])("%s needs BuildKit: %s", (text, needs) => {
    expect(needsBuildKit(parseDockerfile(text))).toBe(needs);
  });

  test.each([
    ["", ["RUN", "COPY", "CMD"]],
    ["last", ["RUN", "COPY", "CMD"]],
    ["ONE", ["RUN"]],
    ["1", ["ADD"]],
    ["none", []],
  ])("the steps of the stage `%s` with those that it stands on", (target, steps) => {
    const text =
      "ARG X\nFROM --platform=a base:1 AS One\nRUN a\nFROM b\nADD b /\nFROM one as last\nONBUILD RUN x\nCOPY a /\nCMD a\n";
    expect(stepsOnBase(parseDockerfile(text), target)).toEqual(steps);
  });

  test("an escape character of Windows", () => {
    expect(parseDockerfile("# escape=`\nRUN a `\n  b\nRUN c\\").map(({ text }) => text)).toEqual([
      "RUN a b",
      "RUN c\\",
    ]);
  });
});

function transcriptOf(output: string): Transcript {
  const transcript = new Transcript();
  for (const line of output.split("\n")) transcript.add(line);
  return transcript;
}

const CLASSIC = `Step 1/4 : FROM base:test
 ---> bc023b9b28c2
Step 2/4 : COPY a.txt /a.txt
 ---> Using cache
 ---> cb4b5e28d89f
Step 3/4 : RUN make all
 ---> Running in 174b6c8ff911
compiling
no rule to make target`;

const BUILDKIT = `#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s
#4 [1/3] FROM docker.io/library/base:test
#4 CACHED
#5 [2/3] COPY a.txt /a.txt
#5 CACHED
#6 [build 3/3] RUN make all
#6 0.214 compiling
#7 [other 2/2] RUN sleep 9
#6 0.300 no rule to make target
#6 ERROR: process "/bin/sh -c make all" did not complete successfully: exit code: 2
------
 > [3/3] RUN make all:
0.300 no rule to make target
------
Dockerfile:12
--------------------
  12 | >>> RUN make all
--------------------
ERROR: failed to solve: process "/bin/sh -c make all" did not complete successfully: exit code: 2`;

const BUILDAH = `STEP 1/3: FROM base:test
STEP 2/3: COPY a.txt /a.txt
--> Using cache 07a1b2c3d4e5
--> 07a1b2c3d4e
STEP 3/3: RUN make all
compiling
no rule to make target
error building at STEP "RUN make all": error while running runtime: exit status 2`;

describe("a failed build", () => {
  const lines = ["# one", "FROM base:test", "COPY a.txt /a.txt", "ENV X=1", "RUN make all"];

  function failureOf(output: string, stderr: string) {
    const context = contextOf(lines);
    const exit: Exit = {
      code: 1,
      signal: null,
      stdout: output,
      stderr,
      timedOut: false,
      cancelled: false,
      ms: 1,
    };
    const ports = portsOf({ HOME: "/nowhere" }, context);
    return { failure: failedBuild(exit, transcriptOf(output), specOf(context), ports), log: ports.log };
  }

  test.each([
    ["classic", CLASSIC, "The command '/bin/sh -c make all' returned a non-zero code: 2", 5],
    ["BuildKit", BUILDKIT, BUILDKIT, 12],
    ["buildah", BUILDAH, "error building at STEP", 5],
  ])("%s: the step, its line and its last lines", (_, output, stderr, line) => {
    const { failure, log } = failureOf(output, stderr);
    expect(failure.code).toBe("BUILD_FAILED");
    expect(failure.message).toMatch(/^the build failed \(Dockerfile, line \d+\): `RUN make all` failed: \S/);
    expect(failure.evidence).toEqual(expect.arrayContaining(["compiling", "no rule to make target"]));
    expect(log.annotations).toHaveLength(1);
    expect(log.annotations[0]).toMatchObject({ level: "error", file: "Dockerfile", line });
  });

  test.each([
    ["dockerfile parse error line 4: unknown instruction: ENVV", 4, /unknown instruction/],
    [
      "ERROR: failed to solve: dockerfile parse error on line 3: COPY requires at least two arguments",
      3,
      /requires/,
    ],
  ])("a Dockerfile that cannot be read: %s", (stderr, line, message) => {
    const { failure, log } = failureOf("", stderr);
    expect(log.annotations[0]?.line).toBe(line);
    expect(failure.message).toMatch(message);
  });

  test.each([
    ["toomanyrequests: You have reached your pull rate limit", "RATE_LIMITED", "log in"],
    ["pull access denied for private/base, repository does not exist", "BUILD_FAILED", "registry-auth"],
    ["COPY failed: file not found in build context", "BUILD_FAILED", "names in this line exist"],
    ["write /x: no space left on device", "BUILD_FAILED", "free disk space"],
  ])("%s tells what to do", (stderr, code, fix) => {
    const { failure } = failureOf("Step 1/2 : FROM base:test", `Error response from daemon: ${stderr}`);
    expect(failure.code).toBe(code);
    expect(failure.fix).toContain(fix);
    expect(failure.message).toContain(stderr);
    expect(failure.message).not.toContain("Error response from daemon");
  });
});

test("steps and cache hits are counted alike; base images count for nothing", () => {
  expect(transcriptOf(CLASSIC).counts()).toEqual({ steps: 2, cachedSteps: 1 });
  expect(transcriptOf(BUILDKIT).counts()).toEqual({ steps: 3, cachedSteps: 1 });
  expect(transcriptOf(BUILDAH).counts()).toEqual({ steps: 2, cachedSteps: 1 });
});

test("only the last 20 lines of a step are kept", () => {
  const output = Array.from({ length: 50 }, (_, index) => `line ${index}`).join("\n");
  const { lines } = transcriptOf(`Step 1/1 : RUN x\n${output}`).failure();
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([20, "line 30", "line 49"]);
});

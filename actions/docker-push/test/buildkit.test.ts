import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { findProgram } from "../../../lib/testing/docker-engine.ts";
import type { BuildSpec } from "../src/engine/engine.ts";
import { chooseEngine } from "../src/engine/probe.ts";
import { contextOf, finished, portsOf, specOf } from "./engine-kit.ts";
import { makeFolder } from "./image-kit.ts";

/** No distribution that tests run on packs them: a folder with buildkitd and buildctl can be named. */
const folder = process.env["GOCI_BUILDKIT"] || dirname(findProgram("buildkitd") ?? "");
const root = process.getuid?.() === 0;
const problem = !existsSync(join(folder, "buildkitd"))
  ? "set GOCI_BUILDKIT to a folder with buildkitd and buildctl"
  : root
    ? ""
    : "needs root";

(problem ? describe.skip : describe)(`a BuildKit daemon${problem && ` (skipped: ${problem})`}`, () => {
  const place = problem ? "" : makeFolder();
  const host = `unix://${place}/s`;
  const env = { PATH: `${folder}:${process.env["PATH"]}`, HOME: place, BUILDKIT_HOST: host };
  let daemon: ChildProcess;

  beforeAll(async () => {
    const words = ["--addr", host, "--root", join(place, "root"), "--oci-worker-net", "host"];
    daemon = spawn(join(folder, "buildkitd"), words, { env, stdio: "ignore" });
    for (let tries = 0; tries < 200 && !existsSync(join(place, "s")); tries++) await sleep(100);
  }, 30_000);

  afterAll(async () => {
    daemon.kill("SIGTERM");
    await new Promise((resolve) => daemon.once("exit", resolve));
  }, 30_000);

  async function build(more: Partial<BuildSpec> = {}) {
    const lines = [
      "FROM scratch",
      "COPY busybox /bin/busybox",
      'RUN ["/bin/busybox", "--install", "-s", "/bin"]',
      "RUN --mount=type=secret,id=k wc -c </run/secrets/k >/size",
      "COPY --from=other b.txt /b.txt",
    ];
    const context = contextOf(lines);
    copyFileSync(findProgram("busybox") ?? "", join(context, "busybox"));
    const ports = portsOf(env, context);
    const contexts = new Map([["other", contextOf([], { "b.txt": "from elsewhere" })]]);
    const spec = specOf(context, {
      contexts,
      secrets: [{ id: "k", value: Buffer.from("very-hidden-value") }],
      ...more,
    });
    const engine = await chooseEngine("buildkit", spec, ports);
    const built = await engine.build(spec, ports);
    return { built, ports, ...(await finished(built, ports.signal)) };
  }

  test("two clean builds are one digest, a cached one too; secrets and contexts reach it", async () => {
    const first = await build({ noCache: true });
    const second = await build({ noCache: true });
    const cached = await build();
    expect(first.built).toMatchObject({ steps: 4, cachedSteps: 0 });
    expect(second.pushed.manifest.digest).toBe(first.pushed.manifest.digest);
    expect(cached.pushed.manifest.digest).toBe(first.pushed.manifest.digest);
    expect(cached.built.cachedSteps).toBeGreaterThan(0);
  }, 60_000);

  test("the cache goes out and comes in again", async () => {
    const cache = join(makeFolder(), "cache");
    const { ports } = await build({ cacheTo: [`type=local,dest=${cache}`] });
    expect(ports.log.lines.filter((line) => line.startsWith("warning"))).toEqual([]);
    expect(existsSync(join(cache, "index.json"))).toBe(true);
    await build({ cacheFrom: [`type=local,src=${cache}`] });
  }, 60_000);
});

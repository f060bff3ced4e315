import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { engineProblem, type RunningEngine, startDockerEngine } from "../../lib/testing/docker-engine.ts";
import { freePort } from "../../lib/testing/sshd.ts";
import { type PrivatePostgres, startPrivatePostgres } from "../../sample-app/scripts/private-postgres.ts";

const SAMPLE_APP = resolve(import.meta.dirname, "../../sample-app");
const problem = engineProblem();

/** The image as a user makes it, but for the base, which is this machine's own files: nothing can be pulled. */
(problem ? describe.skip : describe)(`the image of sample-app${problem ? ` (${problem})` : ""}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "goci-image-"));
  const context = join(folder, "context");
  let engine: RunningEngine;
  let postgres: PrivatePostgres;
  let url = "";

  beforeAll(async () => {
    const script = (name: string, ...args: string[]) =>
      execFileSync(process.execPath, [join(SAMPLE_APP, "scripts", name), ...args], { stdio: "pipe" });
    [engine, postgres] = await Promise.all([startDockerEngine(), startPrivatePostgres()]);
    for (const name of ["Dockerfile", ".dockerignore", "scripts"]) {
      cpSync(join(SAMPLE_APP, name), join(context, name), { recursive: true });
    }
    script("build.ts", join(context, "build"));
    script("make-base.ts", "--with-node", join(folder, "base.tar"));
    engine.docker(["import", join(folder, "base.tar"), "build-image:local"]);
    const options = ["--target", "tested", "--build-arg", "BUILD_IMAGE=build-image:local"];
    engine.docker(["build", ...options, "--tag", "shop:test", context], { DOCKER_BUILDKIT: "0" });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const variables = { ...postgres.env, PORT: String(port), BIND_ADDRESS: "127.0.0.1" };
    const environment = Object.entries(variables).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
    const walls = [
      "--read-only",
      "--user",
      "10001",
      "--cap-drop",
      "ALL",
      "--security-opt",
      "no-new-privileges",
    ];
    engine.docker([
      "run",
      "--detach",
      "--name",
      "shop",
      "--network",
      "host",
      ...walls,
      ...environment,
      "shop:test",
    ]);
    await untilReady();
  });
  afterAll(async () => {
    await engine?.stop();
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function untilReady(): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      const answer = await fetch(`${url}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      await delay(100);
    }
    throw new Error(`not ready: ${engine.docker(["logs", "shop"])}`);
  }

  const inside = (code: string) => engine.docker(["exec", "shop", "/app/runtime/node", "-p", code]).trim();

  test("answers from a read-only root as uid 10001, with its migrations applied", async () => {
    const body = JSON.stringify({ name: "Zoë", document: "77777777777" });
    const headers = { "Content-Type": "application/json" };
    expect((await fetch(`${url}/students`, { method: "POST", headers, body })).status).toBe(201);
    expect(inside("process.getuid() + ':' + process.getgid()")).toBe("10001:10001");
    expect(inside("try { require('fs').writeFileSync('/app/x', ''); 'written' } catch (e) { e.code }")).toBe(
      "EROFS",
    );
    expect(inside("require('fs').readdirSync('/').sort().join()")).toBe(
      ".dockerenv,app,dev,etc,lib,lib64,proc,sys,tmp",
    );
  });

  test("holds the very bytes that were built", () => {
    const names = readdirSync(join(context, "build"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(context, "build").length + 1))
      .sort();
    const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
    const built = names.map((name) => [name, hash(readFileSync(join(context, "build", name)))]);
    const shipped =
      inside(`const fs = require('fs'); JSON.stringify(${JSON.stringify(names)}.map((name) => [name,
      require('crypto').createHash('sha256').update(fs.readFileSync('/app/' + name)).digest('hex')]))`);
    expect(JSON.parse(shipped)).toEqual(built);
    expect(names).toContain("runtime/node");
  });

  test("checks its own health, and says what it is", () => {
    const config = JSON.parse(engine.docker(["image", "inspect", "shop:test"]))[0].Config;
    expect(config).toMatchObject({
      User: "10001:10001",
      ExposedPorts: { "8000/tcp": {} },
      WorkingDir: "/app",
    });
    const check: string[] = config.Healthcheck.Test.slice(1);
    expect(engine.docker(["exec", "shop", ...check])).toBe("");
    expect(() => engine.docker(["exec", "--env", "PORT=1", "shop", ...check])).toThrow("healthcheck");
    expect(() => engine.docker(["exec", "shop", "/bin/sh", "-c", "true"])).toThrow();
  });

  test("is at most 50 MB compressed", () => {
    const archive = join(folder, "image.tar");
    engine.docker(["save", "--output", archive, "shop:test"]);
    // At gzip's fastest: what is pushed is packed better, and smaller.
    const layers = execFileSync("sh", [
      "-c",
      'tar --extract --to-stdout --wildcards --file "$1" "*/layer.tar" | gzip -1 | wc -c',
      "sh",
      archive,
    ]);
    expect(Number(layers)).toBeGreaterThan(30e6);
    expect(Number(layers)).toBeLessThan(50e6);
  });

  test("stops on SIGTERM with exit code 0", () => {
    engine.docker(["stop", "shop"]);
    expect(engine.docker(["inspect", "--format", "{{.State.ExitCode}}", "shop"]).trim()).toBe("0");
  });
});

import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createSchema, type TestSchema } from "../database.ts";
import { json, send } from "../http.ts";
import { eventually, untilReady } from "../service-process.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/build.ts", import.meta.url));

function build(folder: string): void {
  const env = { ...process.env, SAMPLE_APP_RUNTIME: "host", RELEASE: "", RELEASE_ID: "12-abcdef" };
  execFileSync(process.execPath, [SCRIPT, folder], { env, stdio: "pipe" });
}

function digest(folder: string): string {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) {
    hash.update(path.slice(folder.length)).update(readFileSync(path));
  }
  return hash.digest("hex");
}

describe("the build", () => {
  let folder: string;
  let schema: TestSchema;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "sample app "));
    build(join(folder, "one"));
    schema = await createSchema();
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await schema?.drop();
  });

  test("has the same bytes in another folder", () => {
    build(join(folder, "two"));
    assert.equal(digest(join(folder, "two")), digest(join(folder, "one")));
  });

  test("runs from any folder through a symlink, tells its version, stores, and stops on SIGTERM", async () => {
    symlinkSync("one", join(folder, "current"));
    symlinkSync(join("current", "main"), join(folder, "start"));
    const PATH = `${dirname(process.execPath)}:${process.env["PATH"]}`;
    const env = { ...schema.env, PATH, PORT: "0", BIND_ADDRESS: "127.0.0.1" };
    const service = spawn(join(folder, "start"), { env, cwd: "/", stdio: ["ignore", "pipe", "inherit"] });
    const exit = new Promise((resolve) => service.once("exit", resolve));
    let output = "";
    service.stdout.on("data", (chunk) => {
      output += String(chunk);
    });
    try {
      const line = await eventually(
        () => output.split("\n").find((one) => one.includes('"listening"')),
        "listening",
      );
      const url = `http://127.0.0.1:${JSON.parse(line).port}`;
      await untilReady(url);
      const version = await json(await fetch(`${url}/version`));
      const written = JSON.parse(readFileSync(join(folder, "one", "version.json"), "utf8"));
      assert.deepEqual([version["commit"], version["release"]], [written.commit, "12-abcdef"]);
      assert.equal((await fetch(`${url}/openapi.json`)).status, 200);
      // Through the bundled JSON parser, whose character tables the build thins out.
      const created = await send(`${url}/students`, "POST", { name: "Zoë", document: "77777777777" });
      assert.equal((await json(created))["name"], "Zoë");
      assert.match(created.headers.get("content-type") ?? "", /^application\/json; charset=utf-8$/);
    } finally {
      service.kill("SIGTERM");
    }
    assert.equal(await exit, 0, output);
  });

  test("says in one line that there is no Node", () => {
    const tools = join(folder, "tools");
    execFileSync("mkdir", [tools]);
    for (const name of ["readlink", "uname"]) symlinkSync(`/bin/${name}`, join(tools, name));
    const main = join(folder, "one", "main");
    const result = spawnSync("/bin/sh", [main], { env: { PATH: tools }, encoding: "utf8" });
    assert.equal(result.status, 127);
    assert.match(result.stderr, /^sample-app: cannot start: no node on PATH: [^\n]+\n$/);
  });
});

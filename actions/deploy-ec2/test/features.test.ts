import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { fingerprintOf, startSshd } from "../../../lib/testing/sshd.ts";
import { Site } from "./site.ts";

describe("what a deployment does on the host", () => {
  let site: Site;

  beforeAll(async () => {
    site = await Site.open();
  });

  afterAll(async () => {
    await site.close();
  });

  const at = (path: string) => join(site.target, path);

  test("only changed files are sent; links, modes and empty folders arrive; shared paths survive", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`lib/part-${i}.js`, `// ${i} ${"x".repeat(500)}\n`]),
    );
    site.build("1", "good", { ...many, "postgres-data/base": "never sent", "bin/tool": "#!/bin/sh\n" });
    const source = join(site.runner.workspace, "build");
    chmodSync(join(source, "bin/tool"), 0o755);
    symlinkSync("../bin/tool", join(source, "lib/tool"));
    mkdirSync(join(source, "spool"));
    const inputs = { "shared-paths": "uploads\ndata/files" };
    const first = await site.deploy("f1", inputs);
    expect(first.outputs["outcome"]).toBe("succeeded");
    expect(statSync(at("current/main")).mode & 0o777).toBe(0o755);
    expect(statSync(at("current/bin/tool")).mode & 0o777).toBe(0o755);
    expect(statSync(at("current/lib/part-7.js")).mode & 0o777).toBe(0o644);
    expect(lstatSync(at("current/lib/tool")).isSymbolicLink()).toBe(true);
    expect(statSync(at("current/spool")).isDirectory()).toBe(true);
    expect(existsSync(at("current/postgres-data"))).toBe(false);
    writeFileSync(at("current/uploads/photo"), "kept");
    writeFileSync(at("current/data/files/doc"), "kept");

    site.build("2", "good", { ...many, "lib/part-7.js": "changed\n" });
    const second = await site.deploy("f2", inputs);
    expect(second.outputs["outcome"]).toBe("succeeded");
    expect(second.outputs["previous-release"]).toBe("f1");
    expect(second.outputs["files-sent"]).toBe("3");
    expect(Number(second.outputs["bytes-sent"])).toBeLessThan(20_000);
    expect(readFileSync(at("current/lib/part-7.js"), "utf8")).toBe("changed\n");
    expect(readFileSync(at("current/lib/part-8.js"), "utf8")).toBe(many["lib/part-8.js"]);
    expect(readFileSync(at("current/uploads/photo"), "utf8")).toBe("kept");
    expect(readFileSync(at("current/data/files/doc"), "utf8")).toBe("kept");
    expect(existsSync(at("current/bin"))).toBe(false);
  });

  test("a previous release that was edited on the host is not reused blindly", async () => {
    writeFileSync(at("current/lib/part-9.js"), `// 9 ${"y".repeat(500)}\n`);
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`lib/part-${i}.js`, `// ${i} ${"x".repeat(500)}\n`]),
    );
    site.build("3", "good", many);
    const result = await site.deploy("f3");
    expect(result.outputs["outcome"]).toBe("succeeded");
    expect(readFileSync(at("current/lib/part-9.js"), "utf8")).toBe(many["lib/part-9.js"]);
  });

  test("secrets are in a file of mode 0600, in no command line, in no log and in no report", async () => {
    site.build("4");
    const secret = "correct-horse-battery";
    const inputs = {
      ...site.inputs,
      release: "f4",
      "environment-variables": `API_TOKEN=${secret}\nGREETING=hello`,
    };
    const step = site.runner.start("deploy-ec2", inputs);
    const seen = new Set<string>();
    const spy = setInterval(() => {
      const found = execFileSync("sh", ["-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"], {
        encoding: "utf8",
      });
      if (found.includes(secret)) seen.add(found);
    }, 20);
    const result = await step.result;
    clearInterval(spy);
    expect(result.outputs["outcome"]).toBe("succeeded");
    expect([...seen]).toEqual([]);
    const env = at(".goci/releases/f4/env");
    expect(statSync(env).mode & 0o777).toBe(0o600);
    expect(readFileSync(env, "utf8")).toContain(secret);
    const shown = result.output.split("\n").filter((line) => !line.startsWith("::add-mask::"));
    expect(shown.join("\n")).not.toContain(secret);
    expect(JSON.stringify([result.report, result.outputs, result.state, result.summary])).not.toContain(
      secret,
    );
    expect(site.sshd.log()).not.toContain(secret);
  });

  test("a version that starts but is unhealthy, one that never listens, and one whose hook fails, all go back", async () => {
    const before = await site.ask();
    const tries = [
      ["unhealthy", "HEALTH_CHECK_FAILED", {}],
      ["deaf", "HEALTH_CHECK_FAILED", {}],
      [
        "good",
        "HOOK_FAILED",
        { "after-switch": "echo told >hook-was-here\necho no such table >&2\nfalse\necho never" },
      ],
    ] as const;
    for (const [index, [behaviour, code, extra]] of tries.entries()) {
      site.build(`bad-${index}`, behaviour);
      const result = await site.deploy(`bad-${index}`, { "health-check-timeout": "1500ms", ...extra });
      expect(result.outputs).toMatchObject({
        outcome: "rolled-back",
        "failure-code": code,
        "rolled-back": "true",
      });
      expect(result.exitCode).toBe(1);
      expect(await site.ask()).toMatchObject({ version: before?.version });
      expect(site.processes()).toHaveLength(1);
    }
  });

  test("a failing before-switch changes nothing that serves", async () => {
    const before = await site.ask();
    site.build("never");
    const result = await site.deploy("f-hook", { "before-switch": "echo migrating $RELEASE_ID\nexit 3" });
    expect(result.outputs).toMatchObject({ outcome: "failed", "failure-code": "HOOK_FAILED" });
    expect(result.output).toContain("migrating f-hook");
    expect((await site.ask())?.pid).toBe(before?.pid);
    expect(site.releases()).not.toContain("f-hook");
  });

  test("with `rollback: false` the failed version stays, and the next deployment replaces it", async () => {
    site.build("5", "unhealthy");
    const left = await site.deploy("f5", { rollback: "false", "health-check-timeout": "1s" });
    expect(left.outputs).toMatchObject({
      outcome: "failed",
      "failure-code": "HEALTH_CHECK_FAILED",
      "rolled-back": "false",
    });
    expect(await site.ask()).toMatchObject({ version: "5" });
    site.build("6");
    expect((await site.deploy("f6")).outputs["outcome"]).toBe("succeeded");
    expect(site.processes()).toHaveLength(1);
  });

  test("a process that ignores SIGTERM is stopped by force", async () => {
    site.build("7", "slow-stop");
    await site.deploy("f7", { "stop-timeout": "1s" });
    site.build("8");
    expect((await site.deploy("f8", { "stop-timeout": "1s" })).outputs["outcome"]).toBe("succeeded");
    expect(await site.ask()).toMatchObject({ version: "8" });
    expect(site.processes()).toHaveLength(1);
  });

  test("rollback goes to the release before, or to the named one; prune keeps what is needed", async () => {
    const back = await site.runner.main("deploy-ec2", { ...site.inputs, action: "rollback", source: "" });
    expect(back.outputs["outcome"]).toBe("succeeded");
    expect(await site.ask()).toMatchObject({ version: "7" });
    const named = await site.runner.main("deploy-ec2", {
      ...site.inputs,
      action: "rollback",
      source: "",
      release: "f6",
    });
    expect(named.outputs["outcome"]).toBe("succeeded");
    expect(await site.ask()).toMatchObject({ version: "6" });
    const none = await site.runner.main("deploy-ec2", {
      ...site.inputs,
      action: "rollback",
      source: "",
      release: "nope",
    });
    expect(none.outputs).toMatchObject({ outcome: "failed", "failure-code": "RELEASE_NOT_FOUND" });
    const pruned = await site.runner.main("deploy-ec2", {
      ...site.inputs,
      action: "prune",
      source: "",
      "keep-releases": "1",
    });
    expect(pruned.outputs["outcome"]).toBe("succeeded");
    expect(site.releases()).toEqual(["f6", "f7"]);
    const again = await site.runner.main("deploy-ec2", {
      ...site.inputs,
      action: "prune",
      source: "",
      "keep-releases": "1",
    });
    expect(again.outputs["outcome"]).toBe("unchanged");
    expect(await site.ask()).toMatchObject({ version: "6" });
  });

  test("archives are unpacked, with their modes", async () => {
    site.build("13", "good", { "deep/file.txt": "deep\n" });
    chmodSync(join(site.runner.workspace, "build/main"), 0o755);
    execFileSync("tar", [
      "-C",
      join(site.runner.workspace, "build"),
      "-czf",
      join(site.runner.workspace, "app.tgz"),
      ".",
    ]);
    expect((await site.deploy("f13", { source: "app.tgz" })).outputs["outcome"]).toBe("succeeded");
    expect(readFileSync(at("current/deep/file.txt"), "utf8")).toBe("deep\n");
    site.build("14", "good", { "deep/file.txt": "deeper\n" });
    const zip = "import shutil,sys; shutil.make_archive(sys.argv[1], 'zip', sys.argv[2])";
    execFileSync("python3", [
      "-c",
      zip,
      join(site.runner.workspace, "app"),
      join(site.runner.workspace, "build"),
    ]);
    expect((await site.deploy("f14", { source: "app.zip" })).outputs["outcome"]).toBe("succeeded");
    expect(readFileSync(at("current/deep/file.txt"), "utf8")).toBe("deeper\n");
    expect(await site.ask()).toMatchObject({ version: "14" });
  });

  test("a first deployment that fails leaves no process and no `current`", async () => {
    const target = join(site.runner.root, "host", "first");
    site.build("1", "crash");
    const port = String(site.port + 1);
    const result = await site.deploy("r1", { target, "app-port": port });
    expect(result.outputs).toMatchObject({
      outcome: "failed",
      "failure-code": "START_FAILED",
      "rolled-back": "false",
    });
    expect(result.output).toContain("cannot find the flux capacitor");
    expect(existsSync(join(target, "current"))).toBe(false);
    expect(execFileSync("ls", ["-A", join(target, "releases")], { encoding: "utf8" })).toBe("");
  });
});

describe("ways onto the host", () => {
  test("a jump host, a fingerprint of another key type, a pem key with CRLF", async () => {
    const site = await Site.open();
    const jump = await startSshd({ hostKeys: ["ed25519", "rsa"] });
    try {
      site.build("1");
      const rsa = fingerprintOf(join(jump.keyPath, "..", "host_rsa.pub"));
      const result = await site.deploy("r1", {
        key: site.sshd.key.replace(/\n/g, "\r\n").trimEnd(),
        proxy_host: `127.0.0.1:${jump.port}`,
        proxy_key: jump.key,
        proxy_fingerprint: rsa,
      });
      expect({ outcome: result.outputs["outcome"], output: result.output }).toMatchObject({
        outcome: "succeeded",
      });
      expect([jump.logins(), site.sshd.logins()]).toEqual([1, 1]);
    } finally {
      await jump.stop();
      await site.close();
    }
  });

  test("a host that forbids forwarding is probed from inside", async () => {
    const site = await Site.open(["AllowTcpForwarding no"]);
    try {
      site.build("1");
      const good = await site.deploy("r1", {
        "health-check-contains": '"version":"1"',
        "health-check-header": 'X-It: "quoted"',
      });
      expect({ outcome: good.outputs["outcome"], output: good.output }).toMatchObject({
        outcome: "succeeded",
      });
      site.build("2", "unhealthy");
      const bad = await site.deploy("r2", { "health-check-timeout": "1s" });
      expect(bad.outputs).toMatchObject({ outcome: "rolled-back", "failure-code": "HEALTH_CHECK_FAILED" });
      expect(bad.outputs["failure-reason"]).toContain("status 503");
    } finally {
      await site.close();
    }
  });
});

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { expectValidReport } from "../../../lib/testing/report-schema.ts";
import type { StepResult } from "../../../lib/testing/runner.ts";
import { freePort, makeKey } from "../../../lib/testing/sshd.ts";
import { Site } from "./site.ts";

/** What every refusal has in common: red, one error, the code, the host as it was. */
function expectRefusal(site: Site, before: string, result: StepResult, code: string): void {
  expect({ code: result.outputs["failure-code"], output: result.output }).toMatchObject({ code });
  expect(result.exitCode).toBe(1);
  expect(result.outputs).toMatchObject({ outcome: "failed", changed: "false", "rolled-back": "false" });
  expect(result.outputs["failure-reason"]).not.toMatch(/\n/);
  expect(result.errors).toHaveLength(1);
  expectValidReport(result.report);
  expect(site.snapshot()).toBe(before);
  expect(site.isLocked()).toBe(false);
}

describe("refusals change nothing on the host", () => {
  let site: Site;
  let before: string;
  let pid: number | undefined;

  beforeAll(async () => {
    site = await Site.open();
    site.build("1");
    const first = await site.deploy("r1");
    expect(first.outputs["outcome"]).toBe("succeeded");
    pid = (await site.ask())?.pid;
    before = site.snapshot();
    site.build("2");
  });

  afterEach(async () => {
    expect((await site.ask())?.pid).toBe(pid);
  });

  afterAll(async () => {
    await site.close();
  });

  test("every wrong input is named in one message, before anything is connected", async () => {
    const logins = site.sshd.logins();
    const result = await site.deploy("r 2", {
      host: "a b",
      key: "not a key",
      "known-hosts": "",
      transport: "ssm",
      strategy: "blue-green",
      "app-port": "99999",
      "batch-size": "0",
      target: "relative/path",
      "stop-timeout": "soon",
      "environment-variables": "1A=x",
      "shared-paths": "../up",
      fingerprint: "MD5:aa",
      "health-check-status": "abc",
    });
    expectRefusal(site, before, result, "BAD_INPUT");
    for (const name of [
      "release",
      "host",
      "key",
      "transport",
      "strategy",
      "app-port",
      "batch-size",
      "target",
      "stop-timeout",
      "environment-variables",
      "shared-paths",
      "fingerprint",
      "health-check-status",
    ]) {
      expect(result.report?.["error"]).toMatchObject({ message: expect.stringContaining(`\`${name}\``) });
    }
    expect(site.sshd.logins()).toBe(logins);
  });

  test("a missing pin is an input error", async () => {
    const result = await site.deploy("r2", { "known-hosts": "" });
    expectRefusal(site, before, result, "BAD_INPUT");
    expect(result.outputs["failure-reason"]).toContain("`known-hosts`");
  });

  test("a wrong passphrase and a key of nobody", async () => {
    const path = join(site.runner.root, "locked");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "right", "-f", path]);
    const locked = readFileSync(path, "utf8");
    const wrong = await site.deploy("r2", { key: locked, passphrase: "wrong" });
    expectRefusal(site, before, wrong, "BAD_INPUT");
    expect(wrong.outputs["failure-reason"]).toContain("`passphrase`");
    const none = await site.deploy("r2", { key: locked });
    expectRefusal(site, before, none, "BAD_INPUT");
    const stranger = await site.deploy("r2", { key: locked, passphrase: "right" });
    expectRefusal(site, before, stranger, "AUTH_FAILED");
  });

  test("another host key, and no line for this host", async () => {
    const path = join(site.runner.root, "other");
    makeKey(path, "ed25519");
    const other = readFileSync(`${path}.pub`, "utf8").split(" ").slice(0, 2).join(" ");
    const mismatch = await site.deploy("r2", { "known-hosts": `[127.0.0.1]:${site.sshd.port} ${other}` });
    expectRefusal(site, before, mismatch, "HOST_KEY_MISMATCH");
    const unknown = await site.deploy("r2", { "known-hosts": `elsewhere.example ${other}` });
    expectRefusal(site, before, unknown, "HOST_KEY_UNKNOWN");
    expect(unknown.outputs["failure-reason"]).toContain(site.sshd.fingerprint);
    const fingerprint = await site.deploy("r2", {
      "known-hosts": "",
      fingerprint: `SHA256:${"A".repeat(43)}`,
    });
    expectRefusal(site, before, fingerprint, "HOST_KEY_MISMATCH");
  });

  test("nobody listens; nobody answers; a name that does not exist", async () => {
    const refused = await site.deploy("r2", { host: `127.0.0.1:${await freePort()}` });
    expectRefusal(site, before, refused, "CONNECT_FAILED");
    expect(refused.output.match(/try \d of 3/g)).toHaveLength(2);
    const silent: Server = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const mute = await site.deploy("r2", { host: `127.0.0.1:${port}`, "connect-timeout": "300ms" });
    silent.close();
    expectRefusal(site, before, mute, "CONNECT_FAILED");
    expect(mute.outputs["failure-reason"]).toContain("no answer");
  });

  test("the port is held by somebody else", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    const address = taken.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const result = await site.deploy("r2", { "app-port": String(port) });
    taken.close();
    expectRefusal(site, before, result, "PORT_IN_USE");
    expect(result.outputs["failure-reason"]).toContain(`pid ${process.pid}`);
  });

  test("an empty source, a missing source, and one outside of the workspace", async () => {
    mkdirSync(join(site.runner.workspace, "empty"), { recursive: true });
    expectRefusal(site, before, await site.deploy("r2", { source: "empty" }), "SOURCE_EMPTY");
    expectRefusal(site, before, await site.deploy("r2", { source: "nowhere" }), "SOURCE_EMPTY");
    expectRefusal(site, before, await site.deploy("r2", { source: "/etc/hostname" }), "BAD_INPUT");
    expectRefusal(site, before, await site.deploy("r2", { strip_components: "9" }), "SOURCE_EMPTY");
  });

  test("archives that reach out of the release", async () => {
    const folder = join(site.runner.workspace, "evil");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "file"), "x");
    symlinkSync("/etc/passwd", join(folder, "link"));
    const tar = (name: string, ...args: string[]) =>
      execFileSync("tar", ["-C", folder, "-cf", join(site.runner.workspace, name), ...args]);
    tar("up.tar", "--transform=s,^file,../file,", "-P", "file");
    tar("abs.tar", "--transform=s,^file,/tmp/file,", "-P", "file");
    tar("link.tar", "link");
    for (const name of ["up.tar", "abs.tar", "link.tar"]) {
      expectRefusal(site, before, await site.deploy("r2", { source: name }), "UNSAFE_ARCHIVE");
    }
    writeFileSync(
      join(site.runner.workspace, "cut.tgz"),
      execFileSync("sh", ["-c", "tar -cz . | head -c 60"], { cwd: folder }),
    );
    expectRefusal(site, before, await site.deploy("r2", { source: "cut.tgz" }), "SOURCE_UNREADABLE");
  });

  test("a release id that names other content", async () => {
    expectRefusal(site, before, await site.deploy("r1"), "RELEASE_IN_USE");
  });

  test("a run that is older than the one that deployed", async () => {
    const old = await site.runner.main(
      "deploy-ec2",
      { ...site.inputs, release: "r0" },
      { env: { GITHUB_RUN_NUMBER: "3" } },
    );
    expectRefusal(site, before, old, "STALE_RUN");
  });

  test("unchanged content ends unchanged, with nothing written", async () => {
    site.build("1");
    const result = await site.deploy("r9");
    site.build("2");
    expect(result.outputs).toMatchObject({ outcome: "unchanged", changed: "false" });
    expect(result.exitCode).toBe(0);
    expect(site.snapshot()).toBe(before);
  });

  test("a dry run prints the plan and writes nothing", async () => {
    const result = await site.deploy("r2", { "dry-run": "true" });
    expect(result.outputs).toMatchObject({ outcome: "planned", changed: "false" });
    expect(result.output).toContain("~ version.txt");
    expect(site.snapshot()).toBe(before);
  });

  test("status only reads", async () => {
    const result = await site.runner.main("deploy-ec2", { ...site.inputs, action: "status", source: "" });
    expect(result.outputs).toMatchObject({ outcome: "succeeded", release: "r1" });
    expect(site.snapshot()).toBe(before);
  });
});

const canMount = process.getuid?.() === 0;
const mounted = canMount ? describe : describe.skip;

mounted("a disk that is too small (needs root for a mount of its own)", () => {
  let site: Site;
  let disk: string;

  beforeAll(async () => {
    site = await Site.open();
    disk = mkdtempSync(join(tmpdir(), "goci-disk-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", disk]);
  });

  afterAll(async () => {
    await site.close();
    execFileSync("umount", ["-l", disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  test("is found out before anything is written", async () => {
    site.build("1");
    writeFileSync(join(site.runner.workspace, "build/big"), Buffer.alloc(5_000_000, 7));
    const result = await site.deploy("r1", { target: join(disk, "shop") });
    expect(result.outputs).toMatchObject({
      outcome: "failed",
      "failure-code": "DISK_FULL",
      changed: "false",
    });
    expect(execFileSync("ls", ["-A", disk], { encoding: "utf8" })).toBe("");
  });
});

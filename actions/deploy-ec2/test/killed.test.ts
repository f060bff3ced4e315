import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Site } from "./site.ts";

/** The text after which the main step dies. A number waits so many milliseconds more. */
const MOMENTS: readonly (readonly [string, number])[] = [
  ["::group::inspect", 0],
  ["::group::gate", 0],
  ["::group::apply", 0],
  ["::group::apply", 40],
  ["::group::apply", 80],
  ["::group::watch", 0],
  ["::group::verify", 250],
  ["::group::commit", 0],
  ["::group::commit", 20],
  ["::group::release", 0],
];

describe("the main step is killed at any point, then the post step runs", () => {
  let site: Site;
  let count = 0;

  beforeAll(async () => {
    site = await Site.open();
    site.build("base");
    const result = await site.deploy("base");
    expect(result.outputs["outcome"]).toBe("succeeded");
  });

  afterAll(async () => {
    await site.close();
  });

  test.each(MOMENTS)("after `%s` and %d ms", async (moment, pause) => {
    const old = (await site.ask())?.version;
    const id = `k${++count}`;
    site.build(id);
    const inputs = { ...site.inputs, release: id, "health-check-passes": "4" };
    const step = site.runner.start("deploy-ec2", inputs);
    await step.waitFor(moment);
    await new Promise((resolve) => setTimeout(resolve, pause));
    step.kill("SIGKILL");
    const main = await step.result;
    const post = await site.runner.post("deploy-ec2", main, inputs);
    const told = `${main.output}\n--- post\n${post.output}\n--- script\n${site.scriptLog()}`;
    const now = await site.ask();
    expect({ version: [old, id].includes(now?.version ?? ""), told }).toMatchObject({ version: true });
    expect(site.current()).toBe(`releases/${now?.release}`);
    expect({ locked: site.isLocked(), told }).toMatchObject({ locked: false });
    expect({ code: post.exitCode, told }).toMatchObject({ code: 0 });
    expect(site.releases().filter((name) => name === id)).toEqual(now?.version === id ? [id] : []);
    expect(site.processes()).toHaveLength(1);
    site.build(`${id}-next`);
    const next = await site.deploy(`${id}-next`);
    expect({ outcome: next.outputs["outcome"], told: next.output }).toMatchObject({ outcome: "succeeded" });
    expect(await site.ask()).toMatchObject({ version: `${id}-next` });
  });

  test("a cancel goes back within seconds and says so; the post step has nothing left to do", async () => {
    const old = (await site.ask())?.version;
    site.build("cancelled");
    const inputs = { ...site.inputs, release: "cancelled", "health-check-passes": "20" };
    const step = site.runner.start("deploy-ec2", inputs);
    await step.waitFor("health check after");
    const main = await step.cancel();
    expect(main.outputs).toMatchObject({ outcome: "cancelled", "rolled-back": "true" });
    expect(main.errors).toHaveLength(1);
    const post = await site.runner.post("deploy-ec2", main, inputs);
    expect(post.exitCode).toBe(0);
    expect(await site.ask()).toMatchObject({ version: old });
    expect(site.isLocked()).toBe(false);
  });

  test("a cancel with `on-cancel: leave` keeps what was started", async () => {
    site.build("left");
    const inputs = { ...site.inputs, release: "left", "health-check-passes": "20", "on-cancel": "leave" };
    const step = site.runner.start("deploy-ec2", inputs);
    await step.waitFor("health check after");
    const main = await step.cancel();
    expect(main.outputs).toMatchObject({ outcome: "cancelled", "rolled-back": "false" });
    expect(await site.ask()).toMatchObject({ version: "left" });
    expect(site.isLocked()).toBe(false);
    site.build("after-left");
    expect((await site.deploy("after-left")).outputs["outcome"]).toBe("succeeded");
    expect(site.processes()).toHaveLength(1);
  });

  test("a cancel during a hook ends the hook on the host too", async () => {
    const before = await site.ask();
    site.build("hooked");
    const hook = "echo waiting\nsleep 298.7\necho never";
    const step = site.runner.start("deploy-ec2", {
      ...site.inputs,
      release: "hooked",
      "before-switch": hook,
    });
    await step.waitFor("] waiting");
    const main = await step.cancel();
    expect(main.outputs).toMatchObject({ outcome: "cancelled", changed: "false" });
    expect((await site.ask())?.pid).toBe(before?.pid);
    expect(site.isLocked()).toBe(false);
    expect(site.releases()).not.toContain("hooked");
    expect(
      execFileSync("sh", ["-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"], { encoding: "utf8" }),
    ).not.toContain("sleep 298.7");
  });

  test("the post step of a run that ended well does not even connect", async () => {
    site.build("fine");
    const inputs = { ...site.inputs, release: "fine" };
    const main = await site.runner.main("deploy-ec2", inputs);
    const logins = site.sshd.logins();
    const post = await site.runner.post("deploy-ec2", main, inputs);
    expect([post.exitCode, site.sshd.logins()]).toEqual([0, logins]);
  });
});

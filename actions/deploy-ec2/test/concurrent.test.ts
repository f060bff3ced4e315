import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Site } from "./site.ts";

describe("more than one run", () => {
  let site: Site;

  beforeAll(async () => {
    site = await Site.open();
    site.build("8");
    await site.deploy("f8");
  });

  afterAll(async () => {
    await site.close();
  });

  const at = (path: string) => join(site.target, path);

  test("a held lock: fail, wait, and unlock by hand", async () => {
    const lock = at(".goci/lock");
    const hold = () => {
      mkdirSync(lock, { recursive: true });
      writeFileSync(join(lock, "token"), "someone\n");
      writeFileSync(join(lock, "holder"), "run 99 by mona\n");
      writeFileSync(join(lock, "lease"), `${Math.floor(Date.now() / 1000)}\n`);
    };
    hold();
    site.build("9");
    const failed = await site.deploy("f9", { "on-concurrent": "fail" });
    expect(failed.outputs).toMatchObject({ outcome: "failed", "failure-code": "LOCKED" });
    expect(failed.outputs["failure-reason"]).toContain("run 99 by mona");
    const unlocked = await site.runner.main("deploy-ec2", { ...site.inputs, action: "unlock", source: "" });
    expect(unlocked.outputs["outcome"]).toBe("succeeded");
    const free = await site.runner.main("deploy-ec2", { ...site.inputs, action: "unlock", source: "" });
    expect(free.outputs["outcome"]).toBe("unchanged");
    hold();
    const waiting = site.runner.start("deploy-ec2", { ...site.inputs, release: "f9" });
    await waiting.waitFor("waiting for");
    // The holder dies: its lease runs out.
    writeFileSync(join(lock, "lease"), `${Math.floor(Date.now() / 1000) - 61}\n`);
    expect((await waiting.result).outputs["outcome"]).toBe("succeeded");
  });

  test("two runs at once: both end well, one after the other", async () => {
    site.build("10");
    const one = site.runner.start("deploy-ec2", {
      ...site.inputs,
      release: "f10",
      "health-check-passes": "5",
    });
    await one.waitFor("::group::apply");
    const two = site.runner.start("deploy-ec2", {
      ...site.inputs,
      release: "f11",
      "environment-variables": "GREETING=two",
    });
    const results = await Promise.all([one.result, two.result]);
    expect(results.map((result) => result.outputs["outcome"])).toEqual(["succeeded", "succeeded"]);
    expect(await site.ask()).toMatchObject({ release: "f11", env: "two" });
    expect(site.processes()).toHaveLength(1);
  });

  test("a service whose process is gone is started again although nothing changed", async () => {
    for (const pid of site.processes()) process.kill(pid, "SIGKILL");
    const result = await site.deploy("f12", { "environment-variables": "GREETING=two" });
    expect(result.outputs["outcome"]).toBe("succeeded");
    expect(await site.ask()).toMatchObject({ env: "two" });
  });

  test("with `on-concurrent: supersede` the run before goes back and the new one deploys", async () => {
    site.build("14");
    const one = site.runner.start("deploy-ec2", {
      ...site.inputs,
      release: "f14",
      // Long enough for the other run to come in between; the budget leaves room for a busy machine.
      "health-check-passes": "90",
      "health-check-timeout": "60s",
    });
    await one.waitFor("health check after");
    site.build("15");
    const two = await site.deploy("f15", { "on-concurrent": "supersede" });
    const first = await one.result;
    expect({ outcome: first.outputs["outcome"], code: first.outputs["failure-code"] }).toEqual({
      outcome: "rolled-back",
      code: "SUPERSEDED",
    });
    expect(two.outputs["outcome"]).toBe("succeeded");
    expect(await site.ask()).toMatchObject({ version: "15" });
    expect(site.releases()).not.toContain("f14");
    expect(site.processes()).toHaveLength(1);
  });
});

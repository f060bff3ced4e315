import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { expectValidReport } from "../../../lib/testing/report-schema.ts";
import { Site } from "./site.ts";

describe("deploy-ec2 as a bundle, over a real sshd", () => {
  let site: Site;

  beforeEach(async () => {
    site = await Site.open();
  });

  afterEach(async () => {
    await site.close();
  });

  test("a first deployment starts the service and proves it", async () => {
    site.build("1");
    const result = await site.deploy("r1", {
      "environment-variables": 'GREETING=he said "$HOME `ls` \\ it\'s"',
    });
    expect(result.outputs).toMatchObject({ outcome: "succeeded", release: "r1", changed: "true" });
    expect(site.current()).toBe("releases/r1");
    expect(await site.ask()).toMatchObject({
      version: "1",
      release: "r1",
      env: 'he said "$HOME `ls` \\ it\'s"',
      cwd: `${site.target}/releases/r1`,
    });
    expect(site.isLocked()).toBe(false);
    expect(site.sshd.logins()).toBe(1);
    expectValidReport(result.report);
  });

  test("a version that crashes is rolled back, and says why", async () => {
    site.build("1");
    await site.deploy("r1");
    site.build("2", "crash");
    const result = await site.deploy("r2");
    expect(result.outputs).toMatchObject({
      outcome: "rolled-back",
      "failure-code": "START_FAILED",
      "rolled-back": "true",
    });
    expect(result.output).toContain("cannot find the flux capacitor");
    expect(result.outputs["failure-reason"]).toContain("ended with exit code 7");
    expect(result.errors).toHaveLength(1);
    expect(site.current()).toBe("releases/r1");
    expect(await site.ask()).toMatchObject({ version: "1" });
    expect(site.releases()).toEqual(["r1"]);
    expect(site.isLocked()).toBe(false);
  });
});

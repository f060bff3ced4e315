import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Site } from "./site.ts";

describe("the way back", () => {
  let site: Site;

  beforeEach(async () => {
    site = await Site.open();
    site.build("base");
    expect((await site.deploy("base")).outputs["outcome"]).toBe("succeeded");
  });

  afterEach(async () => {
    await site.close();
  });

  test("a secret that the failed release prints is in no log, output, report or saved state", async () => {
    site.build("talkative", "crash");
    const secret = "correct-horse-battery-staple";
    const result = await site.deploy("talkative", { "environment-variables": `GREETING=${secret}` });
    expect(result.outputs).toMatchObject({ outcome: "rolled-back", "failure-code": "START_FAILED" });
    expect(result.output).toContain("starts with ***");
    const shown = result.output.split("\n").filter((line) => !line.startsWith("::add-mask::"));
    const left = [shown, result.outputs, result.report, result.summary, result.state];
    for (const part of left) expect(JSON.stringify(part)).not.toContain(secret);
  }, 60_000);

  test("a restored release that does not answer as it must is `rollback-failed`, for the run and for its host", async () => {
    site.build("next");
    const result = await site.deploy("next", {
      "health-check-status": "500",
      "health-check-timeout": "1s",
    });
    expect(result.outputs).toMatchObject({ outcome: "rollback-failed", "rolled-back": "false" });
    expect(JSON.parse(result.outputs["hosts"] ?? "")).toMatchObject([{ outcome: "rollback-failed" }]);
    expect(site.isLocked()).toBe(false);
  }, 60_000);
});

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Site } from "./site.ts";

describe("times", () => {
  let site: Site;

  beforeEach(async () => {
    site = await Site.open();
  });

  afterEach(async () => {
    await site.close();
  });

  test("the time to stop what runs before is not taken from the new release's health check", async () => {
    site.build("stubborn", "slow-stop");
    expect((await site.deploy("stubborn")).outputs["outcome"]).toBe("succeeded");
    site.build("next");
    const result = await site.deploy("next", { "stop-timeout": "4s", "health-check-timeout": "2s" });
    expect({ outcome: result.outputs["outcome"], told: result.output }).toMatchObject({
      outcome: "succeeded",
    });
  }, 60_000);

  test("a hook that does not end is ended, and named", async () => {
    site.build("hanging");
    const result = await site.deploy("hanging", {
      timeout: "1s",
      "before-switch": "echo begun\nsleep 297.3",
    });
    expect(result.outputs).toMatchObject({
      outcome: "failed",
      changed: "false",
      "failure-code": "HOOK_FAILED",
      "failure-reason": expect.stringContaining("`before-switch`"),
    });
    expect(site.releases()).toEqual([]);
    expect(site.isLocked()).toBe(false);
  }, 60_000);
});

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

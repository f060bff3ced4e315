import { describe, expect, test } from "@jest/globals";
import { nothingAsked } from "../src/inputs/nothing-asked.ts";
import { GOOD, read } from "./read-inputs.ts";
import { tell } from "./story.ts";

describe("a run that asks for no change", () => {
  test("is unchanged, and says that it was asked for nothing", async () => {
    const told = await tell({ inputs: { service: "app", image: "" } });
    expect(told.outcome).toBe("unchanged");
    expect(told.notices).toEqual([expect.stringContaining("is `image` empty")]);
  });

  test("is not one whose image the service runs already", async () => {
    const told = await tell({ inputs: { service: "app", image: "app:1" } });
    expect(told.outcome).toBe("unchanged");
    expect(told.notices).toEqual([]);
  });

  test.each<Record<string, string>>([
    { image: "app:2" },
    { images: "app=app:2" },
    { "task-definition": "shop:7" },
    { "environment-variables": "A=b" },
    { "environment-mode": "replace" },
    { "remove-environment-variables": "A" },
    { secrets: "A=/parameter" },
    { command: '["run"]' },
    { "task-definition-patch": '{"cpu":"512"}' },
    { "force-new-deployment": "true" },
    { "desired-count": "2" },
    { "propagate-tags": "SERVICE" },
    { "enable-ecs-managed-tags": "false" },
    { "run-task": "true" },
    { schedules: "nightly" },
    { "keep-revisions": "5" },
  ])("is not one with %j", (inputs) => {
    expect(nothingAsked(read(GOOD).parsed)).toBe(true);
    expect(nothingAsked(read({ ...GOOD, ...inputs }).parsed)).toBe(false);
  });
});

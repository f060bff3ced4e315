import { describe, expect, test } from "@jest/globals";
import { actionFileProblems, parseActionFile, withTables } from "../action-files.ts";

const SOUND = `name: goci build-test
description: Builds and tests
inputs:
  dry-run: { description: "Only plan", default: "false" }
  summary: { description: "Write the summary", default: "true" }
  url: { description: "a | b\\nc", required: true, default: "" }
outputs:
  outcome: { description: How it ended }
  failure-code: { description: Code }
  failure-reason: { description: Reason }
  report: { description: Path }
runs: { using: node24, main: dist/index.js, post: dist/post/index.js, post-if: always() }
`;
const look = (text: string, has: (path: string) => boolean = () => true) =>
  actionFileProblems("x", parseActionFile(text), has);

describe("problems of an action.yml", () => {
  test("a sound one has none", () => {
    expect(look(SOUND)).toEqual([]);
  });

  test.each([
    ["no description", SOUND.replace('description: "Only plan", ', ""), "input `dry-run` has no description"],
    [
      "a default that YAML reads as a boolean",
      SOUND.replace('"false"', "false"),
      "its default is not a text",
    ],
    ["no default", SOUND.replace(', default: "true"', ""), "its default is not a text"],
    [
      "required with a default",
      SOUND.replace('required: true, default: ""', 'required: true, default: "x"'),
      "required and has",
    ],
    ["a shared input is missing", SOUND.replace("dry-run:", "dryrun:"), "input `dry-run` is missing"],
    ["a shared output is missing", SOUND.replace("  report:", "  rapport:"), "output `report` is missing"],
    ["another Node", SOUND.replace("node24", "node20"), "node24"],
    ["a post that is skipped", SOUND.replace(", post-if: always()", ""), "post-if"],
    [
      "a post that is not run",
      SOUND.replace(", post: dist/post/index.js, post-if: always()", ""),
      "not run as post",
    ],
    ["no name", SOUND.replace("name: goci build-test", "name: ''"), "name or description"],
  ])("%s", (_name, text, problem) => {
    expect(look(text)).toEqual([expect.stringContaining(problem)]);
  });

  test("a bundle that is not there", () => {
    expect(look(SOUND, (path) => path !== "dist/post/index.js")).toEqual([
      "actions/x/action.yml: post: dist/post/index.js is missing",
    ]);
  });
});

describe("tables of a README", () => {
  const file = parseActionFile(SOUND);
  const readme = withTables("# x\n\nWhat it does.\n", file);

  test("are added once and then only brought up to date", () => {
    expect(readme).toMatch(/^# x\n\nWhat it does\.\n\n## Inputs\n/);
    expect(readme).toContain("| `url` | required | a \\| b c |");
    expect(readme).toContain("| `dry-run` | `false` | Only plan |");
    expect(readme).toContain("| `outcome` | How it ended |");
    expect(withTables(readme, file)).toBe(readme);
  });

  test("follow action.yml and leave the rest alone", () => {
    const text = `${readme}\nThe end costs $1 and $& more.\n`;
    const changed = withTables(text, parseActionFile(SOUND.replace("Only plan", () => "Plans for $& only")));
    expect(changed).toBe(text.replace("Only plan", () => "Plans for $& only"));
  });
});

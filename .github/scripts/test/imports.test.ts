import { describe, expect, test } from "@jest/globals";
import { importProblems, importsOf } from "../imports.ts";
import { sizeProblem } from "../sizes.ts";

const SHIPPED = new Set(["yaml", "ssh2", "@actions/core", "@actions/exec"]);
const look = (path: string, code: string) => importProblems(path, code, SHIPPED);

describe("directions of imports", () => {
  test.each([
    [
      "one action another",
      "actions/a/src/x.ts",
      'import { y } from "../../b/src/y.ts";',
      "one action imports another",
    ],
    ["lib an action", "lib/x.ts", 'import "../actions/a/src/y.ts";', "lib imports an action"],
    [
      "lib's tests an action",
      "lib/test/x.test.ts",
      'import "../../actions/a/src/y.ts";',
      "lib imports an action",
    ],
    [
      "src a test double",
      "actions/a/src/x.ts",
      'import { F } from "../../../lib/testing/f.ts";',
      "only tests may use",
    ],
    ["src a test", "actions/a/src/x.ts", 'import type { F } from "../test/f.ts";', "only tests may use"],
    [
      "lib a test double, lazily",
      "lib/github/x.ts",
      'await import("../testing/f.ts");',
      "only tests may use",
    ],
    ["domain the toolkit", "lib/x.ts", 'import { info } from "@actions/core";', "take a port"],
    ["domain the environment", "actions/a/src/x.ts", "const home = process.env.HOME;", "reads process.env"],
    ["domain ends the process", "lib/x.ts", "process.exit(1);", "ends the process"],
    [
      "src a package for development",
      "actions/a/src/x.ts",
      'import fc from "fast-check";',
      "fast-check, which is not",
    ],
    ["src a built-in by its old name", "lib/x.ts", 'import { join } from "path";', "write node:path"],
    ["an import without its extension", "lib/x.ts", `import { y } from "${"./y"}";`, "without its extension"],
  ])("%s is a problem", (_name, path, code, problem) => {
    expect(look(path, code)).toEqual([expect.stringContaining(problem)]);
  });

  test.each([
    ["actions/a/src/x.ts", 'import { log } from "../../../lib/log.ts";\nimport { z } from "./z.ts";'],
    [
      "actions/a/test/x.test.ts",
      'import { F } from "../../../lib/testing/f.ts";\nimport { y } from "../src/y.ts";',
    ],
    ["lib/mask.ts", 'import { setSecret } from "@actions/core";'],
    ["lib/action.ts", "process.exit(process.env.X ? 1 : 0);"],
    ["lib/x.ts", "/** process.env is the wrapper's */\n// process.exit(1)\nimport { parse } from 'yaml';"],
    ["lib/test/x.test.ts", 'import fc from "fast-check";\nprocess.env.X = "1";'],
    ["demo/x.ts", 'import { F } from "../lib/testing/f.ts";\nprocess.exit(1);'],
    ["actions/a/src/x.ts", 'const ssh = await import("ssh2");\nimport core from "node:fs";'],
  ])("%s may: %s", (path, code) => {
    expect(look(path, code)).toEqual([]);
  });

  test("finds imports and exports of every form", () => {
    const code =
      'import a from "a";\nimport "b";\nexport * from "c";\nimport type { D } from "d";\nimport(\n  "e"\n);\nimport {\n  f,\n} from "f";';
    expect(importsOf(code)).toEqual(["a", "b", "c", "d", "e", "f"]);
  });
});

test("sizes: 300 lines are read at one sitting, entries are shorter", () => {
  const lines = (count: number) => "x\n".repeat(count);
  expect(sizeProblem("lib/x.ts", lines(300))).toBe("");
  expect(sizeProblem("lib/x.ts", lines(301))).toContain("301 lines");
  expect(sizeProblem("actions/a/src/index.ts", lines(40))).toContain("allowed are 20");
});

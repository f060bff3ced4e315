import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { UserError } from "../../../lib/errors.ts";
import { readGitHubContext } from "../../../lib/github-context.ts";
import { InputReader } from "../../../lib/inputs.ts";
import { Mask } from "../../../lib/mask.ts";
import { type Inputs, parseInputs } from "../src/inputs.ts";
import { OUTPUTS } from "../src/outputs.ts";

interface ActionFile {
  readonly inputs: Record<string, { readonly description: string; readonly default: string }>;
  readonly outputs: Record<string, { readonly description: string }>;
}

const file = parse(readFileSync(new URL("../action.yml", import.meta.url), "utf8")) as ActionFile;
const github = readGitHubContext({
  GITHUB_REPOSITORY: "acme/shop",
  GITHUB_JOB: "test",
  GITHUB_RUN_ATTEMPT: "2",
});

function parseWith(given: Record<string, string> = {}): { inputs: Inputs; read: InputReader } {
  const env = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const read = new InputReader(env, new Mask(() => {}));
  const inputs = parseInputs(read, github);
  read.bool("summary", true);
  return { inputs, read };
}

function problemsOf(given: Record<string, string>): readonly string[] {
  const { read } = parseWith(given);
  try {
    read.finish();
    return [];
  } catch (error) {
    return error instanceof UserError ? error.problems : [String(error)];
  }
}

describe("action.yml", () => {
  test("lists exactly the inputs that are read, with the same defaults", () => {
    const used = Object.fromEntries(parseWith().read.uses.map((use) => [use.name, use.fallback]));
    const listed = Object.fromEntries(
      Object.entries(file.inputs).map(([name, input]) => [name, String(input.default)]),
    );
    expect(used).toEqual(listed);
  });

  test("lists exactly the outputs that are set", () => {
    const shared = ["outcome", "failure-code", "failure-reason", "report"];
    expect(Object.keys(file.outputs).sort()).toEqual([...shared, ...OUTPUTS].sort());
  });

  test("its defaults are good inputs", () => {
    const given = Object.fromEntries(
      Object.entries(file.inputs).map(([name, input]) => [name, String(input.default)]),
    );
    expect(problemsOf(given)).toEqual([]);
  });
});

describe("inputs", () => {
  test("every bad one is named in one message", () => {
    const problems = problemsOf({
      language: "java",
      "test-command": "npm test | tee log",
      "database-version": "sixteen",
      "database-env": "HOST=hostname",
      "database-settings": "max connections=1",
      "coverage-min-line": "101",
      "sarif-fail-on": "critical",
      "artifact-name": "a/b",
      "slack-webhook-url": "hooks.slack.com/secret",
    });
    expect(problems).toHaveLength(9);
    expect(problems.join("\n")).not.toContain("hooks.slack.com");
  });

  test.each([
    ["database", "docker"],
    ["coverage-min-diff", "50"],
    ["pr-comment", "true"],
    ["check-run", "true"],
    ["slack-on", "change"],
  ])("%s: %s is refused until it is built", (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([
      expect.stringContaining(`\`${name}\` is \`${value}\`: this version`),
    ]);
  });

  test("the artifact's name tells repository, job, matrix and attempt", () => {
    expect(parseWith().inputs.artifact.name).toMatch(/^shop-test-[0-9a-f]{8}-2$/);
    expect(parseWith({ matrix: '{"node":20}' }).inputs.artifact.name).not.toBe(
      parseWith().inputs.artifact.name,
    );
    expect(parseWith({ "artifact-name": "app" }).inputs.artifact.name).toBe("app");
  });

  test("paths may hold commas in braces; `none` is none", () => {
    const { inputs } = parseWith({ "report-paths": "a/*.{xml,json}\nb.xml", "coverage-paths": "none" });
    expect([inputs.reportPaths, inputs.coverage.paths]).toEqual([["a/*.{xml,json}", "b.xml"], "none"]);
  });

  test("a random password is long and never the same", () => {
    const [one, two] = [parseWith().inputs.database.password, parseWith().inputs.database.password];
    expect(one.length).toBeGreaterThanOrEqual(32);
    expect(one).not.toBe(two);
  });
});

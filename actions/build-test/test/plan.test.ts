import { describe, expect, test } from "@jest/globals";
import { childEnv, nodeTestOptions } from "../src/child-env.ts";
import type { Project } from "../src/detect.ts";
import { makePlan, type PlanInputs } from "../src/plan.ts";

function project(known: Partial<Project>): Project {
  return {
    packageJson: undefined,
    lock: undefined,
    isYarnBerry: false,
    goModule: undefined,
    hasGoRequirements: false,
    ...known,
  };
}

const node = (scripts: Record<string, string> = { test: "x" }, packageManager = "") => ({
  scripts,
  packageManager,
});
const lock = (manager: "npm" | "yarn" | "pnpm" | "bun") => ({ manager, folder: "/w", file: "lock" });
const inputs: PlanInputs = {
  language: "auto",
  packageManager: "auto",
  commands: { install: undefined, build: undefined, test: undefined },
  coverProfile: "",
  runnerReport: "",
};
const lines = (known: Partial<Project>, changed: Partial<PlanInputs> = {}) =>
  makePlan(project(known), { ...inputs, ...changed }).steps.map(
    (step) => `${step.stage}: ${step.argv.join(" ")}`,
  );

describe("the plan", () => {
  test.each<[string, Partial<Project>, string[]]>([
    [
      "npm with a lock",
      { packageJson: node({ test: "x", build: "y" }), lock: lock("npm") },
      ["install: npm ci --prefer-offline --no-audit --no-fund", "build: npm run build", "test: npm test"],
    ],
    [
      "npm without a lock",
      { packageJson: node() },
      ["install: npm install --no-package-lock --prefer-offline --no-audit --no-fund", "test: npm test"],
    ],
    [
      "pnpm",
      { packageJson: node(), lock: lock("pnpm") },
      ["install: pnpm install --frozen-lockfile", "test: pnpm run test"],
    ],
    [
      "yarn 1",
      { packageJson: node(), lock: lock("yarn") },
      ["install: yarn install --frozen-lockfile", "test: yarn run test"],
    ],
    [
      "yarn berry",
      { packageJson: node(), lock: lock("yarn"), isYarnBerry: true },
      ["install: yarn install --immutable", "test: yarn run test"],
    ],
    [
      "bun",
      { packageJson: node(), lock: lock("bun") },
      ["install: bun install --frozen-lockfile", "test: bun run test"],
    ],
    [
      "packageManager before lock files",
      { packageJson: node({ test: "x" }, "pnpm@9.1.0"), lock: lock("npm") },
      ["install: pnpm install", "test: pnpm run test"],
    ],
    [
      "Go",
      { goModule: "m", hasGoRequirements: true },
      ["install: go mod download", "build: go build ./...", "test: go test -json ./..."],
    ],
    [
      "both",
      { packageJson: node(), goModule: "m", lock: lock("npm") },
      [
        "install: npm ci --prefer-offline --no-audit --no-fund",
        "build: go build ./...",
        "test: npm test",
        "test: go test -json ./...",
      ],
    ],
  ])("%s", (_name, known, expected) => expect(lines(known)).toEqual(expected));

  test("commands of the user's replace and skip", () => {
    const commands = { install: "none", build: ["make"], test: ["go", "test", "-json"] } as const;
    const plan = makePlan(project({ packageJson: node(), goModule: "m" }), { ...inputs, commands });
    expect(plan.steps.map((step) => [step.stage, step.argv.join(" "), step.stdout])).toEqual([
      ["build", "make", "prose"],
      ["test", "go test -json", "go-test-json"],
    ]);
    expect(plan.noTests).toBe("");
  });

  test.each<[string, Partial<Project>, RegExp]>([
    ["no test script", { packageJson: node({}) }, /no `test` script/],
    ["no language", {}, /no language/],
  ])("%s: nothing to test with", (_name, known, why) => {
    expect(makePlan(project(known), inputs).noTests).toMatch(why);
  });

  test.each<[string, "npm" | "pnpm", string]>([
    ["jest", "npm", "npm test -- --json --outputFile=r.json"],
    ["NODE_ENV=test npx jest --ci", "npm", "npm test -- --json --outputFile=r.json"],
    ["vitest run", "pnpm", "pnpm run test --reporter=default --reporter=json --outputFile.json=r.json"],
    ["vitest --reporter=junit", "npm", "npm test"],
    ["jest && playwright test", "npm", "npm test"],
    ["jester", "npm", "npm test"],
  ])("script %s under %s is run as %s", (script, packageManager, expected) => {
    const plan = makePlan(project({ packageJson: node({ test: script }) }), {
      ...inputs,
      packageManager,
      runnerReport: "r.json",
    });
    expect(plan.steps.at(-1)?.argv.join(" ")).toBe(expected);
  });

  test.each([
    ["node --test", true],
    ["node --import x --test test/", true],
    ["node --test --test-reporter=junit", false],
    ["jest", false],
  ])("script %s: node:test that can be told to report: %s", (script, expected) => {
    expect(makePlan(project({ packageJson: node({ test: script }) }), inputs).usesNodeTest).toBe(expected);
  });
});

describe("the environment of the project's commands", () => {
  test("holds none of the step's own variables", () => {
    const env = childEnv(
      {
        PATH: "/bin",
        "INPUT_GITHUB-TOKEN": "t",
        GITHUB_OUTPUT: "f",
        GITHUB_STATE: "f",
        GITHUB_ENV: "f",
        ACTIONS_RUNTIME_TOKEN: "t",
        GITHUB_SHA: "s",
      },
      { HOST: "h" },
    );
    expect(env).toEqual({ PATH: "/bin", GITHUB_SHA: "s", HOST: "h" });
  });

  test("NODE_OPTIONS keeps what was there", () => {
    expect(nodeTestOptions("--max-old-space-size=99", "file:///a%20b/r.mjs")).toBe(
      "--max-old-space-size=99 --test-reporter=spec --test-reporter-destination=stdout --test-reporter=file:///a%20b/r.mjs --test-reporter-destination=stdout",
    );
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { OUTPUTS } from "../src/outputs.ts";
import { parseWith, problemsOf, workspaceWithDockerfile } from "./inputs.ts";

interface ActionFile {
  readonly inputs: Record<string, { readonly description: string; readonly default: string }>;
  readonly outputs: Record<string, { readonly description: string }>;
}

const file = parse(readFileSync(new URL("../action.yml", import.meta.url), "utf8")) as ActionFile;
const workspace = workspaceWithDockerfile();

describe("action.yml", () => {
  test("lists exactly the inputs that are read, with the same defaults", () => {
    const used = Object.fromEntries(
      parseWith(workspace, {}).read.uses.map((use) => [use.name, use.fallback]),
    );
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
    expect(problemsOf(workspace, { ...given, images: "ghcr.io/acme/api" })).toEqual([]);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "@jest/globals";
import { UserError } from "../../../lib/errors.ts";
import { readGitHubContext } from "../../../lib/github-context.ts";
import { InputReader } from "../../../lib/inputs.ts";
import { Mask } from "../../../lib/mask.ts";
import type { Inputs } from "../src/inputs/model.ts";
import { parseInputs } from "../src/inputs.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "goci-docker-push-"));
  folders.push(folder);
  return folder;
}

/** A folder with a Dockerfile that says nothing. */
export function workspaceWithDockerfile(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\n");
  return folder;
}

/** Inputs as the runner would pass them, read in a workspace. */
export function parseWith(
  workspace: string,
  given: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): { readonly inputs: Inputs; readonly read: InputReader; readonly masks: readonly string[] } {
  const masks: string[] = [];
  const variables = Object.fromEntries(
    Object.entries({ images: "ghcr.io/acme/api", ...given }).map(([name, value]) => [
      `INPUT_${name.toUpperCase()}`,
      value,
    ]),
  );
  const read = new InputReader({ ...variables, ...env }, new Mask((secret) => void masks.push(secret)));
  const github = readGitHubContext({ GITHUB_WORKSPACE: workspace, GITHUB_EVENT_NAME: "push", ...env });
  const inputs = parseInputs(read, github);
  read.bool("summary", true);
  return { inputs, read, masks };
}

/** Every problem that these inputs have. */
export function problemsOf(
  workspace: string,
  given: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): readonly string[] {
  try {
    parseWith(workspace, given, env).read.finish();
    return [];
  } catch (error) {
    return error instanceof UserError ? error.problems : [String(error)];
  }
}

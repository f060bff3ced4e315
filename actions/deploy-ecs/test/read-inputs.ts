import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { UserError } from "../../../lib/errors.ts";
import { readGitHubContext } from "../../../lib/github-context.ts";
import { InputReader } from "../../../lib/inputs.ts";
import { Mask } from "../../../lib/mask.ts";
import { parseInputs } from "../src/inputs.ts";

/** The commit of the run. */
export const SHA = "0123456789abcdef0123456789abcdef01234567";

/** What `td.json` holds. */
export const DEFINITION = {
  family: "shop",
  containerDefinitions: [
    { name: "app", image: "shop:1", environment: [{ name: "DB_URL", value: "postgres://file-secret" }] },
  ],
};

/** A folder with files that are good and bad. */
export const workspace = mkdtempSync(join(tmpdir(), "ecs-inputs-"));
/** Writes a file into the workspace; returns its name. */
export function file(name: string, content: unknown): string {
  mkdirSync(dirname(join(workspace, name)), { recursive: true });
  writeFileSync(join(workspace, name), typeof content === "string" ? content : JSON.stringify(content));
  return name;
}
file("td.json", DEFINITION);
file(
  "ops/td.yaml",
  "family: shop\ncpu: 256\ncontainerDefinitions:\n  - name: app\n    image: shop:1\n    cpu: 10\n    environment: [{name: VERSION, value: 1.10}]\n",
);
file("array.json", "[]");
file("broken.json", '{"family": "shop", "secret": "canary-in-a-broken-file" "x"}');
file("broken.yaml", "family: shop\n  x: [canary-in-a-broken-file\n");
file("nameless.json", { containerDefinitions: [{ image: "x" }, { name: "a" }, { name: "a" }] });
file("empty.json", { family: "shop", containerDefinitions: [] });
file("appspec.yaml", "version: 0.0\nResources:\n  - TargetService: {Type: 'AWS::ECS::Service'}\n");

/** Reads inputs without judging them; `masked` is what the runner was told to hide. */
export function read(inputs: Record<string, string>) {
  const variables = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const masked: string[] = [];
  const reader = new InputReader(Object.fromEntries(variables), new Mask((secret) => masked.push(secret)));
  const github = readGitHubContext({
    GITHUB_REPOSITORY: "acme/shop",
    GITHUB_WORKSPACE: workspace,
    GITHUB_SHA: SHA,
  });
  const parsed = parseInputs(reader, github);
  reader.bool("summary", true);
  return { reader, parsed, masked };
}

/** Every problem of these inputs. */
export function problems(inputs: Record<string, string>): readonly string[] {
  try {
    read(inputs).reader.finish();
    return [];
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  }
}

/** All that is required. */
export const GOOD = { service: "shop" };

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { parse as parseYaml } from "yaml";
import { file, problems } from "./read-inputs.ts";

const ROOM = join(dirname(fileURLToPath(import.meta.url)), "..");
const README = readFileSync(join(ROOM, "README.md"), "utf8");

/** What was promised to everyone who reads `failure-code`. */
const PROMISED = [
  "IMAGE_NOT_FOUND",
  "IMAGE_DENIED",
  "SECRET_DENIED",
  "CONTAINER_EXITED",
  "OUT_OF_MEMORY",
  "CONTAINER_UNHEALTHY",
  "TARGET_UNHEALTHY",
  "NO_CAPACITY",
  "HEALTH_CHECK_FAILED",
  "ROLLED_BACK_BY_ECS",
  "SUPERSEDED",
  "TIMED_OUT",
  "ACCESS_DENIED",
  "CREDENTIALS_EXPIRED",
  "FIELDS_LOST",
  "TASK_FAILED",
  "CONCURRENT",
];

/** What GitHub puts in place of expressions. */
function filled(text: string): string {
  return text.replace(/\$\{\{.*?\}\}/g, "filled");
}

/** Codes that the source names. */
function raised(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  return files.flatMap((name) => {
    const code = readFileSync(join(folder, name), "utf8");
    return [...code.matchAll(/code: "([A-Z]+(?:_[A-Z]+)*)"/g)].map(([, found = ""]) => found);
  });
}

test.each([...new Set([...PROMISED, ...raised(join(ROOM, "src"))])])("the README explains %s", (code) => {
  expect(README).toMatch(new RegExp(`^\\| [^|]*\`${code}\`[^|]*\\|`, "m"));
});

describe("the examples", () => {
  const blocks = [...README.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block = ""]) => parseYaml(block));
  const steps = blocks.flatMap((block) => (Array.isArray(block) ? block : block.steps));
  const declared = parseYaml(readFileSync(join(ROOM, "action.yml"), "utf8")).inputs;

  test("are three, of inputs that there are", () => {
    const ours = steps.filter((step) => String(step.uses).includes("/deploy-ecs@"));
    expect(ours).toHaveLength(3);
    for (const step of ours) for (const name of Object.keys(step.with)) expect(declared).toHaveProperty(name);
  });

  test("raise no problem", async () => {
    file(
      "ops/task-definition.yaml",
      "family: shop\ncontainerDefinitions: [{name: app, image: shop}, {name: proxy}]\n",
    );
    for (const step of steps.filter((one) => String(one.uses).includes("/deploy-ecs@"))) {
      const inputs = Object.entries(step.with).map(([name, value]) => [name, filled(String(value))] as const);
      expect(problems(Object.fromEntries(inputs))).toEqual([]);
    }
  });
});

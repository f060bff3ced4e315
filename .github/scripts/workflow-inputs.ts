/**
 * Keeps the reusable workflows in step with their actions: between the lines
 *
 *     # begin <part> of <action> [except a b c]
 *     # end
 *
 * it writes the action's inputs, read from its action.yml. Parts: `call inputs`
 * (on.workflow_call.inputs), `dispatch inputs` (on.workflow_dispatch.inputs,
 * only those named after `only`), `with` (the step's inputs).
 *
 * Usage: node .github/scripts/workflow-inputs.ts [--check]
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";

const ROOT = resolve(import.meta.dirname, "../..");
const FOLDER = join(ROOT, ".github/workflows");
const BLOCK =
  /^( *)# begin (call inputs|dispatch inputs|with) of ([\w-]+)(?: (except|only) ([^\n]+))?\n[\s\S]*?^ *# end$/gm;

interface Input {
  readonly description?: string;
  readonly default?: unknown;
}

function inputsOf(action: string): [string, Input][] {
  const text = readFileSync(join(ROOT, "actions", action, "action.yml"), "utf8");
  return Object.entries((parse(text) as { inputs: Record<string, Input> }).inputs);
}

/** Whether the default of action.yml is an expression that only a step can evaluate. */
function isExpression(input: Input): boolean {
  return String(input.default ?? "").includes("${{");
}

function declare(name: string, input: Input): string {
  const fallback = isExpression(input) ? "" : String(input.default ?? "");
  const boolean = fallback === "true" || fallback === "false";
  const type = boolean ? "boolean" : "string";
  const value = boolean ? fallback : JSON.stringify(fallback);
  const description = JSON.stringify(
    String(input.description ?? "")
      .replace(/\s+/g, " ")
      .trim(),
  );
  return `${name}: { type: ${type}, default: ${value}, description: ${description} }`;
}

function render(part: string, name: string, input: Input): string {
  return part === "with" ? `${name}: \${{ inputs.${name} }}` : declare(name, input);
}

function regenerate(text: string): string {
  return text.replace(
    BLOCK,
    (_whole, indent: string, part: string, action: string, rule?: string, names?: string) => {
      const listed = new Set((names ?? "").trim().split(/\s+/));
      const wanted = (name: string) =>
        rule === "only" ? listed.has(name) : rule !== "except" || !listed.has(name);
      const lines = inputsOf(action)
        .filter(([name, input]) => wanted(name) && !isExpression(input))
        .map(([name, input]) => `${indent}${render(part, name, input)}`);
      const head = `${indent}# begin ${part} of ${action}${rule ? ` ${rule} ${names}` : ""}`;
      return [head, ...lines, `${indent}# end`].join("\n");
    },
  );
}

const check = process.argv.includes("--check");
let stale = 0;
for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".yml"))) {
  const path = join(FOLDER, file);
  const before = readFileSync(path, "utf8");
  const after = regenerate(before);
  if (before === after) continue;
  if (check) {
    stale++;
    console.error(`${file} is out of step with its action.yml: run \`make generate\``);
  } else {
    writeFileSync(path, after);
    console.log(`${file} written`);
  }
}
process.exitCode = stale > 0 ? 1 : 0;

import { parse } from "yaml";

/** One row of an input or output as action.yml declares it. */
export interface Declared {
  readonly description?: unknown;
  readonly default?: unknown;
  readonly required?: unknown;
}

/** The part of an action.yml that the checks and the README tables read. */
export interface ActionFile {
  readonly name?: unknown;
  readonly description?: unknown;
  readonly inputs?: Readonly<Record<string, Declared>>;
  readonly outputs?: Readonly<Record<string, Declared>>;
  readonly runs?: Readonly<Record<string, unknown>>;
}

/** Inputs and outputs that every action has. */
const SHARED_INPUTS = ["dry-run", "summary"];
const SHARED_OUTPUTS = ["outcome", "failure-code", "failure-reason", "report"];

export function parseActionFile(text: string): ActionFile {
  return (parse(text) ?? {}) as ActionFile;
}

/** What is wrong with an action.yml, one line each. `has` tells whether the action's folder holds a file. */
export function actionFileProblems(name: string, file: ActionFile, has: (path: string) => boolean): string[] {
  const problems: string[] = [];
  const inputs = Object.entries(file.inputs ?? {});
  const outputs = Object.entries(file.outputs ?? {});
  for (const [input, row] of inputs) {
    if (!sentence(row.description)) problems.push(`input \`${input}\` has no description`);
    if (typeof row.default !== "string") problems.push(`input \`${input}\`: its default is not a text`);
    if (row.required === true && row.default)
      problems.push(`input \`${input}\` is required and has a default`);
  }
  for (const [output, row] of outputs) {
    if (!sentence(row.description)) problems.push(`output \`${output}\` has no description`);
  }
  for (const shared of SHARED_INPUTS)
    if (!file.inputs?.[shared]) problems.push(`input \`${shared}\` is missing`);
  for (const shared of SHARED_OUTPUTS)
    if (!file.outputs?.[shared]) problems.push(`output \`${shared}\` is missing`);
  if (!sentence(file.name) || !sentence(file.description)) problems.push("name or description is missing");
  if (file.runs?.["using"] !== "node24") problems.push("it does not run on node24");
  for (const step of ["main", "post"]) {
    const path = file.runs?.[step];
    if (path === undefined ? step === "main" : !has(String(path)))
      problems.push(`${step}: ${String(path)} is missing`);
  }
  if (has("src/post.ts") && file.runs?.["post"] === undefined)
    problems.push("src/post.ts is not run as post");
  if (file.runs?.["post"] !== undefined && file.runs["post-if"] !== "always()") {
    problems.push("post-if is not `always()`");
  }
  return problems.map((problem) => `actions/${name}/action.yml: ${problem}`);
}

function sentence(value: unknown): boolean {
  return typeof value === "string" && value.trim() !== "";
}

/** The tables of a README, by the word in their markers. */
export function tablesOf(file: ActionFile): Readonly<Record<"inputs" | "outputs", string>> {
  const inputs = Object.entries(file.inputs ?? {}).map(
    ([name, row]) => `| \`${name}\` | ${defaultCell(row)} | ${cell(row.description)} |`,
  );
  const outputs = Object.entries(file.outputs ?? {}).map(
    ([name, row]) => `| \`${name}\` | ${cell(row.description)} |`,
  );
  return {
    inputs: ["| input | default | meaning |", "| --- | --- | --- |", ...inputs].join("\n"),
    outputs: ["| output | meaning |", "| --- | --- |", ...outputs].join("\n"),
  };
}

function defaultCell(row: Declared): string {
  const value = String(row.default ?? "");
  if (value !== "") return `\`${cell(value)}\``;
  return row.required === true ? "required" : "";
}

function cell(value: unknown): string {
  return String(value ?? "")
    .trim()
    .replace(/\s*\n\s*/g, " ")
    .replace(/\|/g, "\\|");
}

/** The README with its tables brought up to date; markers that it lacks are added at its end. */
export function withTables(readme: string, file: ActionFile): string {
  let text = readme;
  for (const [word, table] of Object.entries(tablesOf(file))) {
    const begin = `<!-- ${word}:begin, generated from action.yml by make generate -->`;
    const end = `<!-- ${word}:end -->`;
    const block = `${begin}\n\n${table}\n\n${end}`;
    const found = new RegExp(`<!-- ${word}:begin[^>]*-->[\\s\\S]*?<!-- ${word}:end -->`);
    if (found.test(text)) text = text.replace(found, () => block);
    else text = `${text.trimEnd()}\n\n## ${word === "inputs" ? "Inputs" : "Outputs"}\n\n${block}\n`;
  }
  return text;
}

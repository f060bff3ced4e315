import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { isError, systemCode } from "../../../../lib/errors.ts";
import type { GitHubContext } from "../../../../lib/github-context.ts";
import type { InputReader } from "../../../../lib/inputs.ts";
import { parseYaml } from "../../../../lib/yaml.ts";
import { isList, isObject, type JsonObject } from "../definition/model.ts";
import { keepTexts } from "../definition/texts.ts";

/** A parser's message quotes the text, which may hold secrets: only the place is told. */
type Parsed =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string };

/** Reads an input that holds JSON; undefined when empty or wrong. */
export function readJson(read: InputReader, name: string): unknown {
  const text = read.verbatim(name).trim();
  if (text === "") return undefined;
  const parsed = parseJson(text);
  if (parsed.ok) return parsed.value;
  read.problem(`\`${name}\` is not JSON${parsed.problem}`);
  return undefined;
}

/** A JSON array of texts, at least one; undefined when the input is empty. */
export function readTexts(read: InputReader, name: string): readonly string[] | undefined {
  const value = readJson(read, name);
  if (value === undefined) return undefined;
  const texts = isList(value) ? value.filter((item) => typeof item === "string") : [];
  if (isList(value) && value.length > 0 && texts.length === value.length) return texts;
  read.problem(
    `\`${name}\` is not a JSON array of texts: allowed is, for example, \`["npm", "run", "migrate"]\``,
  );
  return undefined;
}

/** A JSON array of objects; undefined when the input is empty. */
export function readObjects(read: InputReader, name: string): readonly JsonObject[] | undefined {
  const value = readJson(read, name);
  if (value === undefined) return undefined;
  const objects = isList(value) ? value.filter((item) => isObject(item)) : [];
  if (isList(value) && objects.length === value.length) return objects;
  read.problem(`\`${name}\` is not a JSON array of objects`);
  return undefined;
}

/** A JSON object; undefined when the input is empty. */
export function readObject(read: InputReader, name: string): JsonObject | undefined {
  const value = readJson(read, name);
  if (value === undefined || isObject(value)) return value;
  read.problem(`\`${name}\` is not a JSON object`);
  return undefined;
}

/** The folder that files are read from, absolute. */
export function workingDirectory(read: InputReader, github: GitHubContext): string {
  return resolve(github.workspace, read.text("working-directory", "."));
}

/** Reads a JSON or YAML file that holds an object; a problem names `input` and `path`. */
export function readObjectFile(
  read: InputReader,
  input: string,
  folder: string,
  path: string,
): JsonObject | undefined {
  const shown = `\`${input}\` is \`${path}\``;
  let text: string;
  try {
    text = readFileSync(resolve(folder, path), "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    read.problem(`${shown}: ${unreadable(error)}`);
    return undefined;
  }
  const parsed = parseFile(text);
  if (!parsed.ok) read.problem(`${shown}: ${parsed.problem}`);
  else if (isObject(parsed.value)) return parsed.value;
  else
    read.problem(
      `${shown}: the file holds no object${/^\s*\/[/*]/.test(text) ? " (JSON has no comments)" : ""}`,
    );
  return undefined;
}

function unreadable(error: unknown): string {
  const code = systemCode(error);
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder";
  return `the file cannot be read (${code || "unknown reason"})`;
}

function parseFile(text: string): Parsed {
  const json = parseJson(text);
  if (json.ok) return json;
  try {
    const value = parseYaml(text, { logLevel: "error", version: "1.2" });
    const raw = parseYaml(text, { logLevel: "error", schema: "failsafe" });
    return { ok: true, value: keepTexts(value, raw) };
  } catch (error) {
    const yaml = placeOf(error);
    if (/^\s*[{[]/.test(text)) return { ok: false, problem: `the file is not JSON${json.problem}` };
    return { ok: false, problem: `the file is neither JSON nor YAML${yaml}` };
  }
}

function parseJson(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    const at = isError(error) ? /position (\d+)/.exec(error.message)?.[1] : undefined;
    if (at === undefined) return { ok: false, problem: "" };
    const before = text.slice(0, Number(at)).split("\n");
    const column = (before.at(-1)?.length ?? 0) + 1;
    return { ok: false, problem: ` (line ${before.length}, column ${column})` };
  }
}

function placeOf(error: unknown): string {
  if (!isError(error)) return "";
  // The reader is loaded beforehand for names that end in .yaml or .yml (lib/yaml.ts).
  if (error.message.includes("was not loaded")) return " (the name of a YAML file must end in .yaml or .yml)";
  const place = "linePos" in error && Array.isArray(error.linePos) ? error.linePos[0] : undefined;
  return place ? ` (line ${String(place.line)}, column ${String(place.col)})` : "";
}

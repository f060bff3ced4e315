import { parseYaml } from "./yaml.ts";

/** Either the pairs, in the order written, or what is wrong with the text. */
export type KeyValues =
  | { readonly ok: true; readonly pairs: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads a map input: lines `KEY=value` (the first `=` splits, the rest is kept,
 * quotes included; `#` starts a comment only at the start of a line), or a
 * YAML or JSON object of scalars.
 */
export function parseKeyValues(text: string): KeyValues {
  const lines = [...text.split(/\r?\n/).entries()].filter(
    ([, line]) => line.trim() !== "" && !line.trimStart().startsWith("#"),
  );
  const first = lines[0]?.[1];
  if (first === undefined) return { ok: true, pairs: new Map() };
  if (first.trimStart().startsWith("{") || isYamlMap(first)) return fromYaml(text);
  const pairs = new Map<string, string>();
  for (const [index, line] of lines) {
    const split = line.indexOf("=");
    const key = split < 0 ? "" : line.slice(0, split).trim();
    // The line itself may be a secret: only its number is told.
    if (key === "") return { ok: false, problem: `line ${index + 1} is not \`KEY=value\`` };
    if (pairs.has(key)) return { ok: false, problem: `line ${index + 1} gives a name a second time` };
    pairs.set(key, line.slice(split + 1));
  }
  return { ok: true, pairs };
}

/** A YAML map starts with `key: value` or `key:`, and its first line holds no `=` before the colon. */
function isYamlMap(first: string): boolean {
  return /^[\w.-]+:(\s|$)/.test(first);
}

function fromYaml(text: string): KeyValues {
  let value: unknown;
  try {
    // "failsafe" keeps every scalar as it is written: 1.10 stays "1.10", no stays "no".
    value = parseYaml(text, { schema: "failsafe", mapAsMap: true, logLevel: "error" });
  } catch {
    return { ok: false, problem: "it is neither `KEY=value` lines nor a YAML or JSON object" };
  }
  if (!(value instanceof Map)) {
    return { ok: false, problem: "it is neither `KEY=value` lines nor a YAML or JSON object" };
  }
  const pairs = new Map<string, string>();
  for (const [key, item] of value as Map<unknown, unknown>) {
    if (typeof key !== "string") return { ok: false, problem: "one of its names is not plain text" };
    if (item !== null && typeof item === "object")
      return { ok: false, problem: `value ${pairs.size + 1} is not plain text` };
    pairs.set(key, item === null || item === undefined ? "" : String(item));
  }
  return { ok: true, pairs };
}

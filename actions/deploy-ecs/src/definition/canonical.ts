import { createHash } from "node:crypto";
import { type Definition, isList, isObject } from "./model.ts";
import { isDefault, isSet, keyOf, plainPorts, plainValue } from "./shape.ts";

/**
 * The form in which two task definitions that mean the same are the same:
 * what DescribeTaskDefinition fills in is left out, lists without an order are
 * sorted and so are members, sizes are plain numbers.
 */
export function canonical(definition: Definition): Definition {
  const form = simplify("", plainPorts(definition));
  return isObject(form) ? form : {};
}

/** The canonical form as text. */
export function canonicalText(definition: Definition): string {
  return JSON.stringify(canonical(definition));
}

/** `sha256:...` of the canonical form. */
export function digestOf(definition: Definition): string {
  return `sha256:${createHash("sha256").update(canonicalText(definition)).digest("hex")}`;
}

function simplify(path: string, value: unknown): unknown {
  if (isList(value)) return simplifyList(path, value);
  if (!isObject(value)) return plainValue(path, value);
  const members = Object.entries(value).sort(([a], [b]) => order(a, b));
  const kept = members.flatMap(([name, item]) => {
    const inner = path === "" ? name : `${path}.${name}`;
    return isDefault(inner, item) ? [] : [[name, simplify(inner, item)] as const];
  });
  return Object.fromEntries(kept);
}

function simplifyList(path: string, list: readonly unknown[]): readonly unknown[] {
  const items = list.map((item) => simplify(path, item));
  if (isSet(path)) return items.sort((a, b) => order(String(a), String(b)));
  if (!items.every((item) => keyOf(path, item) !== undefined)) return items;
  return items.sort((a, b) => order(keyOf(path, a) ?? "", keyOf(path, b) ?? ""));
}

/** By code units: the same on every machine, whatever its language. */
function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

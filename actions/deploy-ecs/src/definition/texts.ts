import { isList, isObject, type JsonObject } from "./model.ts";

/** Members of a task definition whose values are texts, though they are often written as numbers or booleans in YAML. */
const TEXT_MEMBERS = new Set(["family", "name", "value", "valueFrom", "image", "key"]);
/** `cpu` and `memory` are texts at the top and numbers in a container. */
const TEXT_AT_TOP = new Set(["cpu", "memory", "taskRoleArn", "executionRoleArn"]);
/** Maps of texts. */
const TEXT_MAPS = new Set(["dockerLabels", "options", "driverOpts", "labels"]);

/**
 * Turns numbers and booleans into texts where ECS wants texts. `raw` is the
 * same document with every scalar as it is written, so that the version
 * `1.10` does not become `1.1`.
 */
export function keepTexts(value: unknown, raw: unknown = value): unknown {
  return keep(value, raw, 0);
}

function keep(value: unknown, raw: unknown, depth: number): unknown {
  if (isList(value)) {
    const items = isList(raw) ? raw : [];
    return value.map((item, index) => keep(item, items[index], depth + 1));
  }
  if (!isObject(value)) return value;
  const written = isObject(raw) ? raw : {};
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => {
    const isText = TEXT_MEMBERS.has(name) || (depth === 0 && TEXT_AT_TOP.has(name));
    if (isText) return [name, asText(item, written[name], depth)];
    if (TEXT_MAPS.has(name) && isObject(item)) return [name, textMap(item, written[name])];
    return [name, keep(item, written[name], depth + 1)];
  });
  return Object.fromEntries(entries);
}

function textMap(map: JsonObject, raw: unknown): JsonObject {
  const written = isObject(raw) ? raw : {};
  return Object.fromEntries(
    Object.entries(map).map(([name, item]) => [name, asText(item, written[name], 0)]),
  );
}

function asText(item: unknown, raw: unknown, depth: number): unknown {
  if (typeof item === "number" || typeof item === "boolean") {
    return typeof raw === "string" ? raw : String(item);
  }
  return isObject(item) || isList(item) ? keep(item, raw, depth + 1) : item;
}

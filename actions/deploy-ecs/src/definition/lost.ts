import { type Definition, isList, isObject } from "./model.ts";
import { isDefault, isSet, keyOf, plainPorts, plainValue } from "./shape.ts";

/** What became of a task definition on its way through ECS; JSON paths in what was sent. */
export interface Echo {
  /** Members that did not come back: ECS does not know them, so they are not in force. */
  readonly lost: readonly string[];
  /** Members that came back with another value. */
  readonly changed: readonly string[];
}

/**
 * Compares what was sent to RegisterTaskDefinition with what it answered
 * (`revisionOf(answer).definition`). What ECS added is fine; so is the absence
 * of what says nothing (empty lists, defaults).
 */
export function compareEcho(sent: Definition, echo: Definition): Echo {
  const lost: string[] = [];
  const changed: string[] = [];
  for (const [kind, path] of walk("", "$", plainPorts(sent), echo))
    (kind === "lost" ? lost : changed).push(path);
  return { lost, changed };
}

type Found = readonly ["lost" | "changed", string];

function walk(path: string, at: string, sent: unknown, echo: unknown): readonly Found[] {
  // An empty text says nothing that could be lost.
  if (isDefault(path, sent) || sent === "") return [];
  if (echo === undefined || echo === null) return [["lost", at]];
  if (isList(sent)) return isList(echo) ? walkList(path, at, sent, echo) : [["lost", at]];
  if (isObject(sent)) {
    if (!isObject(echo)) return [["lost", at]];
    return Object.entries(sent).flatMap(([name, item]) =>
      walk(path === "" ? name : `${path}.${name}`, `${at}${member(name)}`, item, own(echo, name)),
    );
  }
  // ECS answers numbers where it was sent texts of digits, and the other way round.
  return String(plainValue(path, sent)) === String(plainValue(path, echo)) ? [] : [["changed", at]];
}

function walkList(
  path: string,
  at: string,
  sent: readonly unknown[],
  echo: readonly unknown[],
): readonly Found[] {
  return sent.flatMap((item, index) => {
    const here = `${at}[${index}]`;
    const candidates = echo.filter((other, place) => isCounterpart(path, item, other, index === place));
    const findings = candidates.map((candidate) => walk(path, here, item, candidate));
    const best = findings.sort((a, b) => a.length - b.length)[0];
    return best ?? [["lost", here] as const];
  });
}

/** Items with names are found by name, texts without an order by value, all others by place or by looking the same. */
function isCounterpart(path: string, item: unknown, other: unknown, samePlace: boolean): boolean {
  const key = keyOf(path, item);
  if (key !== undefined) return key === keyOf(path, other);
  if (isSet(path)) return String(item) === String(other);
  return samePlace || (isObject(item) && walk(path, "", item, other).length === 0);
}

function member(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function own(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

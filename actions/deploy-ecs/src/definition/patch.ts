import {
  containerNames,
  containersOf,
  type Definition,
  isList,
  isObject,
  type JsonObject,
  type Rendered,
  textOf,
} from "./model.ts";

/** JSON merge patch, RFC 7396 section 2: `null` removes, objects merge, all else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map<string, unknown>(isObject(target) ? Object.entries(target) : []);
  for (const [name, item] of Object.entries(patch)) {
    if (item === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), item));
  }
  return Object.fromEntries(merged);
}

/** The same for a task definition; containers are addressed by name, `null` removes one, one with an `image` may be new. */
export function patchDefinition(definition: Definition, patch: JsonObject): Rendered {
  const { containerDefinitions: containers, ...rest } = patch;
  const merged = mergePatch(definition, rest) as Definition;
  if (!Object.hasOwn(patch, "containerDefinitions")) return { kind: "rendered", definition: merged };
  if (isList(containers)) {
    return { kind: "rendered", definition: { ...merged, containerDefinitions: containers } };
  }
  if (!isObject(containers)) {
    return refused([
      "`task-definition-patch` removes `containerDefinitions`: a task has at least one container",
    ]);
  }
  return patchContainers(merged, containers);
}

function patchContainers(definition: Definition, patches: JsonObject): Rendered {
  const known = containerNames(definition);
  const problems = Object.entries(patches).flatMap(([name, patch]) => problemsOf(name, patch, known));
  if (problems.length > 0) return refused(problems);
  const kept = containersOf(definition).flatMap((container) => {
    const name = textOf(container["name"]);
    if (!Object.hasOwn(patches, name)) return [container];
    return patches[name] === null ? [] : [mergePatch(container, patches[name])];
  });
  const added = Object.entries(patches)
    .filter(([name, patch]) => !known.includes(name) && patch !== null)
    .map(([name, patch]) => mergePatch({ name }, patch));
  const all = [...kept, ...added];
  if (all.length === 0)
    return refused(["`task-definition-patch` removes every container: a task has at least one"]);
  return { kind: "rendered", definition: { ...definition, containerDefinitions: all } };
}

function problemsOf(name: string, patch: unknown, known: readonly string[]): readonly string[] {
  const shown = `\`task-definition-patch\` names the container \`${name}\``;
  const isKnown = known.includes(name);
  const valid = known.map((item) => `\`${item}\``).join(", ");
  if (patch === null) return isKnown ? [] : [`${shown}, which is not there: valid are ${valid}`];
  if (!isObject(patch)) return [`${shown} with something that is no object`];
  if (patch["name"] !== undefined && patch["name"] !== name) return [`${shown} and gives it another name`];
  if (isKnown || textOf(patch["image"]) !== "") return [];
  return [`${shown}, which is not there: valid are ${valid}; a new one needs an \`image\``];
}

function refused(problems: readonly string[]): Rendered {
  return { kind: "refused", problems };
}

import {
  type Assignment,
  containerNames,
  type Definition,
  type Edits,
  isList,
  isObject,
  type JsonObject,
  type Rendered,
  textOf,
} from "./model.ts";
import { patchDefinition } from "./patch.ts";
import { defaultContainers } from "./targets.ts";

/** What happens to one container. */
interface Change {
  readonly images: Set<string>;
  readonly environment: Map<string, string>;
  readonly secrets: Map<string, string>;
  readonly removed: Set<string>;
  command: readonly string[] | undefined;
}

/**
 * Applies the inputs: first the patch, then what the other inputs say of
 * single containers. What no input names stays as it is, the same objects even.
 * `balanced` names the containers behind the service's load balancers.
 */
export function render(definition: Definition, edits: Edits, balanced: readonly string[] = []): Rendered {
  const patched: Rendered =
    edits.patch === undefined ? { kind: "rendered", definition } : patchDefinition(definition, edits.patch);
  if (patched.kind === "refused") return patched;
  const problems: string[] = [];
  const changes = collect(patched.definition, edits, balanced, problems);
  if (problems.length > 0) return { kind: "refused", problems: [...new Set(problems)] };
  if (changes.size === 0) return patched;
  const containers = patched.definition["containerDefinitions"];
  const changed = (isList(containers) ? containers : []).map((container) => {
    const change = isObject(container) ? changes.get(textOf(container["name"])) : undefined;
    return change && isObject(container) ? changeContainer(container, change, edits.mode) : container;
  });
  return { kind: "rendered", definition: { ...patched.definition, containerDefinitions: changed } };
}

function collect(
  definition: Definition,
  edits: Edits,
  balanced: readonly string[],
  problems: string[],
): ReadonlyMap<string, Change> {
  const names = containerNames(definition);
  const defaults = defaultsFor(definition, edits, balanced, problems);
  const changes = new Map<string, Change>();
  const changesOf = (container: string, input: string): readonly Change[] => {
    if (container === "") return defaults.map((name) => changeFor(changes, name));
    if (names.includes(container)) return [changeFor(changes, container)];
    const valid = names.map((name) => `\`${name}\``).join(", ");
    problems.push(
      `\`${input}\` names the container \`${container}\`, which is not there: valid are ${valid}`,
    );
    return [];
  };
  if (edits.image !== "") for (const change of changesOf("", "image")) change.images.add(edits.image);
  for (const [name, image] of edits.images) {
    for (const change of changesOf(name, "images")) change.images.add(image);
  }
  const assign = (list: readonly Assignment[], input: string, of: "environment" | "secrets") => {
    for (const { container, key, value } of list) {
      for (const change of changesOf(container, input)) {
        if (change[of].has(key) && change[of].get(key) !== value) {
          problems.push(`\`${input}\` gives \`${key}\` twice for one container, with different values`);
        }
        change[of].set(key, value);
      }
    }
  };
  assign(edits.environment, "environment-variables", "environment");
  assign(edits.secrets, "secrets", "secrets");
  for (const { container, key } of edits.remove) {
    for (const change of changesOf(container, "remove-environment-variables")) change.removed.add(key);
  }
  if (edits.command !== undefined)
    for (const change of changesOf("", "command")) change.command = edits.command;
  for (const [name, change] of changes) problems.push(...contradictions(name, change));
  return changes;
}

/** The default rule may find nothing, which matters only where it is needed. */
function defaultsFor(
  definition: Definition,
  edits: Edits,
  balanced: readonly string[],
  problems: string[],
): readonly string[] {
  const keys = [...edits.environment, ...edits.secrets, ...edits.remove];
  const isNeeded =
    edits.containers.length > 0 ||
    edits.image !== "" ||
    edits.command !== undefined ||
    keys.some(({ container }) => container === "");
  if (!isNeeded) return [];
  const targets = defaultContainers(definition, edits.containers, balanced);
  if (targets.kind === "found") return targets.names;
  problems.push(targets.problem);
  return [];
}

function changeFor(changes: Map<string, Change>, name: string): Change {
  const change = changes.get(name) ?? {
    images: new Set(),
    environment: new Map(),
    secrets: new Map(),
    removed: new Set(),
    command: undefined,
  };
  changes.set(name, change);
  return change;
}

function contradictions(container: string, change: Change): readonly string[] {
  const problems: string[] = [];
  if (change.images.size > 1) {
    problems.push(`\`image\` and \`images\` give the container \`${container}\` different images`);
  }
  for (const key of change.environment.keys()) {
    if (change.secrets.has(key)) {
      problems.push(
        `\`${key}\` of the container \`${container}\` is in \`environment-variables\` and in \`secrets\``,
      );
    }
  }
  for (const key of change.removed) {
    if (change.environment.has(key) || change.secrets.has(key)) {
      problems.push(
        `\`${key}\` of the container \`${container}\` is set and in \`remove-environment-variables\``,
      );
    }
  }
  return problems;
}

function changeContainer(container: JsonObject, change: Change, mode: Edits["mode"]): JsonObject {
  const [image] = change.images;
  const touched = change.environment.size + change.secrets.size + change.removed.size > 0;
  return {
    ...container,
    ...(image === undefined ? {} : { image }),
    ...(change.command === undefined ? {} : { command: change.command }),
    ...(touched ? changeEnvironment(container, change, mode) : {}),
  };
}

/** A key lives in one of the two lists: what is set in one leaves the other. */
function changeEnvironment(container: JsonObject, change: Change, mode: Edits["mode"]): JsonObject {
  const gone = (key: string) => mode === "replace" || change.removed.has(key);
  const environment = update(container["environment"], change.environment, "value", (key) => {
    return gone(key) || change.secrets.has(key);
  });
  const secrets = update(container["secrets"], change.secrets, "valueFrom", (key) => {
    return gone(key) || change.environment.has(key);
  });
  return { ...(environment && { environment }), ...(secrets && { secrets }) };
}

/** The list with what is set in the places where it was, new names at the end; undefined when there is and was none. */
function update(
  list: unknown,
  set: ReadonlyMap<string, string>,
  member: "value" | "valueFrom",
  leaves: (key: string) => boolean,
): readonly unknown[] | undefined {
  const before = isList(list) ? list : [];
  const seen = new Set<string>();
  const kept = before.flatMap((item) => {
    const key = isObject(item) ? textOf(item["name"]) : "";
    const value = set.get(key);
    if (value === undefined) return leaves(key) ? [] : [item];
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ ...(isObject(item) ? item : {}), [member]: value }];
  });
  const added = [...set]
    .filter(([key]) => !seen.has(key))
    .map(([name, value]) => ({ name, [member]: value }));
  const after = [...kept, ...added];
  return after.length === 0 && list === undefined ? undefined : after;
}

import {
  containersOf,
  type Definition,
  isList,
  isObject,
  type JsonObject,
  type Revision,
  textOf,
} from "./model.ts";

/** Members that DescribeTaskDefinition answers and RegisterTaskDefinition does not take. */
export const OWN_MEMBERS: ReadonlySet<string> = new Set([
  "taskDefinitionArn",
  "revision",
  "status",
  "requiresAttributes",
  "compatibilities",
  "registeredAt",
  "registeredBy",
  "deregisteredAt",
  "deleteRequestedAt",
]);

/**
 * What a file holds, ready to register. Also takes what
 * `aws ecs describe-task-definition` prints, where the definition and its
 * tags stand side by side. Members that are `null` are left out: that is what
 * `null` means to AWS; everything else stays, empty texts and lists included.
 */
export function fromFile(content: JsonObject): Definition {
  const inner = content["taskDefinition"];
  if (content["containerDefinitions"] !== undefined || !isObject(inner))
    return clean(withTags(content, content["tags"]));
  return clean(withTags(inner, content["tags"]));
}

/** The raw answer of DescribeTaskDefinition (with `include: [TAGS]`), or of RegisterTaskDefinition. */
export function revisionOf(answer: { readonly taskDefinition?: unknown; readonly tags?: unknown }): Revision {
  const described = answer.taskDefinition;
  const definition = isObject(described) ? described : {};
  return {
    arn: textOf(definition["taskDefinitionArn"]),
    family: textOf(definition["family"]),
    revision: Number(definition["revision"] ?? 0),
    active: textOf(definition["status"]) === "ACTIVE",
    registeredBy: textOf(definition["registeredBy"]),
    definition: clean(withTags(definition, answer.tags)),
  };
}

/** What is wrong with a definition from a file, as ends of sentences; that it is complete is ECS's to judge. */
export function definitionProblems(definition: Definition): readonly string[] {
  const problems: string[] = [];
  if (textOf(definition["family"]) === "") problems.push("it has no `family`");
  const list = definition["containerDefinitions"];
  if (!isList(list) || list.length === 0) return [...problems, "it has no list `containerDefinitions`"];
  const names = containersOf(definition).map((container) => textOf(container["name"]));
  if (names.length < list.length || names.includes("")) problems.push("one of its containers has no `name`");
  const twice = names.find((name, index) => name !== "" && names.indexOf(name) < index);
  if (twice !== undefined) problems.push(`two of its containers are named \`${twice}\``);
  return problems;
}

/** Tags of AWS's own (CloudFormation's, for example) cannot be registered: ECS refuses the prefix `aws:`. */
function withTags(definition: JsonObject, tags: unknown): JsonObject {
  if (!isList(tags)) return definition;
  const own = tags.filter((tag) => !(isObject(tag) && textOf(tag["key"]).toLowerCase().startsWith("aws:")));
  const { tags: _beside, ...rest } = definition;
  return own.length === 0 ? rest : { ...rest, tags: own };
}

function clean(definition: JsonObject): Definition {
  const kept = Object.entries(definition).filter(([name]) => !OWN_MEMBERS.has(name));
  return withoutNulls(Object.fromEntries(kept)) as Definition;
}

function withoutNulls(value: unknown): unknown {
  if (isList(value)) return value.map((item) => withoutNulls(item));
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(kept.map(([name, item]) => [name, withoutNulls(item)]));
}

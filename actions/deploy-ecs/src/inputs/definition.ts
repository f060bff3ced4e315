import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { GitHubContext } from "../../../../lib/github-context.ts";
import type { InputReader } from "../../../../lib/inputs.ts";
import { definitionProblems, fromFile, OWN_MEMBERS } from "../definition/load.ts";
import {
  type Assignment,
  type DefinitionSource,
  type Edits,
  isObject,
  type JsonObject,
} from "../definition/model.ts";
import { isSecretValue, secretsOf, secretValues } from "../definition/secrets.ts";
import { readObject, readObjectFile, readTexts, workingDirectory } from "./json.ts";

const CONTAINER = /^[\w-]{1,255}$/;
const FAMILY = /^[\w-]{1,255}$/;
const FAMILY_REVISION = /^[\w-]{1,255}:[1-9]\d*$/;
const ARN = /^arn:[\w-]+:ecs:[\w-]+:\d{12}:task-definition\/[\w-]{1,255}(:[1-9]\d*)?$/;

/** Inputs whose texts the log and the outputs must be able to show. */
const SHOWN = [
  "service",
  "task-definition",
  "image",
  "images",
  "container-name",
  "aws-region",
  "schedules",
  "codedeploy-application",
  "codedeploy-deployment-group",
];

/** Reads where the task definition comes from and what is changed in it; values are masked before all else. */
export function readDefinition(
  read: InputReader,
  github: GitHubContext,
): { readonly source: DefinitionSource; readonly edits: Edits; readonly shown: readonly string[] } {
  const shown = shownNames(read, github);
  const environment = readAssignments(read, "environment-variables", (key, value) => {
    if (isSecretValue(key, value, shown)) read.hide(value);
  });
  const source = readSource(read, github);
  if (source.kind === "file") for (const value of secretValues(source.definition, shown)) read.hide(value);
  const edits: Edits = {
    containers: readContainers(read),
    image: read.text("image", "", { pattern: /^\S+$/, allowed: "an image reference without blanks" }),
    images: readImages(read),
    environment,
    secrets: readAssignments(read, "secrets"),
    remove: readRemove(read),
    mode: read.enumeration("environment-mode", ["merge", "replace"], "merge"),
    command: readTexts(read, "command"),
    patch: readPatch(read, shown),
  };
  return { source, edits, shown };
}

function shownNames(read: InputReader, github: GitHubContext): readonly string[] {
  const { sha, repository, ref, runUrl } = github;
  const names = SHOWN.map((name) => read.text(name));
  const url = /^https?:\/\/([^/?#@]+)([^?#@]*)/.exec(read.text("health-check-url"));
  // What follows in the address may be a token.
  return [...names, read.text("cluster", "default"), url?.[0] ?? "", sha, repository, ref, runUrl];
}

function readSource(read: InputReader, github: GitHubContext): DefinitionSource {
  const name = read.text("task-definition");
  const folder = workingDirectory(read, github);
  if (name === "") return { kind: "running" };
  const path = resolve(folder, name);
  const arn = ARN.exec(name);
  if (arn) return { kind: arn[1] === undefined ? "family" : "revision", name };
  if (FAMILY_REVISION.test(name)) return { kind: "revision", name };
  if (!existsSync(path) && FAMILY.test(name)) return { kind: "family", name };
  if (name.startsWith("arn:") || (!existsSync(path) && !/[./\\]/.test(name))) {
    read.problem(
      `\`task-definition\` is \`${name}\`: allowed is a JSON or YAML file, a family, \`family:revision\` or the ARN of a task definition`,
    );
    return { kind: "running" };
  }
  const object = readObjectFile(read, "task-definition", folder, name);
  if (object === undefined) return { kind: "running" };
  const definition = fromFile(object);
  for (const problem of definitionProblems(definition)) {
    read.problem(`\`task-definition\` is \`${name}\`: ${problem}`);
  }
  return { kind: "file", path: name, definition };
}

/** The peer takes several names by commas. */
function readContainers(read: InputReader): readonly string[] {
  const names = read.list("container-name", { commas: true });
  for (const name of names) checkContainer(read, "container-name", name);
  return [...new Set(names)];
}

function checkContainer(read: InputReader, input: string, name: string): void {
  if (CONTAINER.test(name)) return;
  read.problem(
    `\`${input}\` names the container \`${name}\`: allowed are letters, digits, \`_\` and \`-\`, at most 255`,
  );
}

function readImages(read: InputReader): ReadonlyMap<string, string> {
  const images = read.map("images");
  const trimmed = new Map<string, string>();
  for (const [container, image] of images) {
    checkContainer(read, "images", container);
    if (!/^\S+$/.test(image.trim())) {
      read.problem(`\`images\` has no image for \`${container}\`: allowed are lines \`container=image\``);
    }
    trimmed.set(container, image.trim());
  }
  return trimmed;
}

/** `KEY=value` or `container:KEY=value`; only names are told in problems. */
function readAssignments(
  read: InputReader,
  input: string,
  seen: (key: string, value: string) => void = () => {},
): readonly Assignment[] {
  const assignments: Assignment[] = [];
  for (const [name, value] of read.map(input)) {
    const { container, key } = splitKey(name);
    seen(key, value);
    if (key === "" || /\s/.test(name)) {
      read.problem(
        `\`${input}\`: \`${name}\` is no name: allowed is \`KEY\` or \`container:KEY\` without blanks`,
      );
    }
    if (input === "secrets" && !/^\S+$/.test(value.trim())) {
      read.problem(`\`secrets\`: \`${name}\` has no value: allowed is an ARN or the name of a parameter`);
    }
    assignments.push({ container, key, value: input === "secrets" ? value.trim() : value });
  }
  return assignments;
}

/** A container's name holds no colon, so the first one ends it. */
function splitKey(name: string): { readonly container: string; readonly key: string } {
  const [, container, key] = /^([\w-]+):(.*)$/.exec(name) ?? [];
  return container === undefined || key === undefined ? { container: "", key: name } : { container, key };
}

function readRemove(read: InputReader): Edits["remove"] {
  return read.list("remove-environment-variables", { commas: true }).map((name) => {
    if (/[\s=]/.test(name) || splitKey(name).key === "") {
      read.problem(
        "`remove-environment-variables` has an item that is no name: allowed is `KEY` or `container:KEY`, one a line",
      );
    }
    return splitKey(name);
  });
}

function readPatch(read: InputReader, shown: readonly string[]): JsonObject | undefined {
  const patch = readObject(read, "task-definition-patch");
  if (patch === undefined) return undefined;
  const own = Object.keys(patch).filter((name) => OWN_MEMBERS.has(name));
  if (own.length > 0) {
    read.problem(
      `\`task-definition-patch\` sets \`${own.join("`, `")}\`, which ECS sets by itself: leave it out`,
    );
  }
  const containers = patch["containerDefinitions"];
  if (containers !== undefined && containers !== null && typeof containers !== "object") {
    read.problem(
      '`task-definition-patch`: `containerDefinitions` must address containers by name, for example `{"containerDefinitions": {"app": {"cpu": 256}}}`',
    );
  }
  const list = typeof containers === "object" && containers !== null ? Object.values(containers) : [];
  for (const container of list) {
    if (!isObject(container)) continue;
    for (const value of secretsOf(container["environment"], shown)) read.hide(value);
  }
  return patch;
}

import type { InputReader } from "../../../../lib/inputs.ts";
import { isList, isObject, type JsonObject, textOf } from "../definition/model.ts";
import { secretsOf } from "../definition/secrets.ts";
import { readObjects, readTexts } from "./json.ts";
import type { TaskInputs } from "./model.ts";
import { optional } from "./service.ts";

/** Limits of the ECS API, RunTask. */
const LONGEST_OVERRIDES = 8192;
const STARTED_BY = /^[\w/-]{1,128}$/;

/** Inputs that say what the task is to do: without `run-task` it would silently not be done. */
const MEANINGLESS_ALONE = ["run-task-command", "run-task-container", "run-task-container-overrides"];

/** Reads the one-off task; undefined unless `run-task` is on. `shown`: see `Inputs`. */
export function readTask(read: InputReader, shown: readonly string[]): TaskInputs | undefined {
  const wanted = read.bool("run-task", false);
  const task: TaskInputs = {
    container: read.text("run-task-container", "", {
      pattern: /^[\w-]{1,255}$/,
      allowed: "a container's name",
    }),
    command: readTexts(read, "run-task-command"),
    overrides: readOverrides(read, shown),
    subnets: readIds(read, "run-task-subnets"),
    securityGroups: readIds(read, "run-task-security-groups"),
    assignPublicIp: optional(read, "run-task-assign-public-IP", ["ENABLED", "DISABLED"]),
    launchType: optional(read, "run-task-launch-type", ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"]),
    capacityProviderStrategy: readStrategy(read),
    startedBy: read.text("run-task-started-by", "", {
      pattern: STARTED_BY,
      allowed: "letters, digits, `-`, `_`, `/`, at most 128",
    }),
    tags: readTags(read),
    timeoutMs: read.duration("run-task-timeout", "15m", "m", { min: 1000 }),
  };
  if (task.launchType !== undefined && task.capacityProviderStrategy !== undefined) {
    read.problem(
      "`run-task-launch-type` and `run-task-capacity-provider-strategy` exclude each other: leave one out",
    );
  }
  checkCommands(read, task);
  if (wanted) return task;
  for (const name of MEANINGLESS_ALONE) {
    if (read.given(name))
      read.problem(`\`${name}\` is given and \`run-task\` is \`false\`: set it, or leave both out`);
  }
  return undefined;
}

function readOverrides(read: InputReader, shown: readonly string[]): readonly JsonObject[] {
  const overrides = readObjects(read, "run-task-container-overrides") ?? [];
  for (const override of overrides) {
    for (const value of secretsOf(override["environment"], shown)) read.hide(value);
    if (textOf(override["name"]) === "") {
      read.problem("`run-task-container-overrides` has an entry without `name`: each names its container");
    }
  }
  const length = JSON.stringify(overrides).length;
  if (length > LONGEST_OVERRIDES) {
    read.problem(
      `\`run-task-container-overrides\` has ${length} characters: ECS takes at most ${LONGEST_OVERRIDES}`,
    );
  }
  return overrides;
}

/** A command given twice for one container. */
function checkCommands(read: InputReader, task: TaskInputs): void {
  if (task.command === undefined) return;
  const twice = task.overrides.find(
    (override) =>
      override["command"] !== undefined && (task.container === "" || override["name"] === task.container),
  );
  if (twice) {
    read.problem(
      "`run-task-command` is given and `run-task-container-overrides` has a `command`: give the command in one of them",
    );
  }
}

function readIds(read: InputReader, name: string): readonly string[] | undefined {
  const ids = read.list(name, { commas: true });
  for (const id of ids) {
    if (!/^[\w-]+$/.test(id)) read.problem(`\`${name}\` is \`${id}\`: allowed are ids by commas or lines`);
  }
  return ids.length === 0 ? undefined : ids;
}

function readStrategy(read: InputReader): readonly JsonObject[] | undefined {
  const name = "run-task-capacity-provider-strategy";
  const items = readObjects(read, name);
  for (const item of items ?? []) {
    const rangesHold = inRange(item["weight"], 1000) && inRange(item["base"], 100_000);
    if (textOf(item["capacityProvider"]) === "" || !rangesHold) {
      read.problem(
        `\`${name}\` has an entry that ECS refuses: each has \`capacityProvider\`, and may have \`weight\` (0 to 1000) and \`base\` (0 to 100000)`,
      );
    }
  }
  // As in the peer an empty list says nothing.
  return items?.length === 0 ? undefined : items;
}

function inRange(value: unknown, max: number): boolean {
  return value === undefined || (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max);
}

/** A JSON array of `{key, value}` as in the peer, or a map. */
function readTags(read: InputReader): TaskInputs["tags"] {
  const name = "run-task-tags";
  const text = read.verbatim(name).trim();
  if (text === "") return undefined;
  if (!text.startsWith("[")) return [...read.map(name)].map(([key, value]) => ({ key, value }));
  const items = readObjects(read, name) ?? [];
  if (!isList(items) || !items.every((item) => isObject(item) && textOf(item["key"]) !== "")) {
    read.problem(
      `\`${name}\` has an entry without \`key\`: allowed is \`[{"key": "team", "value": "shop"}]\``,
    );
  }
  const tags = items.map((item) => ({ key: textOf(item["key"]), value: String(item["value"] ?? "") }));
  return tags.length === 0 ? undefined : tags;
}

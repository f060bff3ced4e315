import { canonical } from "./canonical.ts";
import { type Definition, type Difference, isList, isObject } from "./model.ts";
import { keyOf } from "./shape.ts";

/**
 * The only members whose values are shown. All others may hold secrets
 * (environment, command, log options, labels): only that they differ is told.
 */
const SHOWN: ReadonlySet<string> = new Set([
  "containerDefinitions.cpu",
  "containerDefinitions.essential",
  "containerDefinitions.healthCheck.interval",
  "containerDefinitions.healthCheck.retries",
  "containerDefinitions.healthCheck.startPeriod",
  "containerDefinitions.healthCheck.timeout",
  "containerDefinitions.image",
  "containerDefinitions.logConfiguration.logDriver",
  "containerDefinitions.memory",
  "containerDefinitions.memoryReservation",
  "containerDefinitions.portMappings.hostPort",
  "containerDefinitions.readonlyRootFilesystem",
  "containerDefinitions.startTimeout",
  "containerDefinitions.stopTimeout",
  "cpu",
  "ephemeralStorage.sizeInGiB",
  "executionRoleArn",
  "family",
  "memory",
  "networkMode",
  "runtimePlatform.cpuArchitecture",
  "runtimePlatform.operatingSystemFamily",
  "taskRoleArn",
]);

/** How members of lists are called. */
const CALLED: Readonly<Record<string, string>> = {
  containerDefinitions: "container",
  "containerDefinitions.mountPoints": "mount point",
  "containerDefinitions.portMappings": "port",
  "containerDefinitions.secrets": "secret",
  tags: "tag",
  volumes: "volume",
};

/** Items of these lists are told as one; what differs inside of them is nobody's business or nobody's interest. */
const WHOLE: ReadonlySet<string> = new Set([
  "containerDefinitions.environment",
  "containerDefinitions.secrets",
  "tags",
]);

/** A place in two task definitions: its path without and with names, and how it is called. */
interface Place {
  readonly path: string;
  readonly named: string;
  readonly called: string;
}

/** What differs between two task definitions, in their canonical form. No value of an environment variable is in it. */
export function differences(before: Definition, after: Definition): readonly Difference[] {
  return members({ path: "", named: "", called: "" }, canonical(before), canonical(after));
}

function compare(place: Place, before: unknown, after: unknown): readonly Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const bothObjects = isObject(before) && isObject(after);
  if (bothObjects && !WHOLE.has(place.path)) return members(place, before, after);
  const lists = isKeyed(place.path, before) && isKeyed(place.path, after);
  if (lists) return items(place, before ?? [], after ?? []);
  const kind = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  return [
    { text: `${place.called} ${kind}${shownChange(place.path, before, after)}`, path: place.named, kind },
  ];
}

function members(
  place: Place,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): readonly Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) =>
    compare(
      {
        path: place.path === "" ? name : `${place.path}.${name}`,
        named: place.named === "" ? name : `${place.named}.${name}`,
        called: callMember(place, name),
      },
      own(before, name),
      own(after, name),
    ),
  );
}

/** `container app` and its member `image` make `container app: image`, deeper ones `container app: healthCheck.timeout`. */
function callMember(place: Place, name: string): string {
  if (place.called === "") return name;
  return `${place.called}${CALLED[place.path] === undefined ? "." : ": "}${name}`;
}

function items(place: Place, before: readonly unknown[], after: readonly unknown[]): readonly Difference[] {
  const left = byKey(place.path, before);
  const right = byKey(place.path, after);
  const word = CALLED[place.path] ?? place.path.split(".").at(-1) ?? place.path;
  const owner = place.called.includes(": ") ? `${place.called.split(": ").slice(0, -1).join(": ")}: ` : "";
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((key) =>
    compare(
      { path: place.path, named: `${place.named}.${key}`, called: `${owner}${word} ${key}` },
      left.get(key),
      right.get(key),
    ),
  );
}

/** A name that stands twice in a list counts twice. */
function byKey(path: string, list: readonly unknown[]): ReadonlyMap<string, unknown> {
  const map = new Map<string, unknown>();
  for (const item of list) {
    const key = keyOf(path, item) ?? "";
    let free = key;
    for (let count = 2; map.has(free); count++) free = `${key} (${count})`;
    map.set(free, item);
  }
  return map;
}

/** A list that is not there is an empty one. */
function isKeyed(path: string, value: unknown): value is readonly unknown[] | undefined {
  if (value === undefined) return keyOf(path, {}) !== undefined;
  return isList(value) && value.every((item) => keyOf(path, item) !== undefined);
}

function shownChange(path: string, before: unknown, after: unknown): string {
  if (!SHOWN.has(path)) return "";
  if (before === undefined) return `: ${String(after)}`;
  if (after === undefined) return ` (was ${String(before)})`;
  return `: ${String(before)} -> ${String(after)}`;
}

function own(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

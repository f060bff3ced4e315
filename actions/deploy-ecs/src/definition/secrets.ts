import { containersOf, type Definition, isList, isObject, textOf } from "./model.ts";

/** Switches, ports, counts and account ids: masking `true`, `8000` or what stands in every ARN would blot out the log and the outputs. */
const TRIVIAL = /^(true|false|yes|no|on|off|none|null|\d{1,5}|\d{12})$/i;
/** Words, regions, IPv4 addresses, versions and lower-case host names, which tell nothing to anyone. */
const PLAIN =
  /^([A-Za-z]{1,12}|[a-z]{2}(-[a-z]+)+-\d|\d{1,3}(\.\d{1,3}){3}|v?\d+(\.\d+){1,2}|[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,})$/;
const SECRET_NAME = /pass|pwd|secret|token|key|cred|auth|private|dsn|salt|cookie|session|signature|cert/i;

/**
 * Whether the value of an environment variable is masked. No value is ever
 * printed; masking is for what prints it without our doing (a container's
 * log). `shown` are names that this run must be able to show, since its outputs
 * are made of them: a value that is a part of one is not masked.
 */
export function isSecretValue(key: string, value: string, shown: readonly string[] = []): boolean {
  const text = value.trim();
  if (text === "" || TRIVIAL.test(text)) return false;
  if (shown.some((name) => name.includes(text))) return false;
  return SECRET_NAME.test(key) || !PLAIN.test(text);
}

/** Values of a task definition's environment that are to be masked before anything is shown. */
export function secretValues(definition: Definition, shown: readonly string[] = []): readonly string[] {
  const names = [...shown, textOf(definition["family"])];
  for (const container of containersOf(definition)) {
    names.push(textOf(container["name"]), textOf(container["image"]));
  }
  return containersOf(definition).flatMap((container) => secretsOf(container["environment"], names));
}

/** The same for one list of `{name, value}` (a container's environment, an override's). */
export function secretsOf(environment: unknown, shown: readonly string[] = []): readonly string[] {
  if (!isList(environment)) return [];
  return environment
    .filter((item) => isObject(item))
    .filter((item) => isSecretValue(textOf(item["name"]), String(item["value"] ?? ""), shown))
    .map((item) => String(item["value"]));
}

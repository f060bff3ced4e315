import type { ImageConfig, SecretFinding } from "../image/model.ts";
import type { SecretSearch } from "./secret-search.ts";

/** Secrets in what the image's config says in clear text: environment, labels, history, commands. */
export function configSecrets(config: ImageConfig, search: SecretSearch): SecretFinding[] {
  const findings = new Map<string, SecretFinding>();
  for (const [where, text] of textsOf(config)) {
    for (const { what } of search.inText(text)) findings.set(`${what} ${where}`, { what, where });
  }
  return [...findings.values()];
}

function* textsOf(config: ImageConfig): Generator<readonly [where: string, text: string]> {
  const { Env, Labels, ...rest } = config.config ?? {};
  for (const entry of Env ?? []) {
    // The name stays with its value: a secret may reach over the `=`.
    yield [`environment variable ${entry.split("=", 1)[0] ?? ""}`, entry];
  }
  for (const [key, value] of Object.entries(Labels ?? {})) yield [`label ${key}`, `${key}=${value}`];
  for (const [index, step] of (config.history ?? []).entries()) {
    for (const text of stringsOf(step)) yield [`history step ${index + 1}`, text];
  }
  for (const [key, value] of Object.entries(rest)) {
    for (const text of stringsOf(value)) yield [`the image's ${key}`, text];
  }
  const { config: _, history: __, rootfs: ___, ...outer } = config;
  for (const [key, value] of Object.entries(outer)) {
    for (const text of stringsOf(value)) yield [`the config's ${key}`, text];
  }
}

/** All texts in a JSON value, keys of objects too. */
function* stringsOf(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (Array.isArray(value)) for (const item of value) yield* stringsOf(item);
  else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      yield key;
      yield* stringsOf(item);
    }
  }
}

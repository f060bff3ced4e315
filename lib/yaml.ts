/** The one function of the YAML reader that is used here. */
export type ParseYaml = (text: string, options?: object) => unknown;

let loaded: ParseYaml | undefined;

/**
 * Loads the YAML reader if one of the texts may be YAML or JSON, or names a
 * YAML file. It costs 31 ms and 100 kB, which the runs whose inputs are plain
 * lines do without; inputs themselves are read synchronously, hence the step
 * beforehand.
 */
export async function prepareYaml(texts: Iterable<string | undefined>): Promise<void> {
  for (const text of texts) {
    if (text !== undefined && (mayBeYaml(text) || YAML_FILE.test(text))) return loadYaml();
  }
}

/** One line that is the name of a YAML file. */
const YAML_FILE = /^\s*\S.*\.ya?ml\s*$/i;

/** Whether the first line that is no comment starts a document, a map, a list or a flow collection. */
export function mayBeYaml(text: string): boolean {
  const first = text.split(/\r?\n/).find((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));
  return first !== undefined && /^\s*([{[]|-(--)?(\s|$)|[^\s=:/\\]+\s*:(\s|$))/.test(first);
}

/** Loads the YAML reader: for files, which are read asynchronously anyway. */
export async function loadYaml(): Promise<void> {
  loaded ??= (await import("yaml")).parse;
}

/** Reads YAML; throws the reader's own error for what is none. What cannot be a collection is plain text. */
export function parseYaml(text: string, options?: object): unknown {
  if (loaded) return loaded(text, options);
  if (mayBeYaml(text)) throw new Error("the YAML reader was not loaded before this text was read");
  return text.trim() === "" ? null : text.trim();
}

/** A workflow command that a step printed: `::name key=value::data`. */
export interface WorkflowCommand {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

/** Names that the runner knows; after `##[` it takes no other for a command. */
const OLD_STYLE =
  /##\[(error|warning|notice|debug|group|endgroup|command|add-mask|set-output|save-state|set-env)( [^\]]*)?\](.*)$/;

/**
 * The commands in a step's output, read as the runner reads them: a line that
 * starts with `::` after white space (as .NET trims it, so U+0085 counts), or
 * that holds `##[name]` anywhere; nothing between `::stop-commands::TOKEN` and
 * `::TOKEN::` counts. A carriage return alone ends a line too.
 */
export function parseWorkflowCommands(output: string): WorkflowCommand[] {
  const commands: WorkflowCommand[] = [];
  let stopToken = "";
  for (const line of output.split(/\r\n|\r|\n/)) {
    const match = /^[\s\u0085]*::([^\s:]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/.exec(line);
    if (!match) {
      const old = stopToken === "" ? OLD_STYLE.exec(line) : null;
      if (old) commands.push({ name: old[1] ?? "", properties: {}, data: old[3] ?? "" });
      continue;
    }
    const name = match[1] ?? "";
    if (stopToken) {
      if (name === stopToken) stopToken = "";
      continue;
    }
    if (name === "stop-commands") stopToken = match[3] ?? "";
    commands.push({ name, properties: parseProperties(match[2] ?? ""), data: decode(match[3] ?? "") });
  }
  return commands;
}

function parseProperties(text: string): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const pair of text.split(",")) {
    const equals = pair.indexOf("=");
    if (equals < 1) continue;
    const value = pair
      .slice(equals + 1)
      .replace(/%3A/g, ":")
      .replace(/%2C/g, ",");
    properties[pair.slice(0, equals).trim()] = decode(value);
  }
  return properties;
}

function decode(text: string): string {
  return text.replace(/%0D/g, "\r").replace(/%0A/g, "\n").replace(/%25/g, "%");
}

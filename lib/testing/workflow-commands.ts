/** A workflow command that a step printed: `::name key=value::data`. */
export interface WorkflowCommand {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

/**
 * The commands in a step's output, read as the runner reads them: a line that
 * starts with `::` after white space; nothing between `::stop-commands::TOKEN`
 * and `::TOKEN::` counts.
 */
export function parseWorkflowCommands(output: string): WorkflowCommand[] {
  const commands: WorkflowCommand[] = [];
  let stopToken = "";
  for (const line of output.split(/\r?\n/)) {
    const match = /^\s*::([^\s:]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/.exec(line);
    if (!match) continue;
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

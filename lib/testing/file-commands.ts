/**
 * Reads what a step wrote to GITHUB_OUTPUT, GITHUB_STATE or GITHUB_ENV:
 * `name=value` lines and `name<<DELIMITER` blocks. Throws on anything else, as the runner does.
 */
export function parseFileCommands(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? "";
    if (line === "") continue;
    const block = /^([^=]+?)<<(.+)$/.exec(line);
    if (block) {
      const end = lines.indexOf(block[2] ?? "", i + 1);
      if (end < 0) throw new Error(`file command: delimiter of \`${block[1]}\` not found`);
      values[block[1] ?? ""] = lines.slice(i + 1, end).join("\n");
      i = end;
      continue;
    }
    const equals = line.indexOf("=");
    if (equals < 1) throw new Error(`file command: cannot read \`${line}\``);
    values[line.slice(0, equals)] = line.slice(equals + 1);
  }
  return values;
}

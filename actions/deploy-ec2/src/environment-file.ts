import type { InputReader } from "../../../lib/inputs.ts";
import type { Mask } from "../../../lib/mask.ts";

/** Shells refuse to set these, so a file that does would end the start script. */
const READONLY = new Set(["UID", "EUID", "PPID", "GROUPS", "BASHOPTS", "SHELLOPTS", "BASH_VERSINFO", "IFS"]);

/** A value that says nothing to anyone: masking it would blot out ports, addresses and words of the log. */
const PLAIN =
  /^(\d{1,5}|true|false|yes|no|on|off|localhost|[\w-]{0,12}|\d{1,3}(\.\d{1,3}){3}|[a-z0-9-]+(\.[a-z0-9-]+)+)$/i;
const SECRET_NAME = /pass|pwd|secret|token|key|cred|auth|private|dsn|salt|cookie|session|signature|cert/i;

/** Whether a variable's value must be masked. A name that sounds secret always is; so is every value that is not plain. */
export function isSecret(name: string, value: string): boolean {
  return SECRET_NAME.test(name) || !PLAIN.test(value);
}

/** Reads `environment-variables`; secret values are masked, names that no shell can set are problems. */
export function readEnvironment(read: InputReader, mask: Mask): ReadonlyMap<string, string> {
  const pairs = read.map("environment-variables");
  for (const [name, value] of pairs) {
    if (isSecret(name, value)) mask.add(value);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      read.problem(
        `\`environment-variables\`: \`${name}\` is no name for a variable (letters, digits and _)`,
      );
    else if (READONLY.has(name))
      read.problem(`\`environment-variables\`: \`${name}\` cannot be set by a shell`);
    if (value.includes("\0")) read.problem(`\`environment-variables\`: \`${name}\` holds a zero byte`);
  }
  return pairs;
}

/**
 * The file that both `sh` (sourced) and systemd (EnvironmentFile=) read the
 * same: every value in double quotes, with `"`, `\`, `` ` `` and `$` escaped.
 * Single quotes would not do: systemd takes `'a'\''b'` literally from the
 * second quote on (src/basic/env-file.c).
 */
export function renderEnvironment(pairs: ReadonlyMap<string, string>): string {
  return [...pairs].map(([name, value]) => `${name}="${value.replace(/["\\`$]/g, "\\$&")}"\n`).join("");
}

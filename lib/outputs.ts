import { existsSync } from "node:fs";
import { setOutput } from "@actions/core";
import type { Log } from "./log.ts";
import type { Mask } from "./mask.ts";

/**
 * Sets step outputs. Without the runner's output file (a laptop without `act`)
 * they are only logged at debug level: printing the retired `::set-output`
 * command would do nothing but confuse. Those in `ours` are made of goci's own
 * words: they are not redacted, since a password `failed` must not turn the
 * outcome into `***`. Throws when the file cannot be written.
 */
export function setOutputs(
  outputs: ReadonlyMap<string, string>,
  mask: Mask,
  log: Log,
  ours: ReadonlySet<string> = new Set(),
): void {
  const file = process.env["GITHUB_OUTPUT"];
  const usable = file !== undefined && existsSync(file);
  for (const [name, value] of outputs) {
    const clean = ours.has(name) ? value : mask.redact(value);
    if (usable) setOutput(name, clean);
    else log.debug(`output ${name}=${clean}`);
  }
}

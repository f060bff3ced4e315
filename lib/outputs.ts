import { existsSync } from "node:fs";
import { setOutput } from "@actions/core";
import type { Log } from "./log.ts";
import type { Mask } from "./mask.ts";

/**
 * Sets step outputs. Without the runner's output file (a laptop without `act`)
 * they are only logged at debug level: printing the retired `::set-output`
 * command would do nothing but confuse.
 */
export function setOutputs(outputs: ReadonlyMap<string, string>, mask: Mask, log: Log): void {
  const file = process.env["GITHUB_OUTPUT"];
  const usable = file !== undefined && existsSync(file);
  for (const [name, value] of outputs) {
    const clean = mask.redact(value);
    if (usable) setOutput(name, clean);
    else log.debug(`output ${name}=${clean}`);
  }
}

import { existsSync } from "node:fs";
import { getState, saveState } from "@actions/core";

/** What the main step leaves for the post step of the same job. Never holds a secret. */
export interface State {
  /** Saves at once, so that a step killed a moment later has left it. Values are JSON. */
  save(name: string, value: unknown): void;
  /** The saved value, or undefined when the main step never got there. */
  load(name: string): unknown;
}

/** State in the runner's file, under a common prefix. */
export const runnerState: State = {
  save: (name, value) => {
    // Without the runner's file there is no post step either, and the retired `::save-state` would only confuse.
    const file = process.env["GITHUB_STATE"];
    if (file !== undefined && existsSync(file)) saveState(`goci-${name}`, JSON.stringify(value));
  },
  load: (name) => {
    const text = getState(`goci-${name}`);
    if (text === "") return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return undefined;
    }
  },
};

/** State in memory, for tests. */
export function memoryState(
  values: Record<string, unknown> = {},
): State & { readonly values: Record<string, unknown> } {
  return {
    values,
    save: (name, value) => {
      values[name] = value;
    },
    load: (name) => values[name],
  };
}

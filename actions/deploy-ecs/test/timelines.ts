import { expect } from "@jest/globals";
import type { Fault } from "../../../lib/testing/fake-ecs/faults.ts";
import { type Story, type Told, tell, truth } from "./story.ts";

export { WITH } from "./configurations.ts";

/** A story and how it has to end. */
export interface Row extends Story {
  readonly name: string;
  /** Outcome, failure code, and the world's own truth: image of the PRIMARY deployment and its state. */
  readonly ends: readonly [string, string, string];
  readonly check?: (told: Told) => void;
}

/** Inputs that most stories have, without and with a health check. */
export const FILE = { service: "app", image: "app:2" };
export const URL_CHECKED = {
  ...FILE,
  "health-check-url": "http://app.example",
  "health-check-timeout": "20s",
};

/** Every way in which a single call can fail. */
export const FAULTS: readonly Fault[] = [
  "throttle",
  "server-error",
  "server-error-after",
  "reset-before",
  "reset-after",
  "denied",
  "expired-token",
  "hang",
  "hang-after",
];

/** The end of a story that goes back. */
export function back(code: string): Row["ends"] {
  return ["rolled-back", code, "app:1 COMPLETED"];
}

/** Writes of a run, in order. */
export function writes(told: Told): readonly string[] {
  const reads = /^(Describe|List|Get)/;
  return told.calls.filter((operation) => !reads.test(operation));
}

/** What a test of one row does. */
export async function play(row: Row): Promise<void> {
  const told = await tell(row);
  const ended = [told.outcome, told.code, truth(told.aws)];
  if (ended.join() !== row.ends.join()) {
    throw new Error(
      `${row.name}: ended ${ended.join(" | ")}, not ${row.ends.join(" | ")}\n${told.message}\n${told.log.join("\n")}\n${told.calls.join(" ")}`,
    );
  }
  expect(told.aws.violations).toEqual([]);
  row.check?.(told);
}

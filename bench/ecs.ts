import { completions, type Figures, failures } from "../actions/deploy-ecs/test/figures.ts";
import type { Bench, Row } from "./bench.ts";

const COMPLETIONS = 200;
const FAILURES = 100;

/**
 * How soon deploy-ecs notices what ECS shows, and what it costs in calls: hundreds of
 * deployments that end at random moments, in virtual time against the stand-in for AWS.
 */
export const bench: Bench = {
  name: "ecs",
  run: async () => {
    const completed = await completions(COMPLETIONS);
    const failed = await failures(FAILURES);
    return [
      ...lags("completion", completed, 3, 5),
      ...lags("failure", failed, 10, 10),
      row("calls in the busiest minute", Math.max(completed.callsPerMinute), "calls", 24),
      row("calls a look", completed.callsPerLook, "calls", 2),
      row("calls beside the looks, target health included", completed.callsBeside, "calls", 10),
    ];
  },
};

function lags(what: string, figures: Figures, mean: number, most: number): Row[] {
  return [
    row(`${what} noticed after, mean of ${figures.runs}`, figures.meanLagMs / 1000, "s", mean),
    row(`${what} noticed after, at most`, figures.maxLagMs / 1000, "s", most),
  ];
}

function row(what: string, value: number, unit: string, aim: number): Row {
  return { what: `deploy-ecs: ${what}`, value, unit, aim };
}

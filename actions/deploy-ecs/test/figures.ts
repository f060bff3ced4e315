import { randomFrom } from "../../../lib/testing/fake-ecs/random.ts";
import { WITH } from "./configurations.ts";
import { type Told, tell } from "./story.ts";

/** What was measured over many runs in virtual time. */
export interface Figures {
  readonly runs: number;
  /** From the moment that ECS shows the end to the verdict, milliseconds. */
  readonly meanLagMs: number;
  readonly maxLagMs: number;
  /** Most calls that fell into any one minute. */
  readonly callsPerMinute: number;
  /** Most calls between two looks at the service, the look included, once UpdateService was sent. */
  readonly callsPerLook: number;
  /** Calls that are no looks: those to DescribeServices and DescribeServiceDeployments after UpdateService left out. */
  readonly callsBeside: number;
}

const MINUTE_MS = 60_000;

/** Deployments that complete at random moments of their first quarter of an hour. */
export async function completions(runs: number, seed = 1): Promise<Figures> {
  const random = randomFrom(seed);
  const told: Told[] = [];
  const lags: number[] = [];
  for (let run = 0; run < runs; run++) {
    const healthyAfterMs = Math.round(random() * 15 * MINUTE_MS);
    const one = await tell({
      arrange: (aws) => {
        aws.addService({ targetGroup: "web" });
        aws.behave("app:2", { kind: "good", healthyAfterMs });
      },
    });
    if (one.outcome !== "succeeded") throw new Error(`${one.outcome}: ${one.message}`);
    const primary = one.aws.service().deployments.find(({ status }) => status === "PRIMARY");
    lags.push(one.endedAt - (primary?.updatedAt ?? Number.NaN));
    told.push(one);
  }
  return figuresOf(told, lags);
}

/** Deployments that the circuit breaker fails at random moments; the lag ends with the request to go back. */
export async function failures(runs: number, seed = 1): Promise<Figures> {
  const random = randomFrom(seed);
  const told: Told[] = [];
  const lags: number[] = [];
  for (let run = 0; run < runs; run++) {
    const pull = 2000 + Math.round(random() * 2 * MINUTE_MS);
    const one = await tell({
      inputs: { service: "app", image: "app:2", "failure-budget": "1000" },
      world: { timing: { pull } },
      arrange: (aws) => {
        aws.addService({ deploymentConfiguration: WITH.breakerStays });
        aws.behave("app:2", { kind: "exits", code: 1 });
      },
    });
    if (one.outcome !== "rolled-back") throw new Error(`${one.outcome}: ${one.message}`);
    const failed = one.aws.service().rollouts.find(({ status }) => status === "STOPPED");
    const back = one.aws.calls.findLast(({ operation }) => operation === "UpdateService");
    lags.push((back?.at ?? Number.NaN) - (failed?.updatedAt ?? Number.NaN));
    told.push(one);
  }
  return figuresOf(told, lags);
}

function figuresOf(told: readonly Told[], lags: readonly number[]): Figures {
  return {
    runs: told.length,
    meanLagMs: lags.reduce((sum, lag) => sum + lag, 0) / lags.length,
    maxLagMs: Math.max(...lags),
    callsPerMinute: Math.max(...told.map(busiestMinute)),
    callsPerLook: Math.max(...told.map(callsPerLook)),
    callsBeside: Math.max(...told.map(callsBeside)),
  };
}

function busiestMinute({ aws }: Told): number {
  const times = aws.calls.map(({ at }) => at);
  return Math.max(...times.map((end) => times.filter((at) => at > end - MINUTE_MS && at <= end).length));
}

/** Only up to the first failed task: what explains a failure comes once. */
function callsPerLook({ calls }: Told): number {
  const after = calls.slice(calls.indexOf("UpdateService") + 1);
  const end = after.indexOf("ListTasks");
  let most = 0;
  let current = 0;
  for (const operation of end < 0 ? after : after.slice(0, end)) {
    current = operation === "DescribeServices" ? 1 : current + 1;
    most = Math.max(most, current);
  }
  return most;
}

function callsBeside({ calls }: Told): number {
  const update = calls.indexOf("UpdateService");
  const looks = new Set(["DescribeServices", "DescribeServiceDeployments"]);
  return calls.filter((operation, index) => index <= update || !looks.has(operation)).length;
}

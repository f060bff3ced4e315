import type { RunContext } from "../../../lib/action.ts";
import { type Endpoint, GOOD_STATUSES } from "./endpoint.ts";
import type { LoadInputs } from "./inputs.ts";
import { publishNothing } from "./publish.ts";
import { awaitTarget } from "./ready.ts";
import { failureOf, type Judgement } from "./verdict.ts";

/** The readiness gate: returns when the target answers, and ends the run as no-data when it never does. */
export async function beReady(inputs: LoadInputs, context: RunContext): Promise<void> {
  const { log, clock, signal } = context;
  const endpoint = probeOf(inputs.endpoints, inputs.base.path || "/");
  const readiness = await awaitTarget(inputs.base.target, endpoint, inputs.readyTimeoutMs, {
    clock,
    signal,
    log: (line) => log.info(line),
  });
  if (readiness.ready) return;
  const seconds = inputs.readyTimeoutMs / 1000;
  const judgement: Judgement = {
    verdict: "no-data",
    reason: `the target did not answer 5 times in a row within ${seconds} s; the last of ${readiness.tries} tries: ${readiness.last}`,
    code: "NOT_READY",
    fix: "check that `url` is right and that the target runs and can be reached from this runner, or raise `ready-timeout`",
  };
  publishNothing(judgement, context);
  throw failureOf(judgement);
}

/** A request that changes nothing: the first that reads, or the base path. */
function probeOf(endpoints: readonly Endpoint[], basePath: string): Endpoint {
  const reading = endpoints.find(({ method }) => method === "GET" || method === "HEAD");
  if (reading) return reading;
  const expect = { statuses: GOOD_STATUSES, contains: "" };
  return {
    name: "probe",
    method: "GET",
    path: basePath,
    weight: 1,
    headers: endpoints[0]?.headers ?? [],
    body: "",
    expect,
  };
}

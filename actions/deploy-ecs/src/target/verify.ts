import { forRollback, type HealthCheck, watchHealth } from "../../../../lib/health.ts";
import type { Aim, Call, VerifyResult } from "../../../../lib/rollout/target.ts";
import type { EcsPorts } from "./ports.ts";

/** How the HTTP check went; `status` 0: no answer. */
export interface Probed {
  readonly result: VerifyResult;
  readonly status: number;
}

/** The HTTP check through the front door; of the old version only the status counts. */
export async function checkUrl(ports: EcsPorts, aim: Aim, call: Call): Promise<Probed> {
  const { clock, log, inputs } = ports;
  const check: HealthCheck = aim === "new" ? inputs.health : forRollback(inputs.health);
  const verdict = await watchHealth(check, {
    clock,
    signal: call.signal,
    probe: () =>
      ports.probe({
        url: check.url,
        headers: check.headers,
        timeoutMs: check.requestTimeoutMs,
        signal: call.signal,
      }),
    log: (line) => log.info(`${check.url}: ${line}`),
  });
  const { status } = verdict;
  if (verdict.kind === "healthy") {
    return { result: { kind: "proven", detail: `${check.url}: healthy, status ${status}` }, status };
  }
  return {
    status,
    result: {
      kind: "failed",
      cause: {
        code: aim === "new" ? "HEALTH_CHECK_FAILED" : "ROLLBACK_FAILED",
        message: `${check.url} is not healthy: ${verdict.reason}`,
        fix: "read the service's log, and check `health-check-url` and what stands before the service",
      },
    },
  };
}

import { messageOf } from "../../../lib/errors.ts";
import { forRollback, type HealthCheck, type HealthVerdict, watchHealth } from "../../../lib/health.ts";
import { probe } from "../../../lib/http.ts";
import type { Call, Cause, VerifyResult } from "../../../lib/rollout/target.ts";
import { each } from "./each.ts";
import { isFinal } from "./facts.ts";
import type { Fleet, FleetAttempt } from "./fleet.ts";
import type { HostStep } from "./plan.ts";
import { judgeNew, lookAll } from "./watch.ts";

/** A release that ends during the check is noticed within this time, milliseconds. */
const LIFE_CHECK_MS = 500;
/** The old release gets no less than this to answer again, milliseconds. */
const LEAST_BACK_MS = 10_000;

/** The health check of one batch, then its `after-switch`, then the public URL after the last batch. */
export async function verifyStage(fleet: Fleet, attempt: FleetAttempt, call: Call): Promise<VerifyResult> {
  const { inputs, log } = fleet.ports;
  const batch = attempt.change.batches[attempt.stage] ?? [];
  const verdicts = await each(batch, (step) => checkHost(fleet, attempt, step, call));
  const bad = verdicts.find((verdict) => verdict.kind === "failed");
  if (bad) return bad;
  if (inputs.service.afterSwitch !== "") {
    for (const step of batch) {
      try {
        await fleet
          .session(step.name)
          .hook("after-switch", step.release, inputs.service.afterSwitch, log, call.signal);
      } catch (error) {
        call.signal.throwIfAborted();
        return {
          kind: "failed",
          cause: { code: "HOOK_FAILED", message: messageOf(error), ...detailOf(error) },
        };
      }
    }
  }
  const last = attempt.stage === attempt.change.batches.length - 1;
  if (last && inputs.health.url !== "") return checkUrl(fleet, call);
  return verdicts[0] ?? { kind: "proven", detail: "nothing to check" };
}

function detailOf(error: unknown): Partial<Cause> {
  if (!(error instanceof Error) || !("evidence" in error) || !("fix" in error)) return {};
  return { evidence: error.evidence as readonly string[], fix: error.fix as string };
}

async function checkHost(
  fleet: Fleet,
  attempt: FleetAttempt,
  step: HostStep,
  call: Call,
): Promise<VerifyResult> {
  const { inputs, clock, log } = fleet.ports;
  const started = fleet.tally.launchedAt.get(step.name) ?? clock.now();
  const left = Math.max(1, inputs.health.timeoutMs - (clock.now() - started));
  const over = new AbortController();
  const signal = AbortSignal.any([call.signal, over.signal]);
  const session = fleet.session(step.name);
  let cause: Cause | undefined;
  const guard = setInterval(() => {
    session.look().then(
      (standing) => {
        const bad = judgeNew({ step, standing });
        if (bad?.kind !== "failed") return;
        cause ??= bad.cause;
        over.abort(new Error(bad.cause.message));
      },
      () => {},
    );
  }, LIFE_CHECK_MS);
  try {
    const verdict = await watchHealth(
      { ...inputs.health, timeoutMs: left },
      {
        clock,
        signal,
        probe: (check) => session.probe(check, signal),
        log: (line) => log.info(`${step.name}: ${line}`),
      },
    );
    fleet.tally.healthStatus = verdict.status;
    // The last word is the host's: the answers came from the new release only if it is the one that listens.
    const standing = await session.look();
    const bad = judgeNew({ step, standing });
    if (bad?.kind === "failed") return { kind: "failed", cause: bad.cause };
    if (verdict.kind === "unhealthy")
      return { kind: "failed", cause: unhealthy(step, verdict, inputs.health) };
    if (standing.state !== "listening")
      return {
        kind: "failed",
        cause: unhealthy(
          step,
          { ...verdict, kind: "unhealthy", reason: "the port is not the new release's" },
          inputs.health,
        ),
      };
    return {
      kind: "proven",
      detail: `${step.name}: healthy, status ${verdict.status} (${attempt.change.release})`,
    };
  } catch (error) {
    if (cause) return { kind: "failed", cause };
    throw error;
  } finally {
    clearInterval(guard);
  }
}

function unhealthy(
  step: HostStep,
  verdict: HealthVerdict & { kind: "unhealthy" },
  check: HealthCheck,
): Cause {
  return {
    code: "HEALTH_CHECK_FAILED",
    message: `${step.name}: ${check.path} is not healthy: ${verdict.reason}`,
    fix: "read the last log lines, and check `health-check-path` and `app-port`",
  };
}

async function checkUrl(fleet: Fleet, call: Call): Promise<VerifyResult> {
  const { inputs, clock, log } = fleet.ports;
  const check = inputs.health;
  const verdict = await watchHealth(check, {
    clock,
    signal: call.signal,
    probe: () =>
      probe({
        url: check.url,
        headers: check.headers,
        timeoutMs: check.requestTimeoutMs,
        signal: call.signal,
      }),
    log: (line) => log.info(`${check.url}: ${line}`),
  });
  fleet.tally.healthStatus = verdict.status;
  if (verdict.kind === "healthy")
    return { kind: "proven", detail: `${check.url}: healthy, status ${verdict.status}` };
  const message = `${check.url} is not healthy: ${verdict.reason}`;
  return {
    kind: "failed",
    cause: { code: "HEALTH_CHECK_FAILED", message, fix: "check what stands before the hosts" },
  };
}

/** The old release must answer again; the status alone counts. Then the host script may end. */
export async function verifyBack(fleet: Fleet, attempt: FleetAttempt, call: Call): Promise<VerifyResult> {
  const { inputs, clock, log } = fleet.ports;
  const check = forRollback(inputs.health);
  const seen = (await lookAll(fleet, attempt)).filter(({ standing }) =>
    ["restored", "rolled-back"].includes(standing.state),
  );
  const verdicts = await each(seen, async ({ step }): Promise<VerifyResult> => {
    const session = fleet.session(step.name);
    const left = Math.max(LEAST_BACK_MS, Math.min(check.timeoutMs, call.until - clock.now() - LEAST_BACK_MS));
    const verdict = await watchHealth(
      { ...check, timeoutMs: left },
      {
        clock,
        signal: call.signal,
        probe: (one) => session.probe(one, call.signal),
        log: (line) => log.info(`${step.name}: ${line}`),
      },
    );
    fleet.tally.healthStatus = verdict.status;
    await session.tell(verdict.kind === "healthy" ? "confirm" : "refute");
    for (let tries = 0; tries < 100 && !isFinal((await session.look()).state); tries++)
      await clock.sleep(100, call.signal);
    if (verdict.kind === "unhealthy") {
      const message = `${step.name}: ${step.previous} was restored, but ${check.path} is not healthy: ${verdict.reason}`;
      return { kind: "failed", cause: { code: "ROLLBACK_FAILED", message, fix: `look at ${step.name} now` } };
    }
    return {
      kind: "proven",
      detail: `${step.name}: ${step.previous} is healthy again, status ${verdict.status}`,
    };
  });
  return (
    verdicts.find((verdict) => verdict.kind === "failed") ??
    verdicts[0] ?? { kind: "proven", detail: "nothing ran before" }
  );
}

import { Failure } from "../../../lib/errors.ts";
import { describeJudged, type Judged } from "./judge.ts";
import type { Counts } from "./measurement.ts";

/** What can be said of a run. */
export type Verdict = "pass" | "fail" | "invalid" | "no-data";

/** What is known of the generator itself. */
export interface GeneratorHealth {
  /** Measured requests sent, of those that the plan holds; undefined in the closed model, which has no rate. */
  readonly achievedRatio: number | undefined;
  /** How late requests were sent, milliseconds; undefined in the closed model. */
  readonly lagP99: number | undefined;
  /** Why the run ended before its time; "" when it did not. */
  readonly cut: "" | "in-flight-cap" | "max-requests" | "aborted" | "cancelled";
  readonly lost: readonly string[];
  /** Requests that failed because this machine had no ports or files left. */
  readonly localFailures: number;
}

/** Below this share of the planned requests, the load was not the one that was asked for. */
const LEAST_RATIO = 0.98;
/** A generator that is later than this measures itself. */
const MOST_LAG_MS = 10;

/** A verdict with its reason as one line; `code` is stable, "" for pass; `fix` says what to do. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly code: string;
  readonly fix: string;
}

/**
 * The verdict. What cannot be trusted is never judged by its numbers; a run
 * without answers has none; only then do the thresholds speak.
 */
export function judgeRun(health: GeneratorHealth, total: Counts, judged: readonly Judged[]): Judgement {
  if (health.cut === "cancelled") {
    return {
      verdict: "invalid",
      reason: "interrupted: the run was cancelled",
      code: "CANCELLED",
      fix: "run it again",
    };
  }
  return (
    judgeLoss(health) ??
    judgeCap(health, total) ??
    (total.answered === 0 ? noAnswer(total) : undefined) ??
    judgeGenerator(health) ??
    judgeBroken(judged, health) ?? { verdict: "pass", reason: "all thresholds are kept", code: "", fix: "" }
  );
}

function judgeLoss(health: GeneratorHealth): Judgement | undefined {
  const [first] = health.lost;
  if (first === undefined) return undefined;
  return invalid("WORKER_LOST", first, "give the runner more memory, or use fewer `workers`");
}

/** Stands before the missing answers: those that the stop interrupted might have come. */
function judgeCap(health: GeneratorHealth, total: Counts): Judgement | undefined {
  if (health.cut !== "in-flight-cap") return undefined;
  const answers = total.answered === 0 ? " (not one was answered before)" : "";
  return invalid(
    "IN_FLIGHT_CAP",
    `as many requests as \`max-in-flight\` allows were waiting for answers${answers}: the target cannot keep up with this load`,
    "lower `rate`, or raise `max-in-flight` to see how long the answers take",
  );
}

function noAnswer(total: Counts): Judgement {
  const causes = [...total.failures.values()].sort((a, b) => b.count - a.count);
  const [first] = causes;
  const cause = first ? ` (${first.count} ${first.failure}: ${[...first.details].join(", ")})` : "";
  return {
    verdict: "no-data",
    reason: `not one of ${total.sent} requests was answered${cause}`,
    code: "NO_ANSWERS",
    fix: "check that `url` is right and that the target runs and can be reached from this runner",
  };
}

function judgeGenerator(health: GeneratorHealth): Judgement | undefined {
  const { achievedRatio: ratio, lagP99: lag } = health;
  if (health.cut === "max-requests") {
    return invalid(
      "MAX_REQUESTS",
      "the run was cut: `max-requests` was reached",
      "raise `max-requests` or shorten `duration`",
    );
  }
  if (health.localFailures > 0) {
    return invalid(
      "GENERATOR_LIMIT",
      `${health.localFailures} requests failed because this machine ran out of ports or files`,
      "lower `rate`, or let the target keep connections open",
    );
  }
  if (ratio !== undefined && ratio < LEAST_RATIO && health.cut === "") {
    const percent = (ratio * 100).toFixed(1);
    return invalid(
      "RATE_NOT_REACHED",
      `the generator sent ${percent} % of the planned requests (at least ${LEAST_RATIO * 100} % are needed)`,
      "lower `rate`, raise `workers`, or use a runner with more cores",
    );
  }
  if (lag !== undefined && lag > MOST_LAG_MS) {
    return invalid(
      "GENERATOR_LAG",
      `the generator sent requests up to ${lag.toFixed(1)} ms late (p99; at most ${MOST_LAG_MS} ms are allowed)`,
      "lower `rate`, raise `workers`, or use a runner that does less beside this",
    );
  }
  return undefined;
}

function invalid(code: string, reason: string, fix: string): Judgement {
  return { verdict: "invalid", reason, code, fix };
}

function judgeBroken(judged: readonly Judged[], health: GeneratorHealth): Judgement | undefined {
  const broken = judged.filter((item) => item.outcome === "broken");
  if (broken.length > 0) {
    const stopped = health.cut === "aborted" ? " (stopped early, as `abort-on-fail` asks)" : "";
    return {
      verdict: "fail",
      reason: `${broken.map(describeJudged).join("; ")}${stopped}`,
      code: "THRESHOLD_BROKEN",
      fix: "see the summary for when and where it happened; make the target faster or change `thresholds`",
    };
  }
  // A run of a part of its time proves nothing of the rest, even when its last answers mended the number.
  if (health.cut === "aborted") {
    return invalid(
      "ABORTED",
      "the run was stopped early: a threshold was broken then that the last answers kept after all",
      "run it again, raise `abort-after`, or leave `abort-on-fail` out",
    );
  }
  const empty = judged.filter((item) => item.outcome === "no-data");
  if (empty.length === 0) return undefined;
  return {
    verdict: "no-data",
    reason: `no samples for ${empty.map((item) => `\`${item.threshold.text}\``).join(", ")}`,
    code: "NO_DATA",
    fix: "raise `rate`, `duration` or the request's weight, or remove the threshold",
  };
}

/** A red verdict as the failure that the step ends with. */
export function failureOf(judgement: Judgement): Failure {
  return new Failure(`verdict ${judgement.verdict}: ${judgement.reason}`, {
    code: judgement.code,
    fix: judgement.fix,
    outcome: judgement.verdict === "fail" ? "failed" : judgement.verdict,
  });
}

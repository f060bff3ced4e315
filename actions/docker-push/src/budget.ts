import type { RunContext } from "../../../lib/action.ts";
import { formatDuration } from "../../../lib/clock.ts";
import { Failure, messageOf, TimeoutError } from "../../../lib/errors.ts";

/**
 * Does the work with a signal that is also aborted when the budget
 * (milliseconds) is used up, and then throws TIMED_OUT with what it was at.
 */
export async function withinBudget<T>(
  ms: number,
  context: RunContext,
  work: (bounded: RunContext) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error("the time is up")), ms);
  const bounded = { ...context, signal: AbortSignal.any([context.signal, late.signal]) };
  try {
    return await work(bounded);
  } catch (error) {
    if (!late.signal.aborted || context.signal.aborted) throw error;
    const evidence = error instanceof Failure ? error.evidence : [];
    throw new TimeoutError(`not done within \`timeout\` (${formatDuration(ms)}): ${messageOf(error)}`, {
      fix: "raise `timeout`, or see in the log which phase took so long",
      evidence,
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

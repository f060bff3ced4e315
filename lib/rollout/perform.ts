import type { Clock } from "../clock.ts";
import { messageOf, TimeoutError } from "../errors.ts";
import type { Log } from "../log.ts";
import { backoff } from "../poll.ts";
import { causeOf, classifyError } from "./faults.ts";
import { type CallName, type Effect, type Event, type Fault, isWayBack, type RolloutState } from "./model.ts";
import type { Call, FaultClass, Target } from "./target.ts";

/** After a call was told to stop it has this long to say how it ended, milliseconds; then its answer is lost. */
const GRACE_MS = 1000;
const RETRY_BASE_MS = 500;
const RETRY_CEILING_MS = 10_000;

/** A look that hangs longer than this is given up and made again, milliseconds. */
const LOOK_MS = 30_000;
const LOOK_TRIES = 3;
const LOOKS: ReadonlySet<CallName> = new Set(["observe", "locate"]);

/** A lost answer of these changes what is known of the target, so it must reach the machine. */
const ASKED_ONCE: ReadonlySet<CallName> = new Set(["apply", "rollBack"]);

/** What performing a call needs. */
export interface PerformPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1, for the jitter between tries. */
  readonly random: () => number;
}

/** A call that is out. */
export interface Job {
  /** Never rejects; comes by the end of the call's budget, or 1 s after it was stopped, in every case. */
  readonly answer: Promise<Event>;
  stop(): void;
}

type CallEffect = Effect & { readonly kind: "call" };

/** Makes one call: waits, asks, asks again after faults that pass, gives up when its budget ends. */
export function perform(target: Target, state: RolloutState, effect: CallEffect, ports: PerformPorts): Job {
  const over = new AbortController();
  return {
    answer: answerOf(target, state, effect, ports, over),
    stop: () => over.abort("interrupted" satisfies Fault["class"]),
  };
}

async function answerOf(
  target: Target,
  state: RolloutState,
  effect: CallEffect,
  { clock, log, random }: PerformPorts,
  over: AbortController,
): Promise<Event> {
  const timers = new AbortController();
  let trouble = "";
  const ended = () => unanswered(effect.call, over.signal, trouble);
  const ask = async (): Promise<Event> => {
    for (let tries = 1; ; tries++) {
      try {
        const once = (call: Call) => invoke(target, state, effect.call, call);
        const call: Call = { signal: over.signal, until: effect.until };
        return await (LOOKS.has(effect.call) ? within(LOOK_MS, call, clock, once) : once(call));
      } catch (error) {
        trouble = messageOf(error);
        if (over.signal.aborted) return ended();
        const found = target.classify?.(error) ?? classifyError(error);
        log.debug(`${effect.call}: ${found} fault: ${trouble}`);
        if (!isWorthAsking(effect.call, found, tries)) {
          return { kind: "fault", class: found, cause: causeOf(error, found) };
        }
        log.info(`${effect.call}: asking again after: ${trouble}`);
        const pause = backoff(tries, RETRY_BASE_MS, RETRY_CEILING_MS, random);
        if (!(await slept(clock, pause, over.signal))) return ended();
      }
    }
  };
  if (!(await slept(clock, effect.after, over.signal))) return ended();
  void slept(clock, effect.until - clock.now(), timers.signal).then((due) => due && over.abort("timeout"));
  const tooLate = new Promise<Event>((resolve) => {
    const onOver = () => void slept(clock, GRACE_MS, timers.signal).then((due) => due && resolve(ended()));
    over.signal.addEventListener("abort", onOver, { once: true });
  });
  return Promise.race([ask().catch(defect), tooLate]).finally(() => timers.abort());
}

/** A change under way is not given up for one odd answer to a look, even if it looks final. */
function isWorthAsking(name: CallName, found: FaultClass, tries: number): boolean {
  if (ASKED_ONCE.has(name)) return false;
  return found === "transient" || (found === "permanent" && LOOKS.has(name) && tries < LOOK_TRIES);
}

async function invoke(target: Target, state: RolloutState, name: CallName, call: Call): Promise<Event> {
  const { attempt } = state;
  const aim = isWayBack(state) ? "old" : "new";
  switch (name) {
    case "inspect":
      return { kind: name, before: await target.inspect(call) };
    case "plan":
      return { kind: name, result: target.plan(attempt.before) };
    case "gate": {
      const mode = state.options.onConcurrent === "supersede" ? "supersede" : "respect";
      return { kind: name, result: await target.gate(attempt, mode, call) };
    }
    case "apply":
      return { kind: name, result: await target.apply(attempt, call) };
    case "locate":
      return { kind: name, result: await target.locate(attempt, call) };
    case "observe":
      return { kind: name, result: await target.observe(attempt, aim, call) };
    case "verify":
      return { kind: name, result: await target.verify(attempt, aim, call) };
    case "commit":
      return { kind: name, result: await target.commit(attempt, call) };
    case "diagnose": {
      const cause = state.cause ?? { code: "UNKNOWN", message: "unknown" };
      return { kind: name, causes: await target.diagnose(attempt, cause, call) };
    }
    case "rollBack":
      return { kind: name, result: await target.rollBack(attempt, call) };
    case "release":
      await target.release(attempt, call);
      return { kind: name };
  }
}

/** Runs `body` with a limit of its own; rejects with a TimeoutError when it is used up. */
async function within<T>(ms: number, call: Call, clock: Clock, body: (call: Call) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const timer = new AbortController();
  const limit = slept(clock, ms, timer.signal).then((due) => {
    if (!due) return new Promise<T>(() => {});
    late.abort();
    throw new TimeoutError(`no answer within ${ms / 1000} s`, {});
  });
  try {
    const signal = AbortSignal.any([call.signal, late.signal]);
    return await Promise.race([body({ signal, until: Math.min(call.until, clock.now() + ms) }), limit]);
  } finally {
    timer.abort();
  }
}

/** Even a defect of a target's own code must end in a verdict on the target. */
function defect(error: unknown): Fault {
  return { kind: "fault", class: "permanent", cause: causeOf(error, "permanent") };
}

function unanswered(name: CallName, over: AbortSignal, trouble: string): Fault {
  const interrupted = over.reason === "interrupted";
  const message = `${name} ${interrupted ? "was interrupted" : "brought no answer in time"}`;
  return {
    kind: "fault",
    class: interrupted ? "interrupted" : "timeout",
    cause: {
      code: interrupted ? "CANCELLED" : "TIMED_OUT",
      message: trouble === "" ? message : `${message}: ${trouble}`,
    },
  };
}

/** Whether the whole time was slept; false when the signal cut it short. */
async function slept(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  if (ms <= 0) return true;
  return clock.sleep(ms, signal).then(
    () => true,
    () => false,
  );
}

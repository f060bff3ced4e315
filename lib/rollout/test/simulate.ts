import { Failure } from "../../errors.ts";
import { RecordingLog } from "../../log.ts";
import { ReportDraft } from "../../report.ts";
import { memoryState } from "../../state.ts";
import { type RolloutPorts, rollOut } from "../driver.ts";
import type { CallName, Options } from "../model.ts";
import { resume, unfinished } from "../resume.ts";
import type { Target } from "../target.ts";
import { SimulatedTarget } from "./simulated-target.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { type Scenario, World } from "./world.ts";

/** How one call can go wrong. */
export const FAULTS = [
  "throttle",
  "server-error",
  "reset",
  "lost",
  "late",
  "denied",
  "defect",
  "hang",
  "deaf",
  "stale",
  "slow",
] as const;
export type FaultKind = (typeof FAULTS)[number];

/** A slow call arrives so much later, whatever its caller wants by then. */
const SLOW_MS = 2000;
/** A late request lands after this long; a stale read is that old. Both within what `settleMs` allows for. */
const LATE_MS = 3000;
/** The wrapper gives a cancelled run this long. */
const CANCEL_GRACE_MS = 6500;

export interface Trouble {
  readonly options?: Partial<Options>;
  /** By the number of the call, counted over all processes of the run, from 0. */
  readonly faults?: Readonly<Record<number, FaultKind>>;
  /** From this call on, everything fails like this. */
  readonly faultsFrom?: { readonly call: number; readonly kind: FaultKind };
  /** The process dies at this call: before it is sent, or after it landed and before its answer. */
  readonly cut?: { readonly call: number; readonly landed: boolean };
  /** The post step runs once more, with the same saved state. */
  readonly postTwice?: boolean;
  /** The cancel comes so long after this call was sent, milliseconds. */
  readonly cancel?: { readonly call: number; readonly after: number; readonly kill?: boolean };
}

/** One call as the target saw it. */
export interface SeenCall {
  readonly name: CallName;
  readonly at: number;
  readonly stage: number;
  /** The kind of the answer and when the engine got it; "" and Infinity when it got none. */
  answer: string;
  answeredAt: number;
}

/** How a simulated run went, for the judge. */
export interface Run {
  readonly world: World;
  readonly calls: readonly SeenCall[];
  /** The outcome of the main step, or `killed`. */
  readonly outcome: string;
  readonly code: string;
  readonly message: string;
  readonly changed: string;
  readonly rolledBack: string;
  readonly endedAt: number;
  readonly cancelledAt: number | undefined;
  /** What the post step did: `nothing`, `finished`, or the code of its failure. */
  readonly post: string;
  readonly postLog: readonly string[];
  readonly phases: readonly { readonly name: string; readonly ok: boolean }[];
  readonly log: readonly string[];
  readonly evidence: readonly string[];
  readonly summary: string;
}

export const OPTIONS: Options = {
  timeoutMs: 60_000,
  rollback: true,
  rollbackTimeoutMs: 60_000,
  onCancel: "rollback",
  onConcurrent: "wait",
  pollMs: 2000,
  settleMs: 5000,
  dryRun: false,
};

/** Runs main and post step in a simulated world, then lets a minute pass, so that nothing stays in flight. */
export async function simulate(scenario: Scenario, trouble: Trouble = {}): Promise<Run> {
  const clock = new VirtualClock();
  const world = new World(clock, scenario);
  const state = memoryState();
  const calls: SeenCall[] = [];
  const main = startProcess(world, state, trouble, calls);
  const work = rollOut(main.target, { ...OPTIONS, ...trouble.options }, main.ports).then(
    (green) => ({ outcome: green as string, ...NO_FAILURE }),
    (error: unknown) => verdictOf(error),
  );
  const killed = main.died.then(() => ({ outcome: "killed", ...NO_FAILURE }));
  const verdict = await clock.run(Promise.race([work, killed]));
  const endedAt = clock.time;
  main.kill();
  const post = startProcess(
    world,
    memoryState(cloned(state.values)),
    { faults: trouble.faults ?? {} },
    calls,
  );
  const postEnd = await clock.run(runPost(post));
  if (trouble.postTwice) {
    const once = startProcess(world, memoryState(cloned(state.values)), {}, calls);
    await clock.run(runPost(once));
  }
  await clock.pass(60_000);
  return {
    world,
    calls,
    ...verdict,
    changed: main.ports.draft.outputs.get("changed") ?? "",
    rolledBack: main.ports.draft.outputs.get("rolled-back") ?? "",
    endedAt,
    cancelledAt: main.cancelledAt(),
    post: postEnd,
    postLog: post.log.lines,
    phases: main.phases,
    log: main.log.lines,
    summary: main.ports.draft.summary,
  };
}

async function runPost(process: ReturnType<typeof startProcess>): Promise<string> {
  const saved = unfinished(process.ports.state);
  if (!saved) return "nothing";
  try {
    await resume(saved, process.target, process.ports);
  } catch (error) {
    return verdictOf(error).outcome;
  }
  return "finished";
}

const NO_FAILURE = { code: "", message: "", evidence: [] as readonly string[] };

function verdictOf(error: unknown): { outcome: string } & typeof NO_FAILURE {
  if (!(error instanceof Failure)) throw error;
  const { outcome, code, message, evidence } = error;
  return { outcome, code, message, evidence };
}

function cloned(values: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(values)) as Record<string, unknown>;
}

function startProcess(
  world: World,
  state: ReturnType<typeof memoryState>,
  trouble: Trouble,
  calls: SeenCall[],
) {
  const { clock, kill } = world.clock.process();
  const abort = new AbortController();
  const log = new RecordingLog();
  const phases: { name: string; ok: boolean }[] = [];
  let cancelledAt: number | undefined;
  let dead = false;
  let die: () => void = () => {};
  const died = new Promise<void>((resolve) => {
    die = () => {
      dead = true;
      kill();
      resolve();
    };
  });
  const cancel = () => {
    if (dead) return;
    cancelledAt = world.clock.time;
    abort.abort(new Error("cancelled"));
    if (trouble.cancel?.kill) world.clock.at(CANCEL_GRACE_MS, die);
  };
  const ports: RolloutPorts = {
    clock,
    signal: abort.signal,
    log,
    // A real state file holds text: what does not survive that is not state.
    state: { ...state, save: (name, value) => state.save(name, JSON.parse(JSON.stringify(value))) },
    draft: new ReportDraft(),
    random: () => 0.5,
    phase: async (name, body) => {
      const phase = { name, ok: false };
      phases.push(phase);
      const result = await body();
      phase.ok = true;
      return result;
    },
  };
  const target = new SimulatedTarget(world, clock);
  const onCall = (number: number) => {
    if (trouble.cancel?.call === number) world.clock.at(trouble.cancel.after, cancel);
  };
  return {
    target: troubled(target, world, clock, trouble, calls, { onCall, die }),
    ports,
    log,
    phases,
    died,
    kill: die,
    cancelledAt: () => cancelledAt,
  };
}

const METHODS: ReadonlySet<string> = new Set<CallName>([
  "inspect",
  "gate",
  "apply",
  "locate",
  "observe",
  "verify",
  "commit",
  "diagnose",
  "rollBack",
  "release",
]);

/** The target behind a bad line: each call takes 20 ms each way, and what `trouble` says happens to it. */
function troubled(
  target: SimulatedTarget,
  world: World,
  clock: RolloutPorts["clock"],
  trouble: Trouble,
  calls: SeenCall[],
  hooks: { onCall(number: number): void; die(): void },
): Target {
  const line = (name: CallName, method: (...args: unknown[]) => Promise<unknown>) => {
    return async (...args: unknown[]) => {
      const number = calls.length;
      const [attempt] = args as [{ stage?: number } | undefined];
      const seen: SeenCall = {
        name,
        at: world.clock.time,
        stage: attempt?.stage ?? 0,
        answer: "",
        answeredAt: Infinity,
      };
      calls.push(seen);
      hooks.onCall(number);
      const from = trouble.faultsFrom;
      const fault = trouble.faults?.[number] ?? (from && number >= from.call ? from.kind : undefined);
      await clock.sleep(fault === "slow" ? SLOW_MS : 20);
      if (trouble.cut?.call === number) {
        if (trouble.cut.landed) method.apply(target, args).catch(() => {});
        hooks.die();
        return new Promise(() => {});
      }
      if (fault) await fail(fault, args, method);
      target.age = () => (fault === "stale" ? LATE_MS : 0);
      const result = await method.apply(target, args);
      if (fault === "lost") throw systemError();
      await clock.sleep(20);
      seen.answer = (result as { kind?: string } | undefined)?.kind ?? "";
      seen.answeredAt = world.clock.time;
      return result;
    };
  };
  const fail = async (
    fault: FaultKind,
    args: unknown[],
    method: (...args: unknown[]) => Promise<unknown>,
  ): Promise<void> => {
    const { signal } = args.at(-1) as { signal: AbortSignal };
    if (fault === "throttle")
      throw Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException" });
    if (fault === "server-error") throw Object.assign(new Error("oops"), { statusCode: 503 });
    if (fault === "reset") throw systemError();
    if (fault === "denied") throw Object.assign(new Error("not allowed"), { status: 403 });
    if (fault === "defect") throw new TypeError("x is not a function");
    if (fault === "deaf") await new Promise(() => {});
    if (fault === "hang") {
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    }
    if (fault === "late") {
      world.clock.at(LATE_MS, () => void method.apply(target, args).catch(() => {}));
      throw systemError();
    }
  };
  return new Proxy(target, {
    get: (object, key) => {
      const value: unknown = Reflect.get(object, key);
      if (typeof value !== "function") return value;
      const method = value as (...args: unknown[]) => Promise<unknown>;
      return METHODS.has(String(key)) ? line(key as CallName, method) : method.bind(object);
    },
  });
}

function systemError(): Error {
  return Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
}

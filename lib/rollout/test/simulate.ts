import { Failure } from "../../errors.ts";
import { RecordingLog } from "../../log.ts";
import { ReportDraft } from "../../report.ts";
import { memoryState } from "../../state.ts";
import { type RolloutPorts, rollOut } from "../driver.ts";
import type { Options } from "../model.ts";
import { resume, unfinished } from "../resume.ts";
import { behindBadLine, type FaultKind, type Landed, type LineTrouble, type SeenCall } from "./bad-line.ts";
import { SimulatedTarget } from "./simulated-target.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { type Scenario, World } from "./world.ts";

/** The wrapper gives a cancelled run this long. */
const CANCEL_GRACE_MS = 6500;

export interface Trouble {
  readonly options?: Partial<Options>;
  /** By the number of the call, counted over all processes of the run, from 0. */
  readonly faults?: Readonly<Record<number, FaultKind>>;
  /** From this call on, everything fails like this. */
  readonly faultsFrom?: { readonly call: number; readonly kind: FaultKind };
  /** The process dies at this call: before it is sent, after it landed, or while it is on its way. */
  readonly cut?: { readonly call: number; readonly landed: Landed };
  /** The post step runs once more, with the same saved state. */
  readonly postTwice?: boolean;
  /** The cancel comes so long after this call was sent, milliseconds. */
  readonly cancel?: { readonly call: number; readonly after: number; readonly kill?: boolean };
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

/** One process of the run: the main step, or a post step with what was saved. */
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
  const life = mortal(kill);
  let cancelledAt: number | undefined;
  const cancel = () => {
    if (life.isOver()) return;
    cancelledAt = world.clock.time;
    abort.abort(new Error("cancelled"));
    if (trouble.cancel?.kill) world.clock.at(CANCEL_GRACE_MS, life.end);
  };
  const ports: RolloutPorts = {
    clock,
    signal: abort.signal,
    log,
    // A real state file holds text: what does not survive that is not state.
    state: { ...state, save: (name, value) => state.save(name, JSON.parse(JSON.stringify(value))) },
    draft: new ReportDraft(),
    random: () => 0.5,
    phase: (name, body) => recordPhase(phases, name, body),
  };
  const { faults, faultsFrom: from, cut } = trouble;
  const line: LineTrouble = {
    faultOf: (number) => faults?.[number] ?? (from && number >= from.call ? from.kind : undefined),
    deathAt: (number) => (cut?.call === number ? cut : undefined),
    onCall: (number) => {
      if (trouble.cancel?.call === number) world.clock.at(trouble.cancel.after, cancel);
    },
    die: life.end,
  };
  const target = behindBadLine(new SimulatedTarget(world, clock), world, clock, line, calls);
  return { target, ports, log, phases, died: life.over, kill: life.end, cancelledAt: () => cancelledAt };
}

function mortal(kill: () => void) {
  let isOver = false;
  let end: () => void = () => {};
  const over = new Promise<void>((resolve) => {
    end = () => {
      isOver = true;
      kill();
      resolve();
    };
  });
  return { over, end, isOver: () => isOver };
}

async function recordPhase<T>(
  phases: { name: string; ok: boolean }[],
  name: string,
  body: () => Promise<T>,
): Promise<T> {
  const phase = { name, ok: false };
  phases.push(phase);
  const result = await body();
  phase.ok = true;
  return result;
}

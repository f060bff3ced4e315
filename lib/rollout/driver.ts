import type { Green, RunContext } from "../action.ts";
import { messageOf } from "../errors.ts";
import { codeBlock, escapeMarkdown } from "../summary.ts";
import { type Effect, type Event, type Options, PHASES, type RolloutState, type Step } from "./model.ts";
import { perform } from "./perform.ts";
import { begin, step } from "./step.ts";
import type { Target } from "./target.ts";
import { conclude } from "./verdict.ts";

/** What a rollout needs from its surroundings; a `RunContext` has it all. */
export type RolloutPorts = Pick<RunContext, "clock" | "signal" | "log" | "state" | "draft" | "phase"> & {
  /** Keeps secrets out of the saved state: what a failed version said last is part of its cause. */
  readonly mask?: Pick<RunContext["mask"], "redactJson">;
  /** From 0 to 1, for the jitter between tries; Math.random by default. */
  readonly random?: () => number;
};

/** The name under which the rollout's state is saved for the post step. */
export const SAVED_AS = "rollout";

/** A plan longer than this is cut in the summary, which is to fit a screen. */
const SUMMARY_PLAN_LINES = 40;

/**
 * Takes a target from what runs to what is wanted, and back when that cannot be
 * proven. Returns the green outcome; throws a `Failure` that says why and what
 * became of the target. Fills the outputs `changed` and `rolled-back`.
 */
export async function rollOut(target: Target, options: Options, ports: RolloutPorts): Promise<Green> {
  const end = await drive(target, begin(options, ports.clock.now()), ports);
  return conclude(end, target.name, ports.signal.aborted);
}

/** Carries out the effects of the machine, from any step of it, until it is done. */
export async function drive(target: Target, first: Step, ports: RolloutPorts): Promise<RolloutState> {
  const driver = new Driver(target, ports, first);
  while (driver.state.phase !== "done") await driver.runPhase();
  return driver.state;
}

/** Thrown through `ports.phase` so that a phase that went wrong is reported as failed; never leaves this file. */
class PhaseWentWrong extends Error {}

class Driver {
  state: RolloutState;
  private readonly target: Target;
  private readonly ports: RolloutPorts;
  private next: (Effect & { kind: "call" }) | undefined;
  private cancel: Promise<Event>;
  private shownPlan = "";

  constructor(target: Target, ports: RolloutPorts, first: Step) {
    this.target = target;
    this.ports = ports;
    this.cancel = cancelOf(ports.signal);
    this.state = first.state;
    this.accept(first);
    this.save();
  }

  /** Runs all turns of phases with the same title as one log group and one entry of the report. */
  async runPhase(): Promise<void> {
    const title = titleOf(this.state);
    try {
      await this.ports.phase(title, async () => {
        const before = this.state;
        while (this.state.phase !== "done" && titleOf(this.state) === title) await this.turn();
        if (wentWrong(before, this.state)) throw new PhaseWentWrong();
      });
    } catch (error) {
      if (!(error instanceof PhaseWentWrong)) throw error;
    }
  }

  /** Takes over a step; what it calls for comes in the next turn, after the state was saved. */
  private accept({ state, effects }: Step): { readonly interrupt: boolean } {
    const before = this.state;
    this.state = state;
    this.next = effects.find((effect) => effect.kind === "call");
    for (const effect of effects) if (effect.kind === "say") this.ports.log.info(effect.text);
    if (before.phase !== state.phase || before.cancelled !== state.cancelled) this.save();
    return { interrupt: effects.some((effect) => effect.kind === "interrupt") };
  }

  /** One call and its answer. A cancel that comes in between is told to the machine at once. */
  private async turn(): Promise<void> {
    if (!this.next) throw new Error(`rollout: nothing to do in the phase \`${this.state.phase}\``);
    const { target, ports } = this;
    const { clock, log, random = Math.random } = ports;
    const job = perform(target, this.state, this.next, { clock, log, random });
    const first = await Promise.race([this.cancel, job.answer]);
    if (first.kind !== "cancel") return this.answer(first);
    this.cancel = new Promise(() => {});
    const { interrupt } = this.accept(step(this.state, first, clock.now()));
    // Another call, or the end, takes the place of a call that only reads.
    if (interrupt || this.next || this.state.phase === "done") job.stop();
    if (!this.next && this.state.phase !== "done") this.answer(await job.answer);
  }

  private answer(event: Event): void {
    if (event.kind === "plan" && event.result.kind === "change") this.showPlan(event.result.lines);
    this.accept(step(this.state, event, this.ports.clock.now()));
  }

  /** Once, though the plan is made again behind the gate; then only if it came out otherwise. */
  private showPlan(lines: readonly string[]): void {
    if (lines.join("\n") === this.shownPlan) return;
    this.shownPlan = lines.join("\n");
    for (const line of lines) this.ports.log.info(line);
    const cut = lines.slice(0, SUMMARY_PLAN_LINES);
    if (cut.length < lines.length) cut.push(`... and ${lines.length - cut.length} more`);
    const { draft } = this.ports;
    if (draft.summary === "") {
      draft.summary = `Plan for ${escapeMarkdown(this.target.name)}:\n\n${codeBlock(cut.join("\n"), "diff")}`;
    }
  }

  /** What a killed step leaves behind: its state for the post step, and outputs as true as they can be by now. */
  private save(): void {
    const { state, ports } = this;
    ports.draft.output("changed", state.touched !== "no");
    ports.draft.output("rolled-back", state.end?.kind === "rolled-back");
    try {
      ports.state.save(SAVED_AS, ports.mask ? redacted(state, ports.mask) : state);
    } catch (error) {
      ports.log.warn(`the state for the post step could not be saved: ${messageOf(error)}`);
    }
  }
}

/** Only what was said by others; what the post step acts on stays as it is. */
function redacted(state: RolloutState, mask: Pick<RunContext["mask"], "redactJson">): RolloutState {
  const { cause, end, said } = state;
  return {
    ...state,
    cause: cause && { ...mask.redactJson(cause), code: cause.code },
    end: end?.kind === "rollback-failed" ? { ...end, cause: mask.redactJson(end.cause) } : end,
    said: mask.redactJson(said),
  };
}

function titleOf(state: RolloutState): string {
  return state.phase === "done" ? "" : PHASES[state.phase].title;
}

/** Whether it is in this phase that the run went red, or that the way back failed. */
function wentWrong(before: RolloutState, after: RolloutState): boolean {
  const wayBackFailed = after.end?.kind === "rollback-failed" && before.end === null;
  return wayBackFailed || (after.cause !== null && before.cause === null);
}

function cancelOf(signal: AbortSignal): Promise<Event> {
  return new Promise((resolve) => {
    const tell = () => resolve({ kind: "cancel" });
    if (signal.aborted) tell();
    else signal.addEventListener("abort", tell, { once: true });
  });
}

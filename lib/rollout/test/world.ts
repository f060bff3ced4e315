import type { VirtualClock } from "./virtual-clock.ts";

/** How the new version behaves once it runs. */
export type Health = "good" | "crashes" | "unhealthy" | "never-ready" | "reverted" | "reverted-late";

/** One deployable part of the world at one moment. */
export interface Part {
  readonly version: "old" | "new" | "theirs";
  readonly writer: "before" | "us" | "us-back" | "target" | "them";
  /** Counts the writes to the whole world: a later write has a higher number. */
  readonly generation: number;
  readonly since: number;
}

/** What happens besides our rollout. */
export interface Scenario {
  readonly health: Health;
  /** Parts are changed one stage after the other. */
  readonly parts: number;
  /** Someone else deploys this long after the start, milliseconds. */
  readonly theirsAt?: number;
  /** Someone else holds the lock for this long from the start, milliseconds. */
  readonly lockedFor?: number;
  /** The target refuses the change of this stage. */
  readonly refusedStage?: number;
  /** Nothing ran before. */
  readonly first?: boolean;
  /** The old version does not come up again. */
  readonly oldIsBroken?: boolean;
  /** The target cannot tell a way back that was made from one that was not needed. */
  readonly forgetful?: boolean;
  /** The health check does not look at the version. */
  readonly blindCheck?: boolean;
}

/** Starting takes so long, milliseconds. */
export const START_MS = 3000;

/** What really is and was, with compare-and-swap writes; the truth that verdicts are held against. */
export class World {
  readonly clock: VirtualClock;
  readonly scenario: Scenario;
  parts: readonly Part[];
  lock: "free" | "us" | "them" = "free";
  /** Every state of the parts, oldest first: for stale reads and for the judge. */
  readonly history: { readonly at: number; readonly parts: readonly Part[] }[] = [];
  /** Complete health checks that passed, with what they were answered by. */
  readonly proofs: { readonly at: number; readonly parts: readonly Part[] }[] = [];
  private generation = 0;

  constructor(clock: VirtualClock, scenario: Scenario) {
    this.clock = clock;
    this.scenario = scenario;
    const since = clock.time - 60_000;
    const part: Part = { version: "old", writer: "before", generation: 0, since };
    this.parts = Array.from({ length: scenario.parts }, () => part);
    this.history.push({ at: since, parts: this.parts });
    if (scenario.theirsAt !== undefined) clock.at(scenario.theirsAt, () => this.theyDeploy());
    if (scenario.lockedFor !== undefined) {
      this.lock = "them";
      clock.at(scenario.lockedFor, () => {
        if (this.lock === "them") this.lock = "free";
      });
    }
  }

  /** The parts as they were `age` milliseconds ago. */
  seen(age = 0): readonly Part[] {
    const moment = this.clock.time - age;
    return this.history.findLast((entry) => entry.at <= moment)?.parts ?? this.parts;
  }

  /** Writes one part if it still has the expected generation. */
  write(index: number, expected: number, version: Part["version"], writer: Part["writer"]): Part | undefined {
    if (this.parts[index]?.generation !== expected) return undefined;
    const part: Part = { version, writer, generation: ++this.generation, since: this.clock.time };
    this.parts = this.parts.map((old, i) => (i === index ? part : old));
    this.history.push({ at: this.clock.time, parts: this.parts });
    if (version === "new") this.scheduleRevert(index, part);
    return part;
  }

  /** Whether a part answers a probe well at this moment. */
  answers(part: Part): boolean {
    if (part.writer !== "before" && this.clock.time - part.since < START_MS) return false;
    if (part.version === "new")
      return !["crashes", "unhealthy", "never-ready"].includes(this.scenario.health);
    return part.version === "theirs" || !this.scenario.oldIsBroken;
  }

  private scheduleRevert(index: number, part: Part): void {
    const { health } = this.scenario;
    const after = health === "reverted" ? 2000 : health === "reverted-late" ? START_MS + 2500 : undefined;
    if (after === undefined) return;
    this.clock.at(after, () => this.write(index, part.generation, "old", "target"));
  }

  private theyDeploy(): void {
    for (const [index, part] of this.parts.entries()) this.write(index, part.generation, "theirs", "them");
  }
}

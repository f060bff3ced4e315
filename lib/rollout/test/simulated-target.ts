import type { Clock } from "../../clock.ts";
import type {
  Aim,
  ApplyResult,
  Attempt,
  Call,
  Cause,
  CommitResult,
  GateMode,
  GateResult,
  Observation,
  PlanResult,
  RollBackResult,
  Target,
  VerifyResult,
} from "../target.ts";
import { type Part, START_MS, type World } from "./world.ts";

/** Generations of the parts, as far as they are known. */
type Before = { readonly generations: readonly number[]; readonly versions: readonly string[] };
type Change = { readonly version: "new" };
type Handle = { readonly generations: readonly number[] };
type Try = Attempt<Before, Change, Handle>;

const PROBES = 3;
const PROBE_EVERY_MS = 1000;
const CHECK_MS = 8000;

/** An honest target over the simulated world; `age` makes its reads stale by so many milliseconds. */
export class SimulatedTarget implements Target<Before, Change, Handle> {
  readonly name = "the world";
  age: () => number = () => 0;
  private readonly world: World;
  private readonly clock: Clock;

  constructor(world: World, clock: Clock) {
    this.world = world;
    this.clock = clock;
  }

  async inspect(): Promise<Before> {
    const parts = this.world.seen();
    return {
      generations: parts.map((part) => part.generation),
      versions: parts.map((part) => part.version),
    };
  }

  plan(before: Before): PlanResult<Change> {
    if (before.versions.every((version) => version === "new"))
      return { kind: "unchanged", detail: "the same" };
    const lines = before.versions.map((version) => `${version} -> new`);
    return { kind: "change", change: { version: "new" }, lines, stages: before.versions.length };
  }

  async gate(_attempt: Try, mode: GateMode): Promise<GateResult> {
    if (this.world.lock === "them" && mode === "respect")
      return { kind: "busy", by: "run 7", code: "LOCKED" };
    this.world.lock = "us";
    return { kind: "clear" };
  }

  async apply(attempt: Try): Promise<ApplyResult<Handle>> {
    const { stage, before, handle } = attempt;
    if (this.world.scenario.refusedStage === stage) {
      return { kind: "not-applied", cause: cause("UPLOAD_FAILED", "the disk is full") };
    }
    const part = this.world.write(stage, before.generations[stage] ?? -1, "new", "us");
    if (!part) return { kind: "moved", by: "run 8" };
    return { kind: "applied", handle: { generations: [...(handle?.generations ?? []), part.generation] } };
  }

  async locate(attempt: Try): Promise<ApplyResult<Handle>> {
    const { stage, before, handle } = attempt;
    const part = this.read()[stage];
    if (part?.writer === "us" || part?.writer === "target") {
      return { kind: "applied", handle: { generations: [...(handle?.generations ?? []), part.generation] } };
    }
    if (part?.generation === before.generations[stage]) {
      return { kind: "not-applied", cause: cause("LOST", "the request was lost") };
    }
    return { kind: "moved", by: "run 8" };
  }

  async observe(attempt: Try, aim: Aim): Promise<Observation> {
    const parts = this.read();
    return aim === "new" ? this.observeNew(attempt, parts) : this.observeOld(attempt, parts);
  }

  async verify(_attempt: Try, aim: Aim, call: Call): Promise<VerifyResult> {
    const end = this.clock.now() + CHECK_MS;
    for (let passes = 0; ; ) {
      const parts = this.world.seen();
      const right = aim === "old" || this.world.scenario.blindCheck || this.newestIsServed(parts);
      passes = right && parts.every((part) => this.world.answers(part)) ? passes + 1 : 0;
      if (passes === PROBES) {
        this.world.proofs.push({ at: this.clock.now(), parts });
        return { kind: "proven", detail: `${PROBES} passes` };
      }
      if (this.clock.now() >= end) {
        return { kind: "failed", cause: cause("HEALTH_CHECK_FAILED", "status 500") };
      }
      await this.clock.sleep(PROBE_EVERY_MS, call.signal);
    }
  }

  async commit(): Promise<CommitResult> {
    return { kind: "committed" };
  }

  async diagnose(_attempt: Try, found: Cause): Promise<readonly Cause[]> {
    return found.code === "START_FAILED" ? [{ ...found, message: "exit code 3", evidence: ["boom"] }] : [];
  }

  async rollBack(attempt: Try): Promise<RollBackResult<Handle>> {
    const parts = this.world.seen();
    const asBefore = parts.map((part, i) => part.generation === attempt.before.generations[i]);
    if (parts.some((part, i) => part.writer === "them" && !asBefore[i]))
      return { kind: "moved", by: "run 8" };
    const ours = [...parts.entries()].filter(([, part]) => part.writer === "us");
    for (const [index, part] of ours) this.world.write(index, part.generation, "old", "us-back");
    const stopped = ours.length > 0 || parts.some((part) => part.writer === "us-back");
    if (this.world.scenario.first && stopped)
      return { kind: "nothing-to-go-back-to", detail: "the new one was stopped" };
    if (ours.length > 0) return { kind: "restored" };
    const isBack = this.world.scenario.forgetful && ours.length === 0;
    return isBack || asBefore.every(Boolean) ? { kind: "untouched" } : { kind: "restored" };
  }

  async release(): Promise<void> {
    if (this.world.lock === "us") this.world.lock = "free";
  }

  private read(): readonly Part[] {
    return this.world.seen(this.age());
  }

  private newestIsServed(parts: readonly Part[]): boolean {
    const started = this.world.parts.filter((part) => part.writer === "us").length;
    return started > 0 && parts.filter((part) => part.version === "new").length === started;
  }

  private observeNew(attempt: Try, parts: readonly Part[]): Observation {
    for (const [index, expected] of (attempt.handle?.generations ?? []).entries()) {
      const part = parts[index];
      if (!part || part.generation < expected) return { kind: "progressing", detail: "not there yet" };
      if (part.writer === "them") return { kind: "superseded", by: "run 8" };
      if (part.writer === "target") {
        return { kind: "reverted-by-target", cause: cause("REVERTED", "the circuit breaker opened") };
      }
      const age = this.world.clock.time - part.since;
      if (this.world.scenario.health === "crashes" && age > 1000) {
        return { kind: "failed", cause: cause("START_FAILED", "it ended") };
      }
      if (this.world.scenario.health === "never-ready" || age < START_MS) {
        return { kind: "progressing", detail: `part ${index + 1} starts` };
      }
    }
    return { kind: "ready", detail: "all started" };
  }

  private observeOld(attempt: Try, parts: readonly Part[]): Observation {
    for (const [index, part] of parts.entries()) {
      if (part.generation === attempt.before.generations[index]) continue;
      if (part.writer === "them") return { kind: "superseded", by: "run 8" };
      if (part.writer === "us" || this.world.clock.time - part.since < START_MS) {
        return { kind: "progressing", detail: "the old one starts" };
      }
    }
    return { kind: "ready", detail: "the old one runs" };
  }
}

function cause(code: string, message: string): Cause {
  return { code, message };
}

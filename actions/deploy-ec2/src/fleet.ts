import type { Clock } from "../../../lib/clock.ts";
import { messageOf, RemoteError } from "../../../lib/errors.ts";
import type { Log } from "../../../lib/log.ts";
import type {
  Aim,
  ApplyResult,
  Attempt,
  Call,
  Cause,
  CommitResult,
  FaultClass,
  GateMode,
  GateResult,
  Observation,
  PlanResult,
  RollBackResult,
  Target,
  VerifyResult,
} from "../../../lib/rollout/target.ts";
import { LostConnection } from "./connect.ts";
import { diagnoseHosts } from "./diagnose.ts";
import { each } from "./each.ts";
import type { Inputs } from "./inputs.ts";
import { inspectHost } from "./inspect.ts";
import { type LaunchSettings, launchOn, prepareHost } from "./launch.ts";
import { passLock, releaseLock } from "./lock.ts";
import { type Before, type Change, type HostStep, planFleet, type Wanted } from "./plan.ts";
import type { HostSession } from "./session.ts";
import { commitAll, goBackAll } from "./settle.ts";
import type { Sent } from "./upload.ts";
import { verifyBack, verifyStage } from "./verify.ts";
import type { NewRelease } from "./wanted.ts";
import { watch, watchBack } from "./watch.ts";

/** What was launched by this run so far. */
export interface Handle {
  readonly launched: readonly string[];
}

export type FleetAttempt = Attempt<Before, Change, Handle>;

/** What the fleet is made from. */
export interface FleetPorts {
  readonly inputs: Inputs;
  readonly wanted: Wanted;
  /** Undefined when nothing new is deployed (`rollback`), and in the post step. */
  readonly release: NewRelease | undefined;
  readonly sessions: readonly HostSession[];
  readonly clock: Clock;
  readonly log: Log;
  /** Who holds the lock, for whoever waits for it. */
  readonly holder: string;
  /** `<run number> <workflow>`. */
  readonly run: string;
}

/** What the run learned on the way, for its outputs. */
export interface Tally {
  readonly sent: Map<string, Sent>;
  /** When a host's new release was started, milliseconds since the epoch. */
  readonly launchedAt: Map<string, number>;
  healthStatus: number;
  /** Release of the first host before this run, and the one that the plan is for with its digest; "" while unknown. */
  previous: string;
  release: string;
  digest: string;
}

/** The hosts of one deployment, as the rollout engine sees them: stages are batches. */
export class Fleet implements Target<Before, Change, Handle> {
  readonly name: string;
  readonly tally: Tally = {
    sent: new Map(),
    launchedAt: new Map(),
    healthStatus: 0,
    previous: "",
    release: "",
    digest: "",
  };
  readonly ports: FleetPorts;

  constructor(ports: FleetPorts) {
    this.ports = ports;
    const names = ports.sessions.map((session) => session.host.name);
    this.name = `${ports.inputs.release.appName} on ${names.slice(0, 3).join(", ")}${names.length > 3 ? ` and ${names.length - 3} more` : ""}`;
  }

  async inspect(_call: Call): Promise<Before> {
    const hosts = await each(this.ports.sessions, (session) => inspectHost(session, this.ports));
    this.tally.previous = hosts[0]?.facts.current ?? "";
    return { hosts };
  }

  plan(before: Before): PlanResult<Change> {
    const result = planFleet(before, this.ports.wanted);
    const facts = before.hosts[0]?.facts;
    // Unchanged: what was asked for runs already, perhaps under another name.
    this.tally.release = (result.kind === "change" ? result.change.release : facts?.current) ?? "";
    const there = facts?.releases.find((item) => item.id === this.tally.release);
    this.tally.digest = this.ports.wanted.digest || (there?.digest ?? "");
    return result;
  }

  gate(_attempt: FleetAttempt, mode: GateMode, call: Call): Promise<GateResult> {
    return passLock(this.ports, mode, call);
  }

  async apply(attempt: FleetAttempt, call: Call): Promise<ApplyResult<Handle>> {
    const { change, stage } = attempt;
    if (stage === 0) {
      try {
        await each(change.batches.flat(), (step) =>
          prepareHost(this.session(step.name), step, this.ports, this.tally, call),
        );
      } catch (error) {
        await Promise.allSettled(change.batches.flat().map((step) => this.discard(step)));
        return { kind: "not-applied", cause: causeOf(error, call) };
      }
    }
    const batch = change.batches[stage] ?? [];
    const settings = this.launchSettings(call);
    const results = await each(batch, async (step) => {
      this.tally.launchedAt.set(step.name, this.ports.clock.now());
      return launchOn(this.session(step.name), step, settings);
    });
    const lost = results.find((result) => result !== "");
    if (lost !== undefined) return { kind: "moved", by: lost };
    return {
      kind: "applied",
      handle: { launched: [...(attempt.handle?.launched ?? []), ...batch.map((s) => s.name)] },
    };
  }

  async locate(attempt: FleetAttempt): Promise<ApplyResult<Handle>> {
    const batch = attempt.change.batches[attempt.stage] ?? [];
    const standings = await each(batch, (step) => this.session(step.name).look());
    if (standings.some((standing) => standing.state !== "none")) {
      return {
        kind: "applied",
        handle: { launched: [...(attempt.handle?.launched ?? []), ...batch.map((s) => s.name)] },
      };
    }
    const cause = {
      code: "CONNECT_FAILED",
      message: "the host script was not started: the connection broke before",
    };
    return { kind: "not-applied", cause };
  }

  observe(attempt: FleetAttempt, aim: Aim, call: Call): Promise<Observation> {
    return aim === "new" ? watch(this, attempt, call) : watchBack(this, attempt, call);
  }

  verify(attempt: FleetAttempt, aim: Aim, call: Call): Promise<VerifyResult> {
    return aim === "new" ? verifyStage(this, attempt, call) : verifyBack(this, attempt, call);
  }

  commit(attempt: FleetAttempt, call: Call): Promise<CommitResult> {
    return commitAll(this, attempt, call);
  }

  diagnose(attempt: FleetAttempt, cause: Cause): Promise<readonly Cause[]> {
    return diagnoseHosts(this, attempt, cause);
  }

  rollBack(attempt: FleetAttempt, call: Call): Promise<RollBackResult<Handle>> {
    return goBackAll(this, attempt, call);
  }

  async release(): Promise<void> {
    await each(this.ports.sessions, (session) => releaseLock(session));
  }

  /** A login that worked once and broke is a fault that passes; one that never worked stays refused. */
  classify(error: unknown): FaultClass | undefined {
    if (error instanceof LostConnection) return "transient";
    if (!(error instanceof RemoteError)) return undefined;
    if (error.code !== "CONNECT_FAILED") return error.code === "PERMISSION_DENIED" ? "denied" : "permanent";
    return this.ports.sessions.every((session) => session.reached) ? "transient" : "permanent";
  }

  /** Makes a fresh process's session like that of the run before: same service manager, signs of life. */
  async takeUp(session: HostSession): Promise<void> {
    await inspectHost(session, this.ports);
    await session.beat();
    session.startBeating();
  }

  /** The session of a host by its name. */
  session(name: string): HostSession {
    const found = this.ports.sessions.find((session) => session.host.name === name);
    if (!found) throw new Error(`no session for ${name}`);
    return found;
  }

  /** Every step whose host may have been touched: the batches up to the attempt's stage. */
  touched(attempt: FleetAttempt): readonly HostStep[] {
    return (attempt.change as Change | null)?.batches.slice(0, attempt.stage + 1).flat() ?? [];
  }

  launchSettings(call: Call): LaunchSettings {
    const { rollout, health } = this.ports.inputs;
    const left = Math.max(0, call.until - this.ports.clock.now());
    return {
      // The engine's budget ends first: the host's own limit is for a runner that lives and is stuck.
      limitSeconds: Math.ceil(left / 1000) + 120,
      backSeconds: Math.ceil(rollout.rollbackTimeoutMs / 1000),
      rollback: rollout.rollback,
      healthPath: health.path,
    };
  }

  private async discard(step: HostStep): Promise<void> {
    if (!step.fresh) return;
    await this.session(step.name).call(`discard '${step.release}'`, "cleaning up", "UPLOAD_FAILED", 10_000);
  }
}

function causeOf(error: unknown, call: Call): Cause {
  if (error instanceof Error && "code" in error && "fix" in error) {
    const { code, fix, evidence } = error as Error & {
      code: string;
      fix: string;
      evidence?: readonly string[];
    };
    return { code, message: error.message, fix, evidence: evidence ?? [] };
  }
  if (call.signal.aborted) {
    const message = "the release was not on its hosts when `timeout` was up, or when the run was cancelled";
    return { code: "TIMED_OUT", message, fix: "raise `timeout`, or send less" };
  }
  return { code: "UPLOAD_FAILED", message: messageOf(error) };
}

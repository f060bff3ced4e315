import { performance } from "node:perf_hooks";
import { Addresses } from "./http/addresses.ts";
import type { ClosedModel, Cut, LoadPlan, News, OpenModel } from "./messages.ts";
import { Requester } from "./requester.ts";
import { Schedule } from "./schedule.ts";
import { Tally } from "./tally.ts";
import { weightedChoice } from "./weights.ts";

/** How often a generator looks at timeouts, users and the second's end when no request is due before. */
const TICK_MS = 5;
/** A generator this far behind its schedule at the end drops the rest: it is invalid anyway. */
const LATE_LIMIT_MS = 1000;
/** Pause of a user whose request never reached the target: a refused loop would only spin. */
const UNREACHED_PAUSE_MS = 50;

/** Milliseconds of the monotonic clock that all threads of a process share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** Puts one thread's share of a plan on the target and tells about it once a second. */
export class Generator {
  private readonly plan: LoadPlan;
  private readonly tell: (news: News) => void;
  private readonly tally: Tally;
  private readonly requester: Requester;
  private readonly addresses: Addresses;
  private readonly drive: Drive;
  /** Start of the load, and what turns local times into monotonic ones; `performance.now()` milliseconds. */
  private readonly start: number;
  private readonly offset: number;
  private second = 0;
  private utilization = performance.eventLoopUtilization();
  private timer: NodeJS.Timeout | undefined;
  private finished = false;

  constructor(plan: LoadPlan, tell: (news: News) => void) {
    this.plan = plan;
    this.tell = tell;
    this.tally = new Tally(plan.endpoints.length);
    this.addresses = new Addresses(plan.target.host);
    this.requester = new Requester({ ...plan, addresses: this.addresses, tally: this.tally });
    this.offset = monotonicMs() - performance.now();
    this.start = plan.startAt - this.offset;
    this.drive =
      plan.model.kind === "open"
        ? new OpenDrive(plan.model, plan, this.requester, this.tally, this.start)
        : new ClosedDrive(plan.model, plan, this.requester, this.start);
  }

  /** Begins at the plan's time. */
  async run(): Promise<void> {
    await this.addresses.start();
    if (!this.finished) this.timer = setTimeout(this.tick, Math.max(0, this.start - performance.now()));
  }

  /** Ends at once; what is in flight is interrupted. */
  stop(cut: Cut = "stopped"): void {
    if (this.finished) return;
    this.finished = true;
    clearTimeout(this.timer);
    this.addresses.stop();
    const interrupted = this.requester.client.close();
    this.report(performance.now());
    this.tell({
      type: "done",
      worker: this.plan.worker,
      end: {
        cut,
        at: monotonicMs(),
        interrupted,
        unsent: this.drive.unsent(),
        connections: this.requester.client.opened,
      },
    });
  }

  private readonly tick = (): void => {
    const now = performance.now();
    const { client } = this.requester;
    client.expire(now);
    const next = this.drive.advance(now);
    const cap = this.drive.cut ?? (client.inFlight >= this.plan.maxInFlight ? "in-flight-cap" : "");
    if (cap !== "") return this.stop(cap);
    if (now - this.start >= (this.second + 1) * 1000) this.report(now);
    if (next === "over" && client.inFlight === 0) return this.stop("");
    const wait = next === "over" ? TICK_MS : Math.min(TICK_MS, next - performance.now());
    this.timer = setTimeout(this.tick, Math.max(1, Math.floor(wait)));
  };

  private report(now: number): void {
    const used = performance.eventLoopUtilization(this.utilization);
    this.utilization = performance.eventLoopUtilization();
    const { inFlight } = this.requester.client;
    const second = this.tally.drain(this.second, inFlight, used.utilization, this.offset);
    this.second = Math.floor((now - this.start) / 1000);
    this.tell({ type: "second", worker: this.plan.worker, second });
  }
}

/** Decides which requests are sent when. Times are of `performance.now()`. */
interface Drive {
  /** Sends what is due; returns when to look again, or "over" when all is sent. */
  advance(now: number): number | "over";
  /** Set when the plan's limit on requests was reached. */
  readonly cut: Cut | undefined;
  unsent(): number;
}

class OpenDrive implements Drive {
  readonly cut = undefined;
  private readonly schedule: Schedule;
  private readonly plan: LoadPlan;
  private readonly requester: Requester;
  private readonly tally: Tally;
  private readonly start: number;
  private readonly choose: (index: number) => number;
  private next: number;
  private due: number;

  constructor(model: OpenModel, plan: LoadPlan, requester: Requester, tally: Tally, start: number) {
    this.schedule = new Schedule(model.segments);
    this.plan = plan;
    this.requester = requester;
    this.tally = tally;
    this.start = start;
    this.choose = weightedChoice(plan.endpoints.map((endpoint) => endpoint.weight));
    this.next = plan.worker;
    this.due = start + this.schedule.dueMs(this.next);
  }

  advance(now: number): number | "over" {
    const { schedule, requester, plan } = this;
    if (now > this.start + schedule.endMs + LATE_LIMIT_MS) return "over";
    let sentAt = now;
    while (this.next < schedule.total && this.due <= sentAt) {
      if (requester.client.inFlight >= plan.maxInFlight) return this.due;
      const measured = this.next >= schedule.firstMeasured;
      if (measured) this.tally.lag.record(sentAt - this.due);
      requester.send(this.choose(this.next), this.due, measured, sentAt);
      this.next += plan.workers;
      this.due = this.start + schedule.dueMs(this.next);
      sentAt = performance.now();
    }
    return this.next < schedule.total ? this.due : "over";
  }

  unsent(): number {
    const { schedule, plan } = this;
    const first = Math.max(this.next, schedule.firstMeasured);
    return Math.max(0, Math.ceil((schedule.total - first) / plan.workers));
  }
}

class ClosedDrive implements Drive {
  cut: Cut | undefined;
  private readonly model: ClosedModel;
  private readonly requester: Requester;
  private readonly start: number;
  private readonly choose: (index: number) => number;
  private readonly worker: number;
  private readonly workers: number;
  private users = 0;
  private sent = 0;
  /** Users who wait for their next turn: the earliest time of it. */
  private waiting: number[] = [];

  constructor(model: ClosedModel, plan: LoadPlan, requester: Requester, start: number) {
    this.model = model;
    this.requester = requester;
    this.start = start;
    this.worker = plan.worker;
    this.workers = plan.workers;
    this.choose = weightedChoice(plan.endpoints.map((endpoint) => endpoint.weight));
  }

  advance(now: number): number | "over" {
    const { model } = this;
    if (now >= this.measuredFrom() + model.durationMs) return "over";
    const allowed = Math.min(model.users, this.usersAt(now - this.start));
    while (this.users < allowed) {
      this.users++;
      this.turn(now);
    }
    const due = this.waiting.filter((at) => at <= now);
    if (due.length > 0) {
      this.waiting = this.waiting.filter((at) => at > now);
      for (const _ of due) this.turn(now);
    }
    return now + 1;
  }

  unsent(): number {
    return 0;
  }

  /** Users who have started by then: up to half in the warm-up, then up to all. */
  private usersAt(ms: number): number {
    const { warmUpUsers, warmUpMs, spawnRate } = this.model;
    if (ms < warmUpMs) return Math.min(warmUpUsers, Math.floor((ms / 1000) * spawnRate) + 1);
    return warmUpUsers + Math.floor(((ms - warmUpMs) / 1000) * spawnRate) + (warmUpMs === 0 ? 1 : 0);
  }

  private measuredFrom(): number {
    return this.start + this.model.warmUpMs + this.model.rampMs;
  }

  /** One user's next request, or a place in the queue when the rate limit says so. */
  private turn(now: number): void {
    const { model } = this;
    if (now >= this.measuredFrom() + model.durationMs || this.cut !== undefined) return;
    if (this.sent >= model.maxRequests) {
      this.cut = "max-requests";
      return;
    }
    const earliest = this.start + (this.sent / model.maxRate) * 1000;
    if (earliest > now) return void this.waiting.push(earliest);
    const which = this.choose(this.sent * this.workers + this.worker);
    this.sent++;
    const measured = now >= this.measuredFrom();
    this.requester.send(which, now, measured, now, (reached) => {
      const then = performance.now();
      if (reached) this.turn(then);
      else this.waiting.push(then + UNREACHED_PAUSE_MS);
    });
  }
}

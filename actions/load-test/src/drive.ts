import type { ClosedModel, Cut, LoadPlan, OpenModel } from "./messages.ts";
import type { Requester } from "./requester.ts";
import { Schedule } from "./schedule.ts";
import type { Tally } from "./tally.ts";
import { weightedChoice } from "./weights.ts";

/** A generator this far behind its schedule at the end drops the rest: it is invalid anyway. */
const LATE_LIMIT_MS = 1000;
/** Pause of a user whose request never reached the target: a refused loop would only spin. */
const UNREACHED_PAUSE_MS = 50;
/** Timers fire late by some milliseconds: so much of the allowed rate may be caught up, and no more. */
const CATCH_UP_MS = 20;

/** Decides which requests are sent when. Times are of `performance.now()`. */
export interface Drive {
  /** Sends what is due; returns when to look again, or "over" when all is sent. */
  advance(now: number): number | "over";
  /** Set when the plan's limit on requests was reached. */
  readonly cut: Cut | undefined;
  unsent(): number;
}

/** The open model: request i is due at its time, whatever became of those before. */
export class OpenDrive implements Drive {
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
    // Only what was due when this turn began: whoever also sent what falls due meanwhile would, when late,
    // never come to read an answer, open a connection for each request, and so get later still.
    while (this.next < schedule.total && this.due <= now) {
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

/** The closed model: users who wait for each answer, and so go easy on a target that stalls. */
export class ClosedDrive implements Drive {
  cut: Cut | undefined;
  private readonly model: ClosedModel;
  private readonly requester: Requester;
  private readonly start: number;
  private readonly choose: (index: number) => number;
  private readonly worker: number;
  private readonly workers: number;
  private users = 0;
  private sent = 0;
  /** From when on the rate limit allows the next request. */
  private slot: number;
  /** Users who wait for their next turn: the earliest time of it. */
  private waiting: number[] = [];

  constructor(model: ClosedModel, plan: LoadPlan, requester: Requester, start: number) {
    this.model = model;
    this.requester = requester;
    this.start = start;
    this.slot = start;
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
    // What a stalling target left unused is lost: made up for, it would hit the target at more than the limit.
    const slot = Math.max(this.slot, now - CATCH_UP_MS);
    if (slot > now) return void this.waiting.push(slot);
    this.slot = slot + 1000 / model.maxRate;
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

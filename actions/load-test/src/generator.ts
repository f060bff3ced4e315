import { performance } from "node:perf_hooks";
import { ClosedDrive, type Drive, OpenDrive } from "./drive.ts";
import { Addresses } from "./http/addresses.ts";
import type { Cut, LoadPlan, News } from "./messages.ts";
import { Requester } from "./requester.ts";
import { Tally } from "./tally.ts";

/** How often a generator looks at timeouts, users and the second's end when no request is due before. */
const TICK_MS = 5;

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
  private immediate: NodeJS.Immediate | undefined;
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
    clearImmediate(this.immediate);
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
    const over = next === "over" && client.inFlight === 0;
    if (cap !== "" || over) {
      this.stop(cap);
      return;
    }
    if (now - this.start >= (this.second + 1) * 1000) this.report(now);
    const wait = next === "over" ? TICK_MS : Math.min(TICK_MS, next - performance.now());
    // Behind the schedule: again as soon as the answers that came in are read.
    if (wait <= 0) this.immediate = setImmediate(this.tick);
    else this.timer = setTimeout(this.tick, Math.max(1, Math.floor(wait)));
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

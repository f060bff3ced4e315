import type { Endpoint, Target } from "./endpoint.ts";
import { type Fleet, type FleetEnd, type FleetListener, type SharedPlan, shareOfCount } from "./fleet.ts";
import type { Model } from "./inputs.ts";
import { type Measured, measuredOf } from "./judge.ts";
import { Measurement } from "./measurement.ts";
import { type Profile, segmentsOf } from "./profile.ts";
import { Schedule } from "./schedule.ts";
import type { GeneratorHealth } from "./verdict.ts";

/** One load to put on the target; times in milliseconds, rates in requests a second. */
export interface LoadSpec {
  readonly target: Target;
  readonly endpoints: readonly Endpoint[];
  readonly model: Model;
  readonly durationMs: number;
  readonly warmUpMs: number;
  readonly requestTimeoutMs: number;
  readonly maxInFlight: number;
  readonly maxRate: number;
  readonly maxRequests: number;
}

/** What a load was and what came of it. */
export interface LoadResult {
  readonly measurement: Measurement;
  readonly measured: Measured;
  readonly health: GeneratorHealth;
  /** Milliseconds since the epoch: start of the load (warm-up included). */
  readonly startedAt: number;
  /** Turns times of the monotonic clock into milliseconds since the epoch. */
  readonly toEpoch: (monotonic: number) => number;
  /** From the start to the first moment that counts, milliseconds. */
  readonly measuredFromMs: number;
  /** Requests in flight that a stop interrupted: neither answered nor failed. */
  readonly interrupted: number;
  readonly connections: number;
}

/** Hears of each second as it ends, and may stop the load by returning true. */
export type Watch = (progress: { readonly measurement: Measurement; readonly measuredMs: number }) => boolean;

/** Puts one load on the target, from warm-up to the last answer. */
export async function putLoad(
  fleet: Fleet,
  spec: LoadSpec,
  ports: {
    readonly now: () => number;
    readonly monotonic: () => number;
    readonly signal: AbortSignal;
    readonly watch?: Watch;
  },
): Promise<LoadResult> {
  const measurement = new Measurement(spec.endpoints.length);
  const timing = timingOf(spec);
  const stop = new AbortController();
  const epochOffset = ports.now() - ports.monotonic();
  const started = ports.monotonic();
  const listener = listenerOf(measurement, fleet.size, (second) => {
    const measuredMs = Math.min(ports.monotonic() - started, (second + 1) * 1000) - timing.measuredFromMs;
    const broken = !stop.signal.aborted && ports.watch?.({ measurement, measuredMs });
    // What has run its whole time is not cut short any more.
    if (broken && measuredMs < spec.durationMs) stop.abort();
  });
  const end = await fleet.load(planOf(spec), listener, AbortSignal.any([stop.signal, ports.signal]));
  const cut = ports.signal.aborted ? "cancelled" : stop.signal.aborted ? "aborted" : cutOf(end);
  const measuredStart = end.startAt + timing.measuredFromMs;
  const endAt = Math.max(end.startAt, ...end.ends.map((item) => item.at));
  // Answers come in as much later than requests are due as the quickest one took; only what is behind that is delay.
  const quickest = measurement.total.latency.min() ?? 0;
  const untilMs =
    cut === ""
      ? Math.max(spec.durationMs, measurement.total.lastAnswerAt - quickest - measuredStart)
      : endAt - measuredStart;
  const names = spec.endpoints.map((endpoint) => endpoint.name);
  return {
    measurement,
    measured: measuredOf(measurement, names, Math.max(0, untilMs) / 1000),
    health: {
      achievedRatio: timing.planned === undefined ? undefined : ratioOf(measurement, timing.planned),
      lagP99: spec.model.kind === "open" ? measurement.lag.percentile(99) : undefined,
      cut,
      lost: end.lost,
      localFailures: measurement.total.failures.get("local-limit")?.count ?? 0,
    },
    startedAt: end.startAt + epochOffset,
    toEpoch: (monotonic) => Math.round(monotonic + epochOffset),
    measuredFromMs: timing.measuredFromMs,
    interrupted: end.ends.reduce((sum, item) => sum + item.interrupted, 0),
    connections: end.ends.reduce((sum, item) => sum + item.connections, 0),
  };
}

/** Adds up what the threads tell. A second is whole when the last thread has told of it: before, rates would look too low. */
function listenerOf(
  measurement: Measurement,
  threads: number,
  whole: (second: number) => void,
): FleetListener {
  const told: number[] = Array.from({ length: threads }, () => -1);
  let last = -1;
  const hear = (worker: number, second: number) => {
    told[worker] = second;
    const least = Math.min(...told);
    if (least <= last || least === Number.POSITIVE_INFINITY) return;
    last = least;
    whole(least);
  };
  return {
    second: (news, worker) => {
      measurement.add(news);
      hear(worker, news.second);
    },
    ended: (worker) => hear(worker, Number.POSITIVE_INFINITY),
  };
}

function ratioOf(measurement: Measurement, planned: number): number {
  return planned === 0 ? 1 : Math.min(1, measurement.total.sent / planned);
}

function cutOf(end: FleetEnd): GeneratorHealth["cut"] {
  const cuts = end.ends.map((item) => item.cut);
  return cuts.find((cut) => cut === "in-flight-cap" || cut === "max-requests") ?? "";
}

/** When the measured part starts, and how many requests it holds (undefined: that depends on the target). */
export function timingOf(spec: Pick<LoadSpec, "model" | "warmUpMs" | "durationMs">): {
  readonly measuredFromMs: number;
  readonly planned: number | undefined;
} {
  const { model, warmUpMs, durationMs } = spec;
  if (model.kind === "closed") {
    return { measuredFromMs: warmUpMs + rampMs(model.users, model.spawnRate, warmUpMs), planned: undefined };
  }
  const schedule = new Schedule(segmentsOf(model.profile, model.rate, warmUpMs, durationMs));
  return { measuredFromMs: schedule.measuredFromMs, planned: schedule.total - schedule.firstMeasured };
}

function warmUpUsers(users: number, warmUpMs: number): number {
  return warmUpMs === 0 ? 0 : Math.ceil(users / 2);
}

/** Time for those users to start who were not there in the warm-up. */
function rampMs(users: number, spawnRate: number, warmUpMs: number): number {
  return ((users - warmUpUsers(users, warmUpMs)) / spawnRate) * 1000;
}

function planOf(spec: LoadSpec): SharedPlan {
  const { model, warmUpMs, durationMs } = spec;
  return {
    target: spec.target,
    endpoints: spec.endpoints,
    timeoutMs: spec.requestTimeoutMs,
    // The closed model keeps the cap by its users, who were held against it: all of them waiting is no overload.
    maxInFlight: model.kind === "closed" ? Number.POSITIVE_INFINITY : spec.maxInFlight,
    model: (worker, workers) => {
      if (model.kind === "open") {
        return { kind: "open", segments: segmentsOf(model.profile, model.rate, warmUpMs, durationMs) };
      }
      return {
        kind: "closed",
        warmUpUsers: shareOfCount(warmUpUsers(model.users, warmUpMs), worker, workers),
        users: shareOfCount(model.users, worker, workers),
        spawnRate: model.spawnRate / workers,
        warmUpMs,
        rampMs: rampMs(model.users, model.spawnRate, warmUpMs),
        durationMs,
        maxRate: spec.maxRate / workers,
        maxRequests: shareOfCount(spec.maxRequests, worker, workers),
      };
    },
  };
}

/** Above this rate one thread comes close to a core's worth of work. */
const RATE_OF_ONE_THREAD = 5000;
/** As many users can keep one thread busy when the target answers at once. */
const USERS_OF_ONE_THREAD = 100;

/** Threads that a load needs, never more than `cores`. */
export function threadsFor(
  model: Model,
  profilePeak: (profile: Profile, rate: number) => number,
  cores: number,
): number {
  if (model.kind === "open" && model.profile.kind === "find-max") return Math.max(1, Math.min(2, cores));
  const needed =
    model.kind === "open"
      ? Math.ceil(profilePeak(model.profile, model.rate) / RATE_OF_ONE_THREAD)
      : Math.ceil(model.users / USERS_OF_ONE_THREAD);
  return Math.max(1, Math.min(needed, 2, cores));
}

import type { Endpoint, Target } from "./endpoint.ts";
import type { HistogramData } from "./histogram.ts";
import type { FailureClass } from "./http/failure-class.ts";
import type { Segment } from "./schedule.ts";

/** What a thread is to do. Holds header values that may be secrets: it goes to threads and nowhere else. */
export interface LoadPlan {
  readonly target: Target;
  readonly endpoints: readonly Endpoint[];
  readonly timeoutMs: number;
  /** This thread's share of the cap. */
  readonly maxInFlight: number;
  /** This thread sends every `workers`th request, starting with number `worker`. */
  readonly worker: number;
  readonly workers: number;
  /** Milliseconds of the system's monotonic clock (`process.hrtime`), which all threads share. */
  readonly startAt: number;
  readonly model: OpenModel | ClosedModel;
}

/** Requests are due at times that the target cannot influence. */
export interface OpenModel {
  readonly kind: "open";
  readonly segments: readonly Segment[];
}

/** A fixed number of users who each wait for the answer before the next request. */
export interface ClosedModel {
  readonly kind: "closed";
  /** This thread's share of the users: during the warm-up, and then. */
  readonly warmUpUsers: number;
  readonly users: number;
  /** Users started a second, this thread's share. */
  readonly spawnRate: number;
  readonly warmUpMs: number;
  /** Time for the users behind the warm-up to start; not measured. */
  readonly rampMs: number;
  readonly durationMs: number;
  /** Never more requests a second than this, this thread's share. */
  readonly maxRate: number;
  /** This thread's share of the requests in all. */
  readonly maxRequests: number;
}

/** From the main thread to a load thread. */
export type Order =
  | { readonly type: "load"; readonly plan: LoadPlan }
  /** Stop at once: what is in flight is interrupted and not counted. */
  | { readonly type: "stop" };

/** From a load thread to the main thread. */
export type News =
  | { readonly type: "ready" }
  | { readonly type: "second"; readonly worker: number; readonly second: SecondNews }
  | { readonly type: "done"; readonly worker: number; readonly end: EndNews };

/** What a thread saw in one second. `second` counts from the start of the load. */
export interface SecondNews {
  readonly second: number;
  readonly measured: readonly EndpointNews[];
  readonly warmUp: readonly EndpointNews[];
  /** From send to the whole answer, and to the connection being ready; milliseconds in histograms. */
  readonly service: HistogramData;
  readonly connect: HistogramData;
  /** From due to sent, of the measured requests of an open model. */
  readonly lag: HistogramData;
  readonly inFlight: number;
  /** Share of the time that the thread was busy, 0 to 1. */
  readonly busy: number;
}

/** Counts of one endpoint in one second. */
export interface EndpointNews {
  /** Index into `LoadPlan.endpoints`. */
  readonly endpoint: number;
  readonly sent: number;
  readonly answered: number;
  readonly bytes: number;
  /** From due to the whole answer, of answers and timeouts. */
  readonly latency: HistogramData;
  readonly failures: readonly FailureNews[];
  /** Answers that pointed to another host, which is never followed. */
  readonly strayRedirects: number;
  /** When the last answer was complete, milliseconds of the monotonic clock; 0 without answers. */
  readonly lastAnswerAt: number;
}

/** Failures of one class. Times are milliseconds of the monotonic clock. */
export interface FailureNews {
  readonly failure: FailureClass;
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** The first one's cause: an error code or a status. */
  readonly detail: string;
}

/** Why a thread stopped before its plan was carried out. */
export type Cut = "" | "stopped" | "in-flight-cap" | "max-requests";

/** A thread's last words. */
export interface EndNews {
  readonly cut: Cut;
  /** Monotonic clock, milliseconds. */
  readonly at: number;
  /** Requests in flight that a stop interrupted; they are neither answered nor failed. */
  readonly interrupted: number;
  /** Measured requests that were due and never sent. */
  readonly unsent: number;
  readonly connections: number;
}

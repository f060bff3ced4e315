/** A span of the load: the rate goes in a straight line from `from` to `to` (requests a second). */
export interface Segment {
  readonly ms: number;
  readonly from: number;
  readonly to: number;
  /** Whether its requests count; the warm-up's do not. */
  readonly measured: boolean;
}

/** Float error of a sum of products: a request that is due this close behind an edge belongs to the edge. */
const TOLERANCE = 1e-6;

/**
 * When each request of an open model is due. Request i is due when the integral
 * of the rate reaches i: for a constant rate at i / rate. The times depend on
 * nothing that the target does, which is what keeps a stall visible.
 */
export class Schedule {
  /** Requests in all. */
  readonly total: number;
  /** Index of the first request that counts. */
  readonly firstMeasured: number;
  /** Milliseconds from the start to the first measured moment, and to the end. */
  readonly measuredFromMs: number;
  readonly endMs: number;
  private readonly parts: readonly Part[];

  constructor(segments: readonly Segment[]) {
    const parts: Part[] = [];
    let startMs = 0;
    let before = 0;
    let measuredFrom: { ms: number; count: number } | undefined;
    for (const segment of segments) {
      if (segment.measured) measuredFrom ??= { ms: startMs, count: before };
      parts.push({ ...segment, startMs, before });
      startMs += segment.ms;
      before += (((segment.from + segment.to) / 2) * segment.ms) / 1000;
    }
    this.parts = parts;
    this.endMs = startMs;
    this.total = wholeRequests(before);
    this.measuredFromMs = measuredFrom?.ms ?? startMs;
    this.firstMeasured = wholeRequests(measuredFrom?.count ?? before);
  }

  /** Milliseconds from the start to the moment request `index` is due. */
  dueMs(index: number): number {
    for (let i = this.parts.length - 1; i >= 0; i--) {
      const part = this.parts[i];
      if (part && index >= part.before - TOLERANCE && part.ms > 0) {
        return part.startMs + Math.min(part.ms, timeOfCount(part, Math.max(0, index - part.before)));
      }
    }
    return 0;
  }
}

interface Part extends Segment {
  readonly startMs: number;
  /** Requests (with fractions) due before it starts. */
  readonly before: number;
}

function wholeRequests(count: number): number {
  return Math.ceil(count - TOLERANCE);
}

/** Solves count = from t + (to - from) t^2 / (2 T) for t, in the form that stays exact when the slope is 0. */
function timeOfCount(part: Segment, count: number): number {
  const slope = ((part.to - part.from) / part.ms) * 1000;
  const root = Math.sqrt(Math.max(0, part.from * part.from + 2 * slope * count));
  const seconds = part.from + root === 0 ? 0 : (2 * count) / (part.from + root);
  return seconds * 1000;
}

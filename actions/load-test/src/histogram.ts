/** Values are whole microseconds from 0 to one hour; more counts as one hour. */
export const LARGEST_US = 3_600_000_000;

/** Values below this have a bucket of their own; above, each power of two has half as many buckets. */
const LINEAR = 2048;
const SUB_BUCKET_BITS = 10;

/** Buckets that cover 0 to `LARGEST_US` with a width of at most 1/1024 of the value. */
export const BUCKETS = bucketOf(LARGEST_US) + 1;

/** The bucket of a value in microseconds. */
export function bucketOf(us: number): number {
  if (us < LINEAR) return us;
  const shift = 31 - Math.clz32(us) - SUB_BUCKET_BITS;
  return (shift << SUB_BUCKET_BITS) + (us >>> shift);
}

/** The largest value that falls into a bucket, microseconds. */
export function bucketTop(bucket: number): number {
  if (bucket < LINEAR) return bucket;
  const shift = (bucket >>> SUB_BUCKET_BITS) - 1;
  return (bucket - (shift << SUB_BUCKET_BITS) + 1) * 2 ** shift - 1;
}

/** What a histogram holds, in a form that passes between threads and into files. */
export interface HistogramData {
  /** Bucket, count, bucket, count, ... in the order of the buckets. */
  readonly pairs: Uint32Array;
  /** Exact extremes and sum, microseconds; 0 when empty. */
  readonly min: number;
  readonly max: number;
  readonly sum: number;
}

/**
 * Counts values in log-linear buckets: three significant digits, constant
 * memory, and the merge of several is the histogram of all their values.
 */
export class Histogram {
  count = 0;
  private counts: Uint32Array | undefined;
  /** The buckets in use, so that reading a small histogram costs little. */
  private used: number[] = [];
  private smallest = Number.POSITIVE_INFINITY;
  private largest = 0;
  private total = 0;

  /** Adds a value in milliseconds. */
  record(ms: number): void {
    const us = ms <= 0 ? 0 : Math.min(LARGEST_US, Math.round(ms * 1000));
    this.count++;
    this.total += us;
    if (us < this.smallest) this.smallest = us;
    if (us > this.largest) this.largest = us;
    this.add(bucketOf(us), 1);
  }

  /** Adds everything that another one held. */
  merge(data: HistogramData): void {
    const { pairs } = data;
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      this.add(pairs[i] ?? 0, pairs[i + 1] ?? 0);
      this.count += pairs[i + 1] ?? 0;
    }
    if (pairs.length === 0) return;
    this.total += data.sum;
    this.smallest = Math.min(this.smallest, data.min);
    this.largest = Math.max(this.largest, data.max);
  }

  /** What it holds now. */
  data(): HistogramData {
    const buckets = this.used.sort((a, b) => a - b);
    const pairs = new Uint32Array(buckets.length * 2);
    buckets.forEach((bucket, i) => {
      pairs[i * 2] = bucket;
      pairs[i * 2 + 1] = this.counts?.[bucket] ?? 0;
    });
    return { pairs, min: this.count === 0 ? 0 : this.smallest, max: this.largest, sum: this.total };
  }

  /** Returns what it holds and starts again empty. */
  drain(): HistogramData {
    const data = this.data();
    for (const bucket of this.used) if (this.counts) this.counts[bucket] = 0;
    this.used = [];
    this.count = 0;
    this.total = 0;
    this.smallest = Number.POSITIVE_INFINITY;
    this.largest = 0;
    return data;
  }

  /**
   * The value, in milliseconds, that `percent` of the values do not exceed
   * (nearest rank, top of the bucket, never above the true maximum).
   * Undefined when empty: no data is not zero.
   */
  percentile(percent: number): number | undefined {
    if (this.count === 0) return undefined;
    // Guards against 0.999 * 1000 = 999.0000000000001 asking for the rank behind the right one.
    const rank = Math.max(1, Math.ceil((percent / 100) * this.count - 1e-9));
    let seen = 0;
    for (const bucket of this.used.sort((a, b) => a - b)) {
      seen += this.counts?.[bucket] ?? 0;
      if (seen >= rank) return Math.min(bucketTop(bucket), this.largest) / 1000;
    }
    return this.largest / 1000;
  }

  /** Milliseconds; undefined when empty. */
  max(): number | undefined {
    return this.count === 0 ? undefined : this.largest / 1000;
  }

  /** Milliseconds; undefined when empty. */
  min(): number | undefined {
    return this.count === 0 ? undefined : this.smallest / 1000;
  }

  /** Milliseconds; undefined when empty. */
  mean(): number | undefined {
    return this.count === 0 ? undefined : this.total / this.count / 1000;
  }

  private add(bucket: number, count: number): void {
    // The table is made with the first value: most endpoints of most threads never get one.
    this.counts ??= new Uint32Array(BUCKETS);
    const before = this.counts[bucket] ?? 0;
    if (before === 0) this.used.push(bucket);
    this.counts[bucket] = before + count;
  }
}

/** One histogram of the values of several. */
export function mergeHistograms(all: Iterable<HistogramData>): Histogram {
  const merged = new Histogram();
  for (const data of all) merged.merge(data);
  return merged;
}

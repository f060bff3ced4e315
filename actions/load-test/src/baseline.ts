import { readFileSync } from "node:fs";
import { messageOf, UserError } from "../../../lib/errors.ts";
import { bucketTop } from "./histogram.ts";
import type { ResultDocument } from "./result.ts";
import type { Judgement } from "./verdict.ts";

/** Resamplings; enough for a 99 % interval whose ends stand on 5 of them each. */
const ROUNDS = 1000;
/** More blocks than this make the drawing slow and the interval no better. */
const MOST_BLOCKS = 60;
/** Fewer seconds than this cannot tell a change from chance. */
const LEAST_SECONDS = 5;

/** What the comparison adds to a run: a field of the result, and a verdict when the run got slower. */
export function compareWith(
  document: ResultDocument,
  before: ResultDocument,
  maxRegression: number,
): { readonly baseline: Comparison; readonly judgement: Judgement | undefined } {
  const baseline = compare(document, before, maxRegression);
  if (!baseline.compared || !baseline.regressed) return { baseline, judgement: undefined };
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const judgement: Judgement = {
    verdict: "fail",
    reason: `p95 is ${percent(baseline.delta)} slower than the baseline (99 % interval ${percent(baseline.low)} to ${percent(baseline.high)}; \`max-regression\` allows ${percent(maxRegression)})`,
    code: "REGRESSION",
    fix: "make the target as fast as it was, or accept this run as the new baseline",
  };
  return { baseline, judgement };
}

/** How a run compares with an earlier one. Shares: 0.1 is 10 % slower. */
export type Comparison =
  | { readonly compared: false; readonly why: string }
  | {
      readonly compared: true;
      /** Change of the 95th percentile. */
      readonly delta: number;
      /** Its 99 % interval. */
      readonly low: number;
      readonly high: number;
      /** Slower by more than allowed, and by more than chance explains. */
      readonly regressed: boolean;
    };

/** Reads an earlier result.json; a file that is none is the user's to mend, before any load. */
export function readBaseline(path: string): ResultDocument {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UserError([`\`baseline\` ${path} cannot be read: ${messageOf(error)}`]);
  }
  const document = value as Partial<ResultDocument> | null;
  if (document?.schema !== "goci/load-result/v1" || !Array.isArray(document.seconds)) {
    throw new UserError([
      `\`baseline\` ${path} is not a result.json of load-test (schema goci/load-result/v1)`,
    ]);
  }
  return document as ResultDocument;
}

/**
 * Holds the 95th percentile against the baseline's. The seconds of both runs
 * are drawn again and again (a block bootstrap: requests of one second share
 * its luck, so seconds are drawn, not requests); the change counts only when
 * the 99 % interval of the drawn changes lies above 0.
 */
export function compare(
  now: ResultDocument,
  before: ResultDocument,
  maxRegression: number,
  random: () => number = seeded(1),
): Comparison {
  const why = whyNot(now, before);
  if (why !== "") return { compared: false, why };
  const ours = new Blocks(now);
  const theirs = new Blocks(before);
  if (Math.min(ours.length, theirs.length) < LEAST_SECONDS) {
    return { compared: false, why: `one of the two has fewer than ${LEAST_SECONDS} measured seconds` };
  }
  const [p95, p95Before] = [ours.p95(), theirs.p95()];
  if (!p95 || !p95Before) return { compared: false, why: "one of the two has no answers" };
  const delta = p95 / p95Before - 1;
  const deltas: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const mine = ours.drawn(random);
    const other = theirs.drawn(random);
    if (mine && other) deltas.push(mine / other - 1);
  }
  deltas.sort((a, b) => a - b);
  const low = deltas[Math.floor(deltas.length * 0.005)] ?? delta;
  const high = deltas[Math.ceil(deltas.length * 0.995) - 1] ?? delta;
  return { compared: true, delta, low, high, regressed: low > 0 && delta > maxRegression };
}

/** Why two runs cannot be compared; "" when they can. */
function whyNot(now: ResultDocument, before: ResultDocument): string {
  if (before.verdict === "invalid" || before.verdict === "no-data")
    return `the baseline's verdict is ${before.verdict}`;
  const names = ["model", "rate", "users", "profile"] as const;
  for (const name of names) {
    if (now.plan[name] !== before.plan[name]) {
      return `${name} is ${now.plan[name]} now and ${before.plan[name]} in the baseline`;
    }
  }
  if (now.machine.cpu !== before.machine.cpu || now.machine.cores !== before.machine.cores) {
    return `the machines differ (${now.machine.cpu}, ${now.machine.cores} cores; baseline ${before.machine.cpu}, ${before.machine.cores} cores)`;
  }
  return "";
}

/** The measured seconds of a run as counts over the buckets that it uses: drawing only adds rows of numbers. */
class Blocks {
  readonly length: number;
  private readonly tops: readonly number[];
  private readonly rows: readonly Uint32Array[];

  constructor(document: ResultDocument) {
    const seconds = document.seconds.filter((item) => item.measured && item.histogram.length > 0);
    // Of long runs, neighbours go together, so that drawing takes no longer than for short ones.
    const size = Math.max(1, Math.ceil(seconds.length / MOST_BLOCKS));
    const buckets = [...new Set(seconds.flatMap((item) => item.histogram.filter((_, i) => i % 2 === 0)))];
    buckets.sort((a, b) => a - b);
    const place = new Map(buckets.map((bucket, i) => [bucket, i]));
    this.length = Math.ceil(seconds.length / size);
    this.tops = buckets.map(bucketTop);
    this.rows = Array.from({ length: this.length }, (_, block) => {
      const row = new Uint32Array(buckets.length);
      for (const { histogram } of seconds.slice(block * size, (block + 1) * size)) {
        for (let i = 0; i + 1 < histogram.length; i += 2) {
          const at = place.get(histogram[i] ?? 0) ?? 0;
          row[at] = (row[at] ?? 0) + (histogram[i + 1] ?? 0);
        }
      }
      return row;
    });
  }

  /** The 95th percentile of all blocks, microseconds. */
  p95(): number | undefined {
    return this.of(this.rows);
  }

  /** The same of as many blocks as there are, drawn with replacement. */
  drawn(random: () => number): number | undefined {
    return this.of(this.rows.map((row) => this.rows[Math.floor(random() * this.length)] ?? row));
  }

  private of(rows: readonly Uint32Array[]): number | undefined {
    const sums = new Float64Array(this.tops.length);
    let total = 0;
    for (const row of rows) {
      for (let i = 0; i < row.length; i++) {
        const count = row[i] ?? 0;
        sums[i] = (sums[i] ?? 0) + count;
        total += count;
      }
    }
    let seen = 0;
    const at = sums.findIndex((count) => {
      seen += count;
      return seen >= total * 0.95;
    });
    return total === 0 ? undefined : this.tops[at];
  }
}

/** A small generator of numbers in [0, 1) (mulberry32): the same runs give the same verdict every time. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

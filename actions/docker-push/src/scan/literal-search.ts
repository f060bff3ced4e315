/** Calls back with a literal's number and the position where it starts. */
export type OnLiteral = (literal: number, position: number) => void;

/** Bytes looked at in one step. */
const BLOCK = 2;

/**
 * Finds any of many byte strings in one go (Wu and Manber, 1994): a table over
 * pairs of bytes tells how far it is safe to jump, so that most bytes are never
 * looked at. Every literal has at least 4 bytes.
 */
export class LiteralSearch {
  private readonly literals: readonly Buffer[];
  /** Length that all literals have at least: the jump is at most that. */
  private readonly window: number;
  private readonly shifts: Uint8Array;
  private readonly buckets = new Map<number, number[]>();

  constructor(literals: readonly Buffer[]) {
    this.literals = literals;
    this.window = Math.min(255, ...literals.map((literal) => literal.length));
    this.shifts = new Uint8Array(65_536).fill(Math.max(1, this.window - BLOCK + 1));
    literals.forEach((literal, number) => {
      this.enter(literal, number);
    });
  }

  /** Reports every literal that starts in `from <= position < to`; `bytes` may go on beyond `to`. */
  search(bytes: Buffer, from: number, to: number, found: OnLiteral): void {
    if (this.literals.length === 0) return;
    const { shifts, window } = this;
    const last = Math.min(bytes.length, to + window - 1);
    let end = from + window - 1;
    while (end < last) {
      const pair = ((bytes[end - 1] as number) << 8) | (bytes[end] as number);
      const shift = shifts[pair] as number;
      if (shift === 0) {
        this.check(bytes, pair, end - window + 1, found);
        end++;
      } else end += shift;
    }
  }

  private enter(literal: Buffer, number: number): void {
    for (let end = BLOCK - 1; end < this.window; end++) {
      const pair = ((literal[end - 1] ?? 0) << 8) | (literal[end] ?? 0);
      const shift = this.window - 1 - end;
      this.shifts[pair] = Math.min(this.shifts[pair] ?? 0, shift);
      if (shift === 0) this.buckets.set(pair, [...(this.buckets.get(pair) ?? []), number]);
    }
  }

  private check(bytes: Buffer, pair: number, position: number, found: OnLiteral): void {
    for (const number of this.buckets.get(pair) ?? []) {
      const literal = this.literals[number];
      if (!literal || position + literal.length > bytes.length) continue;
      if (bytes.compare(literal, 0, literal.length, position, position + literal.length) === 0)
        found(number, position);
    }
  }
}

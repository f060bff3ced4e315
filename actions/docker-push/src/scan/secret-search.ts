import { secretForms } from "./forms.ts";
import { LiteralSearch } from "./literal-search.ts";
import { isExample, LONGEST_TOKEN, TOKEN_SHAPES, type TokenShape } from "./token-shapes.ts";

/** A place in the bytes where a secret starts. */
export interface SecretHit {
  /** With an article, for a message. */
  readonly what: string;
  /** Whether it is a value that the run was given (certain), or a shape (a guess, if a good one). */
  readonly given: boolean;
  /** Bytes from the start of the stream. */
  readonly offset: number;
}

/** One image may hold the same thing thousands of times; more hits of a stream tell nothing new. */
const MOST_HITS = 1000;

/** What a run searches for; one for all layers of all its images. */
export class SecretSearch {
  private readonly shapes: readonly (TokenShape | undefined)[];
  private readonly search: LiteralSearch;
  /** Bytes that must be at hand after the start of a hit. */
  readonly reach: number;

  constructor(values: readonly string[]) {
    const forms = [...new Set(values)].flatMap(secretForms);
    this.shapes = [...forms.map(() => undefined), ...TOKEN_SHAPES];
    const literals = [...forms, ...TOKEN_SHAPES.map((shape) => Buffer.from(shape.literal))];
    this.search = new LiteralSearch(literals);
    this.reach = Math.max(LONGEST_TOKEN, ...literals.map((literal) => literal.length));
  }

  /** What a text holds, each kind once. */
  inText(text: string): SecretHit[] {
    const stream = this.stream();
    stream.push(Buffer.from(text));
    return stream.end();
  }

  /** A search over bytes that come in chunks; a match may lie across them. */
  stream(): SecretStream {
    return new SecretStream(this);
  }

  /** @internal Reports what starts in `from <= position < to`. */
  scan(
    bytes: Buffer,
    from: number,
    to: number,
    hit: (what: string, given: boolean, at: number) => void,
  ): void {
    this.search.search(bytes, from, to, (literal, at) => {
      const shape = this.shapes[literal];
      if (!shape) return hit("the value of a given secret", true, at);
      if (at > 0 && isWord(bytes[at - 1] ?? 0) && isWord(bytes[at] ?? 0)) return;
      const match = shape.shape.exec(bytes.toString("latin1", at, at + LONGEST_TOKEN));
      if (match && !isExample(match[0])) hit(shape.what, false, at);
    });
  }
}

/** See `SecretSearch.stream`. */
export class SecretStream {
  private readonly owner: SecretSearch;
  private readonly hits: SecretHit[] = [];
  private carried = Buffer.alloc(0);
  /** Where `carried` starts in the stream. */
  private base = 0;
  /** First position in `carried` that has not been searched. */
  private fresh = 0;

  constructor(owner: SecretSearch) {
    this.owner = owner;
  }

  push(chunk: Buffer): void {
    const bytes = this.carried.length === 0 ? chunk : Buffer.concat([this.carried, chunk]);
    const to = Math.max(this.fresh, bytes.length - this.owner.reach);
    this.scan(bytes, to);
    // One byte more than what is unsearched: what stands in front of a token is looked at.
    const keep = Math.max(0, to - 1);
    this.carried = Buffer.from(bytes.subarray(keep));
    this.base += keep;
    this.fresh = to - keep;
  }

  end(): SecretHit[] {
    this.scan(this.carried, this.carried.length);
    this.carried = Buffer.alloc(0);
    return this.hits;
  }

  private scan(bytes: Buffer, to: number): void {
    this.owner.scan(bytes, this.fresh, to, (what, given, at) => {
      if (this.hits.length < MOST_HITS) this.hits.push({ what, given, offset: this.base + at });
    });
  }
}

function isWord(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    byte === 0x5f ||
    (byte >= 0x61 && byte <= 0x7a)
  );
}

/** What is known of one source file. Keys tell a line (`12`), a Go block (`3.14,5.2`) or a branch (`12:0:1`). */
export interface FileCoverage {
  readonly lines: Map<string, Unit>;
  /** Hits of each branch. */
  readonly branches: Map<string, number>;
}

/** A line, or a Go block with its number of statements as weight. */
export interface Unit {
  readonly hits: number;
  readonly weight: number;
}

/** Coverage by file. */
export type Coverage = Map<string, FileCoverage>;

/** A share: how much of it was run. */
export interface Share {
  readonly covered: number;
  readonly total: number;
}

/** The file's record, made when it is new. */
export function fileIn(coverage: Coverage, file: string): FileCoverage {
  const known = coverage.get(file);
  if (known) return known;
  const fresh: FileCoverage = { lines: new Map(), branches: new Map() };
  coverage.set(file, fresh);
  return fresh;
}

/** Notes hits of a line or block; the larger count of two stays. */
export function hitLine(file: FileCoverage, key: string, hits: number, weight = 1): void {
  const before = file.lines.get(key);
  file.lines.set(key, { hits: Math.max(hits, before?.hits ?? 0), weight });
}

/** Notes hits of a branch; the larger count of two stays. */
export function hitBranch(file: FileCoverage, key: string, hits: number): void {
  file.branches.set(key, Math.max(hits, file.branches.get(key) ?? 0));
}

/** Merges `from` into `into`, file by file, line by line. */
export function mergeCoverage(into: Coverage, from: Coverage): void {
  for (const [name, file] of from) {
    const target = fileIn(into, name);
    for (const [key, unit] of file.lines) hitLine(target, key, unit.hits, unit.weight);
    for (const [key, hits] of file.branches) hitBranch(target, key, hits);
  }
}

/** Lines (or Go statements) of one file. */
export function lineShare(file: FileCoverage): Share {
  let covered = 0;
  let total = 0;
  for (const unit of file.lines.values()) {
    total += unit.weight;
    if (unit.hits > 0) covered += unit.weight;
  }
  return { covered, total };
}

/** Branches of one file. */
export function branchShare(file: FileCoverage): Share {
  const hits = [...file.branches.values()];
  return { covered: hits.filter((count) => count > 0).length, total: hits.length };
}

/** The sum over files. */
export function sumShares(shares: Iterable<Share>): Share {
  let covered = 0;
  let total = 0;
  for (const share of shares) {
    covered += share.covered;
    total += share.total;
  }
  return { covered, total };
}

/** Unrounded percent; undefined when there is nothing to cover. */
export function percentOf(share: Share): number | undefined {
  return share.total === 0 ? undefined : (share.covered / share.total) * 100;
}

/** Percent with two decimals, rounded down: 79.999 never reads as 80. */
export function showPercent(percent: number | undefined): string {
  return percent === undefined ? "" : (Math.floor(percent * 100 + 1e-9) / 100).toFixed(2);
}

/** Longest file that is still read at one sitting, lines. */
const LONGEST = 300;

/** Entries only name things, and run.ts tells the story in verbs. */
const LIMITS: readonly (readonly [RegExp, number])[] = [
  [/^actions\/[^/]+\/src\/index\.ts$/, 20],
  [/^actions\/[^/]+\/src\/run\.ts$/, 100],
];

/** A line that says which file is too long, "" when it is not. */
export function sizeProblem(path: string, code: string): string {
  const lines = code.trimEnd().split("\n").length;
  const limit = LIMITS.find(([pattern]) => pattern.test(path))?.[1] ?? LONGEST;
  return lines > limit ? `${path}: ${lines} lines, allowed are ${limit}` : "";
}

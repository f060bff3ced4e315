import { expressionProblem } from "./expressions.ts";

/** Reads the `branch-tags` input: each branch with the tags that a push to it sets, at commas. */
export function parseBranchTags(pairs: ReadonlyMap<string, string>): {
  readonly map: ReadonlyMap<string, readonly string[]>;
  readonly problems: readonly string[];
} {
  const map = new Map<string, readonly string[]>();
  const problems: string[] = [];
  for (const [branch, text] of pairs) {
    const tags = text
      .split(",")
      .map((tag) => tag.trim())
      .filter((tag) => tag !== "");
    if (tags.length === 0) problems.push(`\`${branch}\` has no tags`);
    for (const tag of tags) {
      const problem = expressionProblem(tag, false);
      if (problem !== "") problems.push(`\`${branch}=${text}\` ${problem}`);
    }
    map.set(branch, tags);
  }
  return { map, problems };
}

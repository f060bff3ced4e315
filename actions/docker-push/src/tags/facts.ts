/** What is known of the commit and of the event, from the runner, the event's payload and git alone. */
export interface Facts {
  /** `refs/heads/main`, `refs/tags/v1.2.3`, `refs/pull/7/merge`; may be "". */
  readonly ref: string;
  readonly eventName: string;
  readonly sha: string;
  /** Branch that a pull request goes to or that a tag was pushed from, "" when unknown. */
  readonly baseRef: string;
  /** "" when unknown: then `main` and `master` are taken for it. */
  readonly defaultBranch: string;
  readonly now: Date;
  readonly commitTime: Date;
}

/** Names that exist already. */
export interface KnownNames {
  readonly gitTags: readonly string[];
  readonly branches: readonly string[];
  /** Tags of the repositories that are pushed to. */
  readonly registryTags: readonly string[];
}

/** The branch's name, "" when the ref is none. */
export function branchOf(facts: Pick<Facts, "ref">): string {
  return facts.ref.startsWith("refs/heads/") ? facts.ref.slice("refs/heads/".length) : "";
}

/** The git tag's name, "" when the ref is none. */
export function gitTagOf(facts: Pick<Facts, "ref">): string {
  return facts.ref.startsWith("refs/tags/") ? facts.ref.slice("refs/tags/".length) : "";
}

/** Number of the pull request, "" when the ref is none. */
export function pullRequestOf(facts: Pick<Facts, "ref">): string {
  return /^refs\/pull\/(\d+)\//.exec(facts.ref)?.[1] ?? "";
}

/** Whether the commit is on the repository's default branch. */
export function isDefaultBranch(facts: Facts): boolean {
  const branch = branchOf(facts);
  if (branch === "") return false;
  return facts.defaultBranch === "" ? ["main", "master"].includes(branch) : branch === facts.defaultBranch;
}

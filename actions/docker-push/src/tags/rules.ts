/** The kinds of rules that the `tags` input knows. */
export const RULE_TYPES = ["schedule", "semver", "match", "edge", "ref", "raw", "sha"] as const;
export type RuleType = (typeof RULE_TYPES)[number];

/** One line of the `tags` input; expressions are still in it. */
export interface Rule {
  readonly type: RuleType;
  /** `true`, `false` or an expression that gives one of them. */
  readonly enable: string;
  /** The highest first; the first rule that gives a value gives the `version`. */
  readonly priority: number;
  /** Undefined: the flavor's. */
  readonly prefix: string | undefined;
  readonly suffix: string | undefined;
  readonly pattern: string;
  readonly value: string;
  /** `ref` only. */
  readonly event: "branch" | "tag" | "pr";
  /** `match` only: number of the group of the pattern. */
  readonly group: number;
  /** `edge` only; "" is the default branch. */
  readonly branch: string;
  /** `sha` only. */
  readonly format: "short" | "long";
}

/** The `flavor` input. */
export interface Flavor {
  readonly latest: "auto" | "true" | "false";
  readonly prefix: string;
  readonly suffix: string;
  /** Whether `latest` gets the prefix or the suffix too. */
  readonly prefixLatest: boolean;
  readonly suffixLatest: boolean;
}

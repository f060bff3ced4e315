/** An immutable tag names one build for ever (a version, a commit); a moving one follows a branch, `latest`, X or X.Y. */
export type TagKind = "immutable" | "moving";

/** One tag that a run is to set in every repository. */
export interface PlannedTag {
  readonly tag: string;
  readonly kind: TagKind;
  /** Position in which tags are set, from 0: immutable ones first, `latest` last. */
  readonly order: number;
}

/** What a run calls its image; the same for every repository. */
export interface TagPlan {
  /** The value of the most important rule (the `version` output), "" when no rule gave one. */
  readonly version: string;
  /** Whether a tag moves only because no higher version is known: the registries' tags should be known too. */
  readonly isForward: boolean;
  /** Sorted by `order`. */
  readonly tags: readonly PlannedTag[];
  /** Things a reader should know: collisions, a `latest` that stays where it is. One line each. */
  readonly notices: readonly string[];
}

import type { PlannedTag } from "./plan.ts";

/** The `overwrite` input: which existing tags may be given another digest. */
export type Overwrite = "never" | "moving" | "always";

/** What is to be done with one tag of one repository. */
export type TagMove =
  | { readonly kind: "create" }
  | { readonly kind: "same" }
  | { readonly kind: "move"; readonly from: string }
  /** The tag exists with another digest and may not be moved (`TAG_IMMUTABLE`). */
  | { readonly kind: "refuse"; readonly from: string };

/**
 * Decides about one tag: `existing` is the digest that it has in the registry
 * now (undefined: there is no such tag), `digest` the one it is to have.
 */
export function decideMove(
  tag: Pick<PlannedTag, "kind">,
  existing: string | undefined,
  digest: string,
  overwrite: Overwrite,
): TagMove {
  if (existing === undefined) return { kind: "create" };
  if (existing === digest) return { kind: "same" };
  const allowed = overwrite === "always" || (overwrite === "moving" && tag.kind === "moving");
  return { kind: allowed ? "move" : "refuse", from: existing };
}

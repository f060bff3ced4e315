import { expect } from "@jest/globals";
import type { Facts, KnownNames } from "../src/tags/facts.ts";
import { parseFlavor } from "../src/tags/flavor.ts";
import { parseRules } from "../src/tags/parse-rules.ts";
import type { TagPlan } from "../src/tags/plan.ts";
import { planTags } from "../src/tags/plan-tags.ts";

const USUAL = [
  "type=ref,event=branch",
  "type=ref,event=tag",
  "type=ref,event=pr",
  "type=semver,pattern={{version}}",
  "type=semver,pattern={{major}}.{{minor}}",
  "type=sha",
];
const BRANCHES = new Map([
  ["main", ["main", "latest"]],
  ["dev", ["dev"]],
]);
const SHA = "0123456789abcdef0123456789abcdef01234567";

/** What a plan is made from, beside the ref. */
export interface TagCase {
  readonly tags?: readonly string[];
  readonly flavor?: readonly string[];
  readonly branchTags?: ReadonlyMap<string, readonly string[]>;
  readonly facts?: Partial<Facts>;
  readonly known?: Partial<KnownNames>;
}

/** The plan for a ref in a repository whose default branch is main. */
export function plan(ref: string, given: TagCase = {}): TagPlan {
  const { rules, problems } = parseRules(given.tags ?? USUAL);
  const flavor = parseFlavor(given.flavor ?? ["latest=auto"]);
  expect([...problems, ...flavor.problems]).toEqual([]);
  const facts: Facts = {
    ref,
    eventName: ref.startsWith("refs/pull/") ? "pull_request" : "push",
    sha: SHA,
    baseRef: "",
    defaultBranch: "main",
    now: new Date("2026-03-04T05:06:07Z"),
    commitTime: new Date("2026-01-02T03:04:05Z"),
    ...given.facts,
  };
  const known = { gitTags: [], branches: [], registryTags: [], ...given.known };
  return planTags({ rules, flavor: flavor.flavor, branchTags: given.branchTags ?? BRANCHES }, facts, known);
}

/** Names of the tags, in the order in which they are set. */
export const namesOf = (ref: string, given?: TagCase) => plan(ref, given).tags.map(({ tag }) => tag);

import { Failure } from "../../../../lib/errors.ts";
import { type Candidate, candidatesOf, dress, isEnabled } from "./candidates.ts";
import { cleanTag } from "./clean.ts";
import { renderExpressions } from "./expressions.ts";
import { branchOf, type Facts, gitTagOf, type KnownNames, pullRequestOf } from "./facts.ts";
import { knownVersions, type Overtaken, overtakenBy } from "./forward.ts";
import type { PlannedTag, TagKind, TagPlan } from "./plan.ts";
import type { Flavor, Rule } from "./rules.ts";
import type { Version } from "./versions.ts";

/** The inputs that tags are planned from. */
export interface TagWishes {
  readonly rules: readonly Rule[];
  readonly flavor: Flavor;
  readonly branchTags: ReadonlyMap<string, readonly string[]>;
}

/**
 * Plans the tags of a run: what the rules give, what the branch is mapped to,
 * and `latest`. Throws TAG_INVALID when a git tag was pushed and the rules
 * that should read a version from it find none.
 */
export function planTags(wishes: TagWishes, facts: Facts, known: KnownNames): TagPlan {
  const all = candidatesOf(wishes.rules, wishes.flavor, facts);
  requireVersion(wishes, facts, all);
  const draft = new Draft();
  const latest = latestName(wishes.flavor, facts);
  for (const candidate of all) {
    if (candidate.tag === latest) continue;
    const overtaken = candidate.follows && overtakenBy(candidate, wishes.flavor, facts, known);
    if (overtaken) draft.notices.push(`\`${candidate.tag}\` stays where it is: ${why(overtaken)}`);
    else draft.add(candidate.tag, candidate.kind, candidate.follows !== undefined);
  }
  for (const tag of mappedTags(wishes, facts)) if (tag !== latest) draft.add(tag, "moving");
  const fate = fateOfLatest(latest, { wishes, facts, known, all, release: releaseOf(all) });
  if (fate === "forced" || fate === "forward") draft.add(latest, "moving", fate === "forward");
  else if (fate !== "unwanted") draft.notices.push(`\`${latest}\` stays where it is: ${fate.stays}`);
  draft.notices.push(...collisions(all, facts, known));
  const version = all.find((item) => item.tag !== latest || all.length === 1)?.tag ?? draft.first() ?? "";
  return { version, tags: draft.sorted(latest), isForward: draft.isForward, notices: draft.notices };
}

/** The tags of a plan in the making. */
class Draft {
  readonly notices: string[] = [];
  isForward = false;
  private readonly kinds = new Map<string, TagKind>();

  /** The first rule that gives a tag says what kind it is. */
  add(tag: string, kind: TagKind, isForward = false): void {
    if (tag === "" || this.kinds.has(tag)) return;
    this.kinds.set(tag, kind);
    this.isForward ||= isForward;
  }

  first(): string | undefined {
    return this.kinds.keys().next().value;
  }

  sorted(latest: string): PlannedTag[] {
    const rank = (tag: string, kind: TagKind) => (tag === latest ? 2 : kind === "moving" ? 1 : 0);
    return [...this.kinds]
      .map(([tag, kind]) => ({ tag, kind, rank: rank(tag, kind) }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ tag, kind }, order) => ({ tag, kind, order }));
  }
}

function latestName(flavor: Flavor, facts: Facts): string {
  const prefix = flavor.prefixLatest ? flavor.prefix : "";
  const suffix = flavor.suffixLatest ? flavor.suffix : "";
  return cleanTag(renderExpressions(`${prefix}latest${suffix}`, facts));
}

/** The candidate that says which version this run releases. */
function releaseOf(all: readonly Candidate[]): (Candidate & { readonly version: Version }) | undefined {
  return all.find((item): item is Candidate & { version: Version } => item.version !== undefined);
}

function mappedTags({ branchTags, flavor }: TagWishes, facts: Facts): string[] {
  const tags = branchTags.get(branchOf(facts)) ?? [];
  const plain = { prefix: undefined, suffix: undefined };
  return tags.map((tag) => {
    const text = renderExpressions(tag, facts);
    return text === "latest" ? latestName(flavor, facts) : cleanTag(dress(text, plain, flavor, facts));
  });
}

interface LatestGround {
  readonly wishes: TagWishes;
  readonly facts: Facts;
  readonly known: KnownNames;
  readonly all: readonly Candidate[];
  readonly release: (Candidate & { readonly version: Version }) | undefined;
}

type FateOfLatest = "unwanted" | "forced" | "forward" | { readonly stays: string };

/** `latest` follows releases forward; before the first release it may follow a branch. */
function fateOfLatest(latest: string, ground: LatestGround): FateOfLatest {
  const { wishes, facts, known, all, release } = ground;
  const { flavor } = wishes;
  const ruled = all.find((item) => item.tag === latest);
  if (flavor.latest === "true" && all.length > 0) return "forced";
  const isNamed = ruled !== undefined && ruled.rule.type !== "ref";
  const wantedByRelease = flavor.latest === "auto" && pullRequestOf(facts) === "";
  if (release && (isNamed || wantedByRelease)) {
    if (release.version.isPrerelease) return { stays: `${release.version.text} is a pre-release` };
    const overtaken = overtakenBy({ ...release, follows: "all" }, flavor, facts, known);
    return overtaken ? { stays: why(overtaken) } : "forward";
  }
  if (isNamed) return "forced";
  const byBranch = ruled !== undefined || mappedTags(wishes, facts).includes(latest);
  if (!byBranch || flavor.latest === "false") return "unwanted";
  const [first] = knownVersions(undefined, flavor, facts, known);
  if (!first) return "forward";
  return { stays: `it follows versions only, since there is ${first.name} (${first.source})` };
}

function why(overtaken: Overtaken): string {
  return `${overtaken.by} (${overtaken.source}) is above ${overtaken.version}`;
}

/** A pushed git tag of which no version comes would be a release that nobody can see. */
function requireVersion({ rules }: TagWishes, facts: Facts, all: readonly Candidate[]): void {
  const gitTag = gitTagOf(facts);
  const readers = rules.filter(
    (rule) =>
      (rule.type === "semver" || rule.type === "match") && rule.value === "" && isEnabled(rule, facts),
  );
  if (gitTag === "" || readers.length === 0) return;
  if (all.some((item) => item.rule.type === "semver" || item.rule.type === "match")) return;
  const reason = readers.some((rule) => rule.type === "semver")
    ? "it is no version such as `v1.2.3` or `v1.16`"
    : "no pattern of a `type=match` rule fits it";
  throw new Failure(`the git tag \`${gitTag}\` gives no version tag: ${reason}`, {
    code: "TAG_INVALID",
    fix: "name the git tag as a version, or take the `type=semver` and `type=match` rules out of `tags` for it (their `enable` attribute)",
  });
}

/** Branches whose names differ and whose tags would not. */
function collisions(all: readonly Candidate[], facts: Facts, known: KnownNames): string[] {
  const branch = branchOf(facts);
  const own = all.find((item) => item.rule.type === "ref" && item.rule.event === "branch");
  if (branch === "" || !own) return [];
  const cleaned = cleanTag(branch);
  const others = [...new Set(known.branches)].filter((name) => name !== branch && cleanTag(name) === cleaned);
  if (others.length === 0) return [];
  const names = others.slice(0, 5).map((name) => `\`${name}\``);
  const rest = others.length > 5 ? ` and ${others.length - 5} more` : "";
  return [
    `the branch \`${branch}\` has the tag \`${own.tag}\`, and so has the branch ${names.join(", ")}${rest}: each push of one takes it from the other`,
  ];
}

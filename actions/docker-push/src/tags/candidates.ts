import { cleanTag } from "./clean.ts";
import { holdsExpression, namesWholeVersion, renderExpressions } from "./expressions.ts";
import { branchOf, type Facts, gitTagOf, isDefaultBranch, pullRequestOf } from "./facts.ts";
import { matchPattern } from "./parse-rules.ts";
import type { TagKind } from "./plan.ts";
import type { Flavor, Rule } from "./rules.ts";
import { parseVersion, type Version } from "./versions.ts";

/** What one rule gives in this run. */
export interface Candidate {
  /** Clean, prefix and suffix included. */
  readonly tag: string;
  readonly kind: TagKind;
  readonly rule: Rule;
  /** The version that the value stands for, where it stands for one. */
  readonly version?: Version;
  /** The tag follows the highest version: of all, of its major, or of its major and minor number. */
  readonly follows?: "all" | "major" | "minor";
}

/** What the rules that are enabled give, the most important first; a rule that does not apply gives nothing. */
export function candidatesOf(rules: readonly Rule[], flavor: Flavor, facts: Facts): Candidate[] {
  return rules
    .filter((rule) => isEnabled(rule, facts))
    .sort((a, b) => b.priority - a.priority)
    .flatMap((rule) => {
      const value = ruleValue(rule, facts);
      if (!value || value.text === "") return [];
      const { text, ...rest } = value;
      return [{ ...rest, tag: cleanTag(dress(text, rule, flavor, facts)), rule }];
    });
}

/** Whether the rule counts in this run. */
export function isEnabled(rule: Rule, facts: Facts): boolean {
  return renderExpressions(rule.enable, facts) === "true";
}

/** The value between the prefix and the suffix of its rule, else of the flavor. */
export function dress(
  text: string,
  rule: Pick<Rule, "prefix" | "suffix">,
  flavor: Flavor,
  facts: Facts,
): string {
  const prefix = renderExpressions(rule.prefix ?? flavor.prefix, facts);
  const suffix = renderExpressions(rule.suffix ?? flavor.suffix, facts);
  return `${prefix}${text}${suffix}`;
}

type Value = Omit<Candidate, "tag" | "rule"> & { readonly text: string };

function ruleValue(rule: Rule, facts: Facts): Value | undefined {
  switch (rule.type) {
    case "semver":
      return semverValue(rule, facts);
    case "match":
      return matchValue(rule, facts);
    case "schedule": {
      if (facts.eventName !== "schedule") return undefined;
      // With a date in it each run has its own; `nightly` is one that follows.
      const dated = ["date", "commit_date", "sha"].some((name) => holdsExpression(rule.pattern, name));
      const kind = dated ? "immutable" : "moving";
      return { text: renderExpressions(rule.pattern, facts), kind };
    }
    case "edge": {
      const branch = renderExpressions(rule.branch, facts);
      const applies = branch === "" ? isDefaultBranch(facts) : branchOf(facts) === branch;
      return applies ? { text: "edge", kind: "moving" } : undefined;
    }
    case "ref":
      return refValue(rule, facts);
    case "raw": {
      const text = renderExpressions(rule.value, facts);
      return { text, kind: followsSomething(text, facts) ? "moving" : "immutable" };
    }
    case "sha": {
      const text = rule.format === "long" ? facts.sha : facts.sha.slice(0, 7);
      return { text, kind: "immutable" };
    }
  }
}

/** A name that is meant to move: `latest`, X, X.Y, or the branch's own. */
export function followsSomething(text: string, facts: Facts): boolean {
  const branch = branchOf(facts);
  return text === "latest" || /^v?\d+(\.\d+)?$/.test(text) || (branch !== "" && text === branch);
}

function refValue(rule: Rule, facts: Facts): Value | undefined {
  if (rule.event === "branch") return { text: branchOf(facts), kind: "moving" };
  if (rule.event === "pr") return { text: pullRequestOf(facts), kind: "moving" };
  const text = gitTagOf(facts);
  const version = parseVersion(text);
  const kind = isShortVersion(text) ? "moving" : "immutable";
  return { text, kind, ...(version ? { version } : {}) };
}

/** `v1` as a git tag is moved with each release, as actions do it; `v1.16` may be a release and stays. */
function isShortVersion(text: string): boolean {
  return /^v?\d+$/.test(text);
}

function semverValue(rule: Rule, facts: Facts): Value | undefined {
  const raw = rule.value === "" ? gitTagOf(facts) : renderExpressions(rule.value, facts);
  const version = parseVersion(raw);
  if (!version) return undefined;
  const given = { raw, version };
  if (namesWholeVersion(rule.pattern)) {
    return { text: renderExpressions(rule.pattern, facts, given), kind: "immutable", version };
  }
  // 1.2 must not name 1.2.0-rc.1: a pre-release has its full name only.
  if (version.isPrerelease) return { text: version.text, kind: "immutable", version };
  return {
    text: renderExpressions(rule.pattern, facts, given),
    kind: "moving",
    version,
    follows: followedBy(rule.pattern),
  };
}

function matchValue(rule: Rule, facts: Facts): Value | undefined {
  const raw = rule.value === "" ? gitTagOf(facts) : renderExpressions(rule.value, facts);
  const text = matchPattern(rule.pattern).exec(raw)?.[rule.group];
  if (raw === "" || text === undefined || text === "") return undefined;
  const version = parseVersion(text);
  if (!version) return { text, kind: "immutable" };
  const numbers = text.replace(/^v/, "").split("-")[0]?.split(".").length ?? 3;
  if (numbers >= 3 || version.isPrerelease) return { text, kind: "immutable", version };
  return { text, kind: "moving", version, follows: numbers === 2 ? "minor" : "major" };
}

function followedBy(pattern: string): "all" | "major" | "minor" {
  if (holdsExpression(pattern, "minor")) return "minor";
  return holdsExpression(pattern, "major") ? "major" : "all";
}

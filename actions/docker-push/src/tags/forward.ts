import type { Candidate } from "./candidates.ts";
import { renderExpressions } from "./expressions.ts";
import type { Facts, KnownNames } from "./facts.ts";
import { matchPattern } from "./parse-rules.ts";
import type { Flavor, Rule } from "./rules.ts";
import { highestRelease, isHigher, type Version, versionAmongOthers } from "./versions.ts";

/** A release that exists, and where it was seen. */
export interface KnownVersion {
  readonly name: string;
  readonly source: "git tag" | "registry";
  readonly version: Version;
}

/** Why a tag stays. */
export interface Overtaken {
  readonly by: string;
  readonly source: string;
  readonly version: string;
}

/**
 * The releases among git tags and image tags. Names are read as the rule reads
 * its own (`api/v1.2.3` through its pattern), so that the parts of a monorepo
 * do not overtake each other, and only image tags of the same flavor count.
 */
export function knownVersions(
  rule: Rule | undefined,
  flavor: Flavor,
  facts: Facts,
  known: KnownNames,
): KnownVersion[] {
  const fromGit = known.gitTags.map((name) => ({
    name,
    source: "git tag" as const,
    text: readAs(rule, name),
  }));
  const prefix = renderExpressions(rule?.prefix ?? flavor.prefix, facts);
  const suffix = renderExpressions(rule?.suffix ?? flavor.suffix, facts);
  const fromRegistry = known.registryTags
    .filter((name) => name.startsWith(prefix) && name.endsWith(suffix))
    .map((name) => ({
      name,
      source: "registry" as const,
      text: name.slice(prefix.length, name.length - suffix.length),
    }));
  return [...fromGit, ...fromRegistry].flatMap(({ name, source, text }) => {
    const version = versionAmongOthers(text);
    return version && !version.isPrerelease ? [{ name, source, version }] : [];
  });
}

/** The release that keeps a tag from moving to this candidate, undefined when it may move. */
export function overtakenBy(
  candidate: Pick<Candidate, "rule" | "version" | "follows">,
  flavor: Flavor,
  facts: Facts,
  known: KnownNames,
): Overtaken | undefined {
  const { version, follows } = candidate;
  if (!version) return undefined;
  const rivals = knownVersions(candidate.rule, flavor, facts, known).filter(
    (rival) =>
      follows === "all" ||
      (rival.version.major === version.major &&
        (follows === "major" || rival.version.minor === version.minor)),
  );
  const highest = highestRelease(rivals.map((rival) => rival.version));
  if (!highest || !isHigher(highest, version)) return undefined;
  const rival = rivals.find((item) => item.version === highest);
  return { by: rival?.name ?? highest.text, source: rival?.source ?? "", version: version.text };
}

function readAs(rule: Rule | undefined, name: string): string {
  if (rule?.type !== "match" || rule.value !== "") return name;
  return matchPattern(rule.pattern).exec(name)?.[rule.group] ?? "";
}

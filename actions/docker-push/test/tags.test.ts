import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import semver from "semver";
import { Failure } from "../../../lib/errors.ts";
import { isTag } from "../src/registry/names.ts";
import { cleanTag } from "../src/tags/clean.ts";
import type { KnownNames } from "../src/tags/facts.ts";
import { isHigher, parseVersion, versionAmongOthers } from "../src/tags/versions.ts";
import { namesOf, plan } from "./tag-kit.ts";

describe("the usual rules", () => {
  test.each([
    ["refs/heads/main", ["sha-0123456", "main", "latest"], "main"],
    ["refs/heads/dev", ["sha-0123456", "dev"], "dev"],
    ["refs/heads/feature/a b", ["sha-0123456", "feature-a-b"], "feature-a-b"],
    ["refs/pull/7/merge", ["sha-0123456", "pr-7"], "pr-7"],
    ["refs/tags/v1.2.3", ["1.2.3", "v1.2.3", "sha-0123456", "1.2", "latest"], "1.2.3"],
    ["refs/tags/1.2.3", ["1.2.3", "sha-0123456", "1.2", "latest"], "1.2.3"],
    ["refs/tags/v1.16", ["1.16.0", "v1.16", "sha-0123456", "1.16", "latest"], "1.16.0"],
    ["refs/tags/v2", ["2.0.0", "sha-0123456", "2.0", "v2", "latest"], "2.0.0"],
    ["refs/tags/v1.0.0-rc.1", ["1.0.0-rc.1", "v1.0.0-rc.1", "sha-0123456"], "1.0.0-rc.1"],
    ["refs/tags/v1.0.0+build.5", ["1.0.0", "v1.0.0-build.5", "sha-0123456", "1.0", "latest"], "1.0.0"],
  ])("%s", (ref, tags, version) => {
    expect([namesOf(ref), plan(ref).version]).toEqual([tags, version]);
  });

  test("a git tag that is no version fails with the reason", () => {
    expect(() => plan("refs/tags/stable")).toThrow(Failure);
    expect(() => plan("refs/tags/stable")).toThrow("`stable` gives no version tag");
    expect(namesOf("refs/tags/stable", { tags: ["type=ref,event=tag"] })).toEqual(["stable"]);
  });

  test("immutable tags come first and `latest` last", () => {
    const kinds = plan("refs/tags/v1.2.3").tags.map(({ kind, order }) => `${order} ${kind}`);
    expect(kinds).toEqual(["0 immutable", "1 immutable", "2 immutable", "3 moving", "4 moving"]);
  });
});

describe("`latest`, X and X.Y move forward only", () => {
  const tags = [
    "type=semver,pattern={{version}}",
    "type=semver,pattern={{major}}.{{minor}}",
    "type=semver,pattern={{major}}",
  ];
  test.each<[string, Partial<KnownNames>, string[]]>([
    ["v1.9.1", { gitTags: ["v2.0.1", "v1.9.1"] }, ["1.9.1", "1.9", "1"]],
    ["v1.9.1", { registryTags: ["2.0.1", "latest", "2.0"] }, ["1.9.1", "1.9", "1"]],
    ["v1.9.1", { gitTags: ["v1.9.2"] }, ["1.9.1"]],
    ["v1.9.1", { gitTags: ["v1.10.0"] }, ["1.9.1", "1.9"]],
    ["v2.0.1", { gitTags: ["v1.9.1", "v3.0.0-rc.1"] }, ["2.0.1", "2.0", "2", "latest"]],
    [
      "v2.0.1",
      { registryTags: ["20260101", "4711", "sha-abc", "5.0.0-alpine"] },
      ["2.0.1", "2.0", "2", "latest"],
    ],
    ["v2.0.1", { gitTags: ["v2.0.1"], registryTags: ["2.0.1", "latest"] }, ["2.0.1", "2.0", "2", "latest"]],
    ["v3.0.0-rc.1", {}, ["3.0.0-rc.1"]],
  ])("%s beside %j", (tag, known, expected) => {
    expect(namesOf(`refs/tags/${tag}`, { tags, known })).toEqual(expected);
  });

  test("what stays is said, with the version that keeps it", () => {
    const { notices } = plan("refs/tags/v1.9.1", { tags, known: { gitTags: ["v2.0.1"] } });
    expect(notices).toEqual(["`latest` stays where it is: v2.0.1 (git tag) is above 1.9.1"]);
  });

  test("`latest=true` forces it, `latest=false` never sets it", () => {
    const known = { gitTags: ["v2.0.1"] };
    expect(namesOf("refs/tags/v1.9.1", { tags, known, flavor: ["latest=true"] })).toContain("latest");
    expect(namesOf("refs/tags/v2.0.1", { tags, known, flavor: ["latest=false"] })).not.toContain("latest");
    expect(namesOf("refs/heads/main", { flavor: ["latest=false"] })).not.toContain("latest");
  });

  test("of a branch it is only until there is a version", () => {
    expect(namesOf("refs/heads/main", { known: { registryTags: ["1.0.0-rc.1", "main"] } })).toContain(
      "latest",
    );
    expect(namesOf("refs/heads/main", { known: { registryTags: ["0.1.0"] } })).not.toContain("latest");
    expect(namesOf("refs/heads/main", { known: { gitTags: ["v0.1.0"] } })).not.toContain("latest");
    expect(namesOf("refs/heads/latest", { known: { gitTags: ["v0.1.0"] } })).not.toContain("latest");
  });

  test("a tag named `latest` by the user is his word for a branch, and not for an older version", () => {
    const given = { tags: ["latest"], known: { gitTags: ["v2.0.1"] }, branchTags: new Map() };
    expect(namesOf("refs/heads/main", given)).toEqual(["latest"]);
    expect(
      namesOf("refs/tags/v1.0.0", { ...given, tags: ["latest", "type=semver,pattern={{version}}"] }),
    ).toEqual(["1.0.0"]);
  });

  test("parts of a monorepo do not overtake each other", () => {
    const given = {
      tags: ["type=match,pattern=api/v(.*),group=1"],
      known: { gitTags: ["web/v9.0.0", "api/v1.0.0", "api/v1.2.0"] },
    };
    expect(namesOf("refs/tags/api/v1.2.0", given)).toEqual(["1.2.0", "latest"]);
    expect(namesOf("refs/tags/api/v1.1.0", given)).toEqual(["1.1.0"]);
  });

  test("only image tags of the same flavor count", () => {
    const given = { tags, flavor: ["suffix=-alpine,onlatest=true"], known: { registryTags: ["2.0.0"] } };
    expect(namesOf("refs/tags/v1.0.0", given)).toEqual([
      "1.0.0-alpine",
      "1.0-alpine",
      "1-alpine",
      "latest-alpine",
    ]);
    const older = { ...given, known: { registryTags: ["2.0.0-alpine"] } };
    expect(namesOf("refs/tags/v1.0.0", older)).toEqual(["1.0.0-alpine", "1.0-alpine", "1-alpine"]);
  });
});

describe("tags follow the grammar of registries", () => {
  const refs = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ unit: "grapheme", maxLength: 80 }),
    fc.stringMatching(/^[A-Za-z0-9._/#@+-]{1,300}$/),
  );

  test("whatever the branch is called: 10,000 names", () => {
    fc.assert(
      fc.property(refs, (name) => {
        const tags = namesOf(`refs/heads/${name}`, { tags: ["type=ref,event=branch", "type=sha"] });
        return tags.every(isTag) && (name === "" || tags.length >= 2);
      }),
      { numRuns: 10_000 },
    );
  });

  test("a clean name stays as it is, and cleaning twice is cleaning once", () => {
    fc.assert(
      fc.property(refs, (name) => {
        const once = cleanTag(name);
        return cleanTag(once) === once && (!isTag(name) || !/[A-Za-z0-9]/.test(name) || once === name);
      }),
      { numRuns: 10_000 },
    );
  });

  test("long names that differ only at their end keep apart", () => {
    const long = "x".repeat(200);
    const [one, two] = [cleanTag(`${long}1`), cleanTag(`${long}2`)];
    expect([one?.length, one === two]).toEqual([128, false]);
    expect(cleanTag("日本")).not.toBe(cleanTag("中国"));
    expect([cleanTag(".hidden"), cleanTag("-dash"), cleanTag("Feature_A.b")]).toEqual([
      "_.hidden",
      "_-dash",
      "Feature_A.b",
    ]);
  });
});

describe("versions", () => {
  const version = fc
    .tuple(fc.nat(30), fc.nat(30), fc.nat(30), fc.constantFrom("", "-rc.1", "-rc.2", "-alpha", "-1"))
    .map(([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre}`);

  test("are ordered as semver orders them", () => {
    fc.assert(
      fc.property(version, version, (one, other) => {
        const [a, b] = [parseVersion(`v${one}`), parseVersion(other)];
        return a !== undefined && b !== undefined && isHigher(a, b) === semver.gt(one, other);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["v1.16", "1.16.0"],
    ["1", "1.0.0"],
    ["v1.2.3-rc.1+5", "1.2.3-rc.1"],
    ["release", undefined],
    ["v1.2.3.4", undefined],
    ["1.2.x", undefined],
    ["v01.2.3", "1.2.3"],
  ])("%s is %s", (text, expected) => {
    expect(parseVersion(text)?.text).toBe(expected);
  });

  test("a lone number of somebody else's is no version", () => {
    expect([versionAmongOthers("20260101"), versionAmongOthers("v3")?.text]).toEqual([undefined, "3.0.0"]);
  });

  test("after any order of releases `latest` names the highest", () => {
    fc.assert(
      fc.property(fc.uniqueArray(version, { minLength: 1, maxLength: 8 }), (versions) => {
        const pushed: string[] = [];
        let latest: string | undefined;
        for (const text of versions) {
          pushed.push(`v${text}`);
          const known = { gitTags: [...pushed] };
          if (
            namesOf(`refs/tags/v${text}`, { tags: ["type=semver,pattern={{version}}"], known }).includes(
              "latest",
            )
          ) {
            latest = text;
          }
        }
        const stable = versions.filter((text) => !semver.prerelease(text)).sort(semver.rcompare);
        return latest === stable[0];
      }),
      { numRuns: 500 },
    );
  });
});

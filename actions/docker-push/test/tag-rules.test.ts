import { describe, expect, test } from "@jest/globals";
import { formatDate } from "../src/tags/dates.ts";
import { parseFlavor } from "../src/tags/flavor.ts";
import { parseRules } from "../src/tags/parse-rules.ts";
import { namesOf, plan, type TagCase } from "./tag-kit.ts";

describe("rules", () => {
  test.each<[string, string, TagCase["facts"], string[]]>([
    ["type=schedule", "refs/heads/main", { eventName: "schedule" }, ["nightly"]],
    ["type=schedule,pattern={{date 'YYYYMMDD'}}", "refs/heads/main", { eventName: "schedule" }, ["20260304"]],
    ["type=schedule", "refs/heads/main", {}, []],
    ["type=edge", "refs/heads/main", {}, ["edge"]],
    ["type=edge,branch=dev", "refs/heads/main", {}, []],
    ["type=edge,branch=dev", "refs/heads/dev", {}, ["edge"]],
    ["type=raw,value=v-{{sha}}", "refs/heads/main", {}, ["v-0123456"]],
    [
      "type=raw,value={{branch}}-{{date 'YYYY-MM-DD[T]HHmm' tz='Asia/Tokyo'}}",
      "refs/heads/main",
      {},
      ["main-2026-03-04T1406"],
    ],
    ["type=raw,value={{commit_date 'YYYYMMDD'}}", "refs/heads/main", {}, ["20260102"]],
    ["type=raw,value=x,enable={{is_default_branch}}", "refs/heads/main", {}, ["x"]],
    ["type=raw,value=x,enable={{is_default_branch}}", "refs/heads/dev", {}, []],
    ["type=raw,value=x,enable=false", "refs/heads/main", {}, []],
    ["type=sha,format=long", "refs/heads/main", {}, ["sha-0123456789abcdef0123456789abcdef01234567"]],
    ["type=sha,prefix=", "refs/heads/main", {}, ["0123456"]],
    ["type=ref,event=branch,prefix=b-,suffix=-{{sha}}", "refs/heads/main", {}, ["b-main-0123456"]],
    ["type=semver,pattern={{version}},value=v3.1", "refs/heads/main", {}, ["3.1.0", "latest"]],
    ["type=semver,pattern=v{{raw}}-{{major}}", "refs/tags/1.2.3", {}, ["v1.2.3-1", "latest"]],
    ['type=match,"pattern=\\d{1,3}.\\d{1,3}"', "refs/tags/v1.2.3", {}, ["1.2", "latest"]],
    ["type=match,pattern=/RELEASE-(.*)/i,group=1", "refs/tags/release-blue", {}, ["blue"]],
    ["stable,1.0", "refs/heads/main", {}, ["stable", "1.0"]],
    [
      "type=ref,event=branch",
      "refs/heads/gh-readonly-queue/main/pr-1-abc",
      {},
      ["gh-readonly-queue-main-pr-1-abc"],
    ],
  ])("%s on %s", (rule, ref, facts, expected) => {
    const given: TagCase = { tags: [rule], branchTags: new Map(), ...(facts ? { facts } : {}) };
    expect(namesOf(ref, given)).toEqual(expected);
  });

  test("the highest priority gives the version; two rules that give one tag give it once", () => {
    const tags = ["type=raw,value=main", "type=ref,event=branch", "type=raw,value=first,priority=2000"];
    const { version, tags: planned } = plan("refs/heads/main", { tags, branchTags: new Map() });
    expect([version, planned.map(({ tag }) => tag)]).toEqual(["first", ["first", "main"]]);
  });

  test.each([
    ["type=nonsense", "unknown type `nonsense`"],
    ["type=ref", "has the event"],
    ["type=ref,event=fork", "has the event `fork`"],
    ["type=semver", "lacks its `pattern`"],
    ["type=semver,pattern={{patchlevel}}", "`{{patchlevel}}`: allowed are"],
    ["type=raw,value=", "lacks its `value`"],
    ["type=raw,value={{version}}", "`{{version}}`: allowed are"],
    ["type=raw,value={{branch", "without its other half"],
    ["type=sha,format=medium", "has the format `medium`"],
    ["type=sha,pattern=x", "unknown attribute `pattern`"],
    ["type=match,pattern=(", "no regular expression"],
    ["type=match,pattern=a(b),group=2", "asks for group 2"],
    ["type=raw,value=x,enable=maybe", "`enable=maybe`"],
    ["type=raw,value=x,priority=high", "has the priority `high`"],
    ["type=raw,value={{date 'YYYY' tz='Mars/Base'}}", "no time zone"],
    ["ghcr.io/acme/api:v1", "is no tag"],
  ])("%s is refused", (line, problem) => {
    expect(parseRules([line]).problems).toEqual([expect.stringContaining(problem)]);
  });

  test.each([["latest=maybe"], ["onlatest=true"], ["prefix"], ["suffix={{nothing}}"]])(
    "flavor %s is refused",
    (line) => {
      expect(parseFlavor([line]).problems).toHaveLength(1);
    },
  );

  test("two branches that share a tag are reported", () => {
    const known = { branches: ["feature/a", "feature-a", "other"] };
    expect(plan("refs/heads/feature/a", { known }).notices).toEqual([expect.stringContaining("`feature-a`")]);
    expect(plan("refs/heads/other", { known }).notices).toEqual([]);
  });
});

describe("dates", () => {
  test.each([
    ["YYYYMMDD", "UTC", "20260109"],
    ["YY-M-D H:m:s", "UTC", "26-1-9 3:4:5"],
    ["[w]DDD DDDD", "UTC", "w9 009"],
    ["ddd, DD MMM YYYY hh:mm A", "UTC", "Fri, 09 Jan 2026 03:04 AM"],
    ["YYYYMMDD-HH", "America/New_York", "20260108-22"],
    ["X", "UTC", "1767927845"],
  ])("%s in %s", (format, zone, expected) => {
    expect(formatDate(new Date("2026-01-09T03:04:05Z"), format, zone)).toBe(expected);
  });
});

import { describe, expect, test } from "@jest/globals";
import { toJUnit } from "../src/reports/write-reports.ts";
import { read, statuses, tests } from "./read.ts";

describe("JUnit XML", () => {
  test.each<[string, string, string[]]>([
    ["a test case at the root", '<testsuites><testcase name="a"/></testsuites>', ["a=passed"]],
    [
      "suites nested at will",
      '<testsuite name="x"><testsuite name="y"><testcase name="a"/><testcase name="b"><failure/></testcase></testsuite></testsuite>',
      ["a=passed", "b=failed"],
    ],
    [
      "an error element",
      '<testsuite><testcase name="a"><error message="m"/></testcase></testsuite>',
      ["a=failed"],
    ],
    ["a failure attribute", '<testsuite><testcase name="a" failure="1 == 2"/></testsuite>', ["a=failed"]],
    ["a status attribute", '<testsuite><testcase name="a" status="failed"/></testsuite>', ["a=failed"]],
    [
      "a result beside a status",
      '<testsuite><testcase name="a" status="run" result="failed"/></testsuite>',
      ["a=failed"],
    ],
    [
      "a case inside of a failed case",
      '<testsuite><testcase name="a"><failure/><testcase name="b"/></testcase></testsuite>',
      ["a=failed", "b=passed"],
    ],
    [
      "totals that count more failures than are listed",
      '<testsuites failures="2"><testsuite name="s" failures="2"><testcase name="a"><failure/></testcase></testsuite></testsuites>',
      ["a=failed", "s=failed"],
    ],
    [
      "a status of what did not run",
      '<testsuite><testcase name="a" status="notrun"/></testsuite>',
      ["a=skipped"],
    ],
    ["skipped", '<testsuite><testcase name="a"><skipped/></testcase></testsuite>', ["a=skipped"]],
    [
      "skipped and failed: failed wins",
      '<testsuite><testcase name="a"><skipped/><failure/></testcase></testsuite>',
      ["a=failed"],
    ],
    [
      "a failing todo is skipped, though its suite counts a failure",
      '<testsuite failures="1"><testcase name="a"><skipped type="todo"/><failure/></testcase></testsuite>',
      ["a=skipped"],
    ],
    [
      "several failures in one case count once",
      '<testsuite><testcase name="a"><failure>1</failure><failure>2</failure></testcase></testsuite>',
      ["a=failed"],
    ],
    [
      "a failure of the suite itself",
      '<testsuite name="s"><error message="no import"/></testsuite>',
      ["s=failed"],
    ],
    [
      "failures that the suite counts and does not list",
      '<testsuite name="s" failures="2" errors="1"><testcase name="a"/></testsuite>',
      ["a=passed", "s=failed"],
    ],
    [
      "failures that only the root counts",
      '<testsuites failures="1"><testsuite><testcase name="a"/></testsuite></testsuites>',
      ["a=passed", "(suite)=failed"],
    ],
    ["missing names", "<testsuite><testcase/></testsuite>", ["(unnamed)=passed"]],
    ["no test at all", "<testsuites/>", []],
  ])("%s", async (_name, xml, expected) => {
    expect(await statuses(xml)).toEqual(expected);
  });

  test("the counts of a root and of its suites are not the same failure twice", async () => {
    const xml = '<testsuites failures="1"><testsuite name="s" failures="1"/></testsuites>';
    expect(await statuses(xml)).toEqual(["s=failed"]);
  });

  test("keeps suite path, class, time, place, message and detail", async () => {
    const xml = `<testsuites><testsuite name="outer"><testsuite name="inner" file="a.js">
      <testcase name="n" classname="c" time="1,234.5" line="7"><failure message="first">at x<![CDATA[ <y>]]></failure></testcase>
      </testsuite></testsuite></testsuites>`;
    expect(await tests(xml)).toEqual([
      expect.objectContaining({
        suite: "outer > inner",
        classname: "c",
        ms: 1_234_500,
        file: "a.js",
        line: 7,
        message: "first",
        detail: "at x <y>",
      }),
    ]);
  });

  test("surefire: flaky when it passed in the end, failed when it never did", async () => {
    const xml = `<testsuite><testcase name="a"><flakyFailure message="m">s</flakyFailure></testcase>
      <testcase name="b"><failure/><rerunFailure/></testcase></testsuite>`;
    const [a, b] = await tests(xml);
    expect([a?.status, a?.flaky, b?.status, b?.flaky]).toEqual(["passed", true, "failed", false]);
  });

  test.each<[string, Uint8Array]>([
    ["a byte order mark", Buffer.from('\ufeff<testsuite><testcase name="é"/></testsuite>')],
    ["UTF-16 with a mark", Buffer.from('\ufeff<testsuite><testcase name="é"/></testsuite>', "utf16le")],
    ["UTF-16 without one", Buffer.from('<testsuite><testcase name="é"/></testsuite>', "utf16le")],
    [
      "Latin-1 as declared",
      Buffer.from(
        '<?xml version="1.0" encoding="ISO-8859-1"?><testsuite><testcase name="é"/></testsuite>',
        "latin1",
      ),
    ],
  ])("reads %s", async (_name, bytes) => {
    expect(await statuses(bytes)).toEqual(["é=passed"]);
  });

  test("control characters that XML forbids do not hide a failure", async () => {
    expect(
      await statuses('<testsuite><testcase name="a"><failure>\u001b[31mred</failure></testcase></testsuite>'),
    ).toEqual(["a=failed"]);
  });

  test.each<[string, string, RegExp]>([
    ["a document type", '<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', /document type/],
    ["an unknown entity", '<testsuite><testcase name="&x;"/></testsuite>', /entity/i],
    ["a cut document", '<testsuite><testcase name="a"/>', /unclosed/],
    ["text behind the end", "<testsuite/>x", /text data outside/],
    ["an empty file", "", /empty/],
  ])("refuses %s", async (_name, xml, why) => {
    await expect(read(xml)).rejects.toThrow(why);
  });

  test("what it writes, it reads again", async () => {
    const xml = `<testsuites><testsuite name="a &amp; b"><testcase name="&lt;x&gt; &quot;q&quot;" classname="c" time="0.5"><failure message="m &amp; n">d
      &lt;e&gt;</failure></testcase><testcase name="s"><skipped message="why"/></testcase><testcase name="f"><flakyFailure/></testcase></testsuite></testsuites>`;
    const first = await tests(xml);
    expect(await tests(toJUnit(first, 10))).toEqual(first);
  });
});

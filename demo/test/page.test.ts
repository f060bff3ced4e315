import { describe, expect, test } from "@jest/globals";
import { loadChart, timeline } from "../chart.ts";
import { renderMarkdown } from "../markdown.ts";

describe("the page", () => {
  test.each([
    ["## A `b`", "<h4>A <code>b</code></h4>"],
    [
      "| a | b |\n| --- | --- |\n| **1** | 2 |",
      "<table><tr><th>a</th><th>b</th></tr><tr><td><strong>1</strong></td><td>2</td></tr></table>",
    ],
    ["```\n<b>\n```", "<pre>&lt;b&gt;</pre>"],
    ["```mermaid\nxychart\n```\nafter", "<p>after</p>"],
    ["&#42; <img src=x onerror=alert(1)>", "<p>&#42; &lt;img src=x onerror=alert(1)&gt;</p>"],
    ["<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"],
    [
      "<details><summary>x</summary><script>1</script>",
      "<p>&lt;details&gt;&lt;summary&gt;x&lt;/summary&gt;&lt;script&gt;1&lt;/script&gt;</p>",
    ],
    ["<details>", "<details>"],
    ["<details><summary>a <b></summary>", "<details><summary>a &lt;b&gt;</summary>"],
    ["<summary>a <b></summary>", "<summary>a &lt;b&gt;</summary>"],
  ])("%j", (markdown, html) => {
    expect(renderMarkdown(markdown)).toBe(html);
  });

  test("a chart has a red bar only for seconds with failures", () => {
    const row = (second: number, failed: number) => ({ second, requests: 10, failed, p95: 4 });
    expect(loadChart([row(0, 0), row(1, 0)], [0, 1])).not.toContain('#c0392b"/>');
    expect(loadChart([row(0, 0), row(1, 2)], [0, 1]).match(/fill="#c0392b"/g)).toHaveLength(1);
    expect(loadChart([], [0, 1])).toBe("");
  });

  test("a label on the timeline is white in its bar, and dark behind a bar that is too short for it", () => {
    const svg = timeline([
      { label: "long", spans: [{ from: 0, to: 100, colour: "#5d9c6f" }] },
      { label: "short", spans: [{ from: 100, to: 101, colour: "#5d9c6f" }] },
    ]);
    expect(svg).toMatch(/fill="#fff">100 s</);
    expect(svg).toMatch(/fill="#222">1 s</);
  });
});

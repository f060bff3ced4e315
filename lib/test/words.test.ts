import { describe, expect, test } from "@jest/globals";
import { cutAtWord, splitWords } from "../words.ts";

describe("a program line", () => {
  test.each<[string, string[]]>([
    ["npm test", ["npm", "test"]],
    ["  npm   test  ", ["npm", "test"]],
    [`go test -run "A B" ./...`, ["go", "test", "-run", "A B", "./..."]],
    [`a 'b "c" $d' "e \\" \\x"`, ["a", 'b "c" $d', 'e " \\x']],
    ["a b\\ c", ["a", "b c"]],
    ["a ''", ["a", ""]],
    ["a'b'c", ["abc"]],
    [`sh -c 'npm test && echo "ok"'`, ["sh", "-c", 'npm test && echo "ok"']],
    ["grep '|' x", ["grep", "|", "x"]],
  ])("%s", (line, words) => {
    expect(splitWords(line)).toEqual({ ok: true, words });
  });

  test.each<[string, RegExp]>([
    ["npm test && echo", /`&&`.*sh -c/],
    ["npm test | tee log", /`\|`/],
    ["npm test > log", /`>`/],
    ["CI=1 npm test", /assignment/],
    ["npm 'test", /quote/],
    ["npm ci\nnpm test", /several lines/],
    ["", /empty/],
  ])("%j is refused", (line, why) => {
    const result = splitWords(line);
    expect(result.ok ? "" : result.problem).toMatch(why);
  });
});

test.each([
  ["short", "short"],
  ["ten chars", "ten chars"],
  ["is a secret", "is a …"],
  [`{"a":"secret"}`, `{"a":"…`],
  ["unbroken-text", "…"],
])("a long text ends before the word that is cut: %s", (text, expected) => {
  expect(cutAtWord(text, 10)).toBe(expected);
});

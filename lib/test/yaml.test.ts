import { expect, test } from "@jest/globals";
import { mayBeYaml } from "../yaml.ts";

test.each([
  ["- path: /a", true],
  ["\n# requests\n- path: /a", true],
  ["---\n- path: /a", true],
  ['[{"path":"/a"}]', true],
  ['{"KEY":"value"}', true],
  ["KEY: value", true],
  ["KEY=value", false],
  ["KEY=--- a", false],
  ["p95<300ms", false],
  ["https://shop.example", false],
  ["# nothing", false],
  ["", false],
])("%j may be YAML: %s", (text, may) => {
  expect(mayBeYaml(text)).toBe(may);
});

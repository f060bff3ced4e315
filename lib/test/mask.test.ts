import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Mask } from "../mask.ts";

function maskOf(...secrets: string[]): { mask: Mask; told: string[] } {
  const told: string[] = [];
  const mask = new Mask((secret) => told.push(secret));
  for (const secret of secrets) mask.add(secret);
  return { mask, told };
}

describe("Mask", () => {
  const key = "-----BEGIN KEY-----\nabcdefgh\nijklmnop\n-----END KEY-----\n";

  test.each([
    ["the value itself", "hunter22", "a hunter22 b", "a *** b"],
    ["each of its lines", key, "x abcdefgh y", "x *** y"],
    ["its lines as Windows ends them", key.replace(/\n/g, "\r\n"), "x ijklmnop y", "x *** y"],
    ["its base64 form", "hunter22", Buffer.from("hunter22").toString("base64"), "***"],
    ["its base64url form", "hunter??>>", Buffer.from("hunter??>>").toString("base64url"), "***"],
    ["its form in a URL", "p@ss/w?rd", "postgres://u:p%40ss%2Fw%3Frd@h", "postgres://u:***@h"],
    ["its form in JSON", 'pa"ss\\word', JSON.stringify({ a: 'pa"ss\\word' }), '{"a":"***"}'],
    ["white space around it", "  hunter22\n", "x hunter22 y", "x *** y"],
    ["half a surrogate pair", "hunter\ud800", "x hunter\ud800 y", "x *** y"],
  ])("hides %s", (_name, secret, text, expected) => {
    expect(maskOf(secret).mask.redact(text)).toBe(expected);
  });

  test("ignores nothing and what is too short to be told apart", () => {
    const { mask, told } = maskOf("", "   ", "abc");
    expect(told).toEqual([]);
    expect(mask.redact("abc")).toBe("abc");
  });

  test("tells the runner once for each form, before anything is redacted", () => {
    const { mask, told } = maskOf("hunter22", "hunter22");
    expect(told.filter((secret) => secret === "hunter22")).toHaveLength(1);
    mask.redact("x");
    expect(told).toContain(Buffer.from("hunter22").toString("base64"));
  });

  test("leaves no tail when one secret starts with another", () => {
    expect(maskOf("hunter22", "hunter22-and-more").mask.redact("hunter22-and-more")).toBe("***");
  });

  test("redacts texts deep inside JSON and keeps names, numbers and null", () => {
    const value = { name: ["hunter22", { deep: "x hunter22" }], count: 22, nothing: null };
    expect(maskOf("hunter22").mask.redactJson(value)).toEqual({
      name: ["***", { deep: "x ***" }],
      count: 22,
      nothing: null,
    });
  });

  test("no secret is left in any text, however often and wherever it stands", () => {
    const secret = fc.string({ minLength: 4, maxLength: 20 }).filter((text) => text.trim().length >= 4);
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 4 }),
        fc.array(fc.string()),
        (secrets, parts) => {
          // A secret made of stars is not told apart from what replaces it.
          fc.pre(secrets.every((text) => !text.includes("*")));
          const { mask } = maskOf(...secrets);
          const clean = mask.redact(parts.join(secrets[0]));
          for (const text of secrets) expect(clean.includes(text)).toBe(false);
        },
      ),
    );
  });
});

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { isIgnored, parseIgnore } from "../src/gates/dockerignore.ts";
import { requireFiles } from "../src/gates/required-files.ts";
import { checkSize } from "../src/gates/size.ts";
import { formatSize, parseMemory, parseSize } from "../src/sizes.ts";
import { failureOf } from "./failures.ts";
import { temporaryFolder } from "./inputs.ts";

describe("sizes", () => {
  test.each([
    ["50MB", 50_000_000],
    ["900KB", 900_000],
    ["900 kb", 900_000],
    ["1.5GiB", 1_610_612_736],
    ["64MiB", 67_108_864],
    ["1000", 1000],
    ["10m", 10_000_000],
    ["-1", undefined],
    ["ten", undefined],
    ["10TBit", undefined],
  ])("%s is %s bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each([
    ["64m", 67_108_864],
    ["1g", 1_073_741_824],
    ["1024", 1024],
    ["2mb", 2_097_152],
    ["1.5g", undefined],
  ])("%s of memory is %s bytes", (text, bytes) => expect(parseMemory(text)).toBe(bytes));

  test.each([
    [999, "999 B"],
    [1000, "1.0 kB"],
    [999_960, "1.0 MB"],
    [43_200_000, "43.2 MB"],
  ])("%s bytes are %s", (bytes, text) => expect(formatSize(bytes)).toBe(text));

  const base = { maxSize: undefined, maxGrowth: undefined, former: undefined, largest: [] };
  const former = { name: "acme/api:main", bytes: 1000 };
  test.each<[string, Partial<Parameters<typeof checkSize>[0]>, boolean]>([
    ["exactly at the budget", { bytes: 1000, maxSize: 1000 }, true],
    ["one byte over it", { bytes: 1001, maxSize: 1000 }, false],
    ["grown by exactly as much as is allowed", { bytes: 1100, maxGrowth: 10, former }, true],
    ["grown by a byte more", { bytes: 1101, maxGrowth: 10, former }, false],
    ["not allowed to grow, and as large as before", { bytes: 1000, maxGrowth: 0, former }, true],
    ["smaller", { bytes: 10, maxGrowth: 0, former }, true],
    ["nothing to compare with", { bytes: 9999, maxGrowth: 0 }, true],
  ])("%s", async (_name, check, fits) => {
    const verdict = await failureOf(() => checkSize({ ...base, bytes: 0, ...check }));
    expect(verdict.startsWith("TOO_LARGE")).toBe(!fits);
  });
});

describe(".dockerignore", () => {
  test.each([
    ["node_modules", "node_modules/a/b.js", true],
    ["node_modules", "app/node_modules/a.js", false],
    ["**/node_modules", "app/node_modules/a.js", true],
    ["**/node_modules", "node_modules/a.js", true],
    ["*.md", "README.md", true],
    ["*.md", "docs/README.md", false],
    ["**/*.md", "docs/a/README.md", true],
    ["docs/**", "docs/a/b", true],
    ["dist/", "dist/app.js", true],
    ["/dist", "dist/app.js", true],
    ["./dist/../dist", "dist/app.js", true],
    ["*\n!dist", "dist/app.js", false],
    ["*\n!dist/app.js", "dist/app.js", false],
    ["*\n!dist\ndist/*.map", "dist/app.js.map", true],
    ["a?c", "abc", true],
    ["a[b-d]c", "acc", true],
    ["a[^b]c", "abc", false],
    ["# app.txt", "app.txt", false],
    ["a.txt", "aXtxt", false],
    ["\\#x", "#x", true],
  ])("%j and %s: kept out %s", (text, path, out) => {
    expect(isIgnored(path, parseIgnore(text))).toBe(out);
  });
});

describe("required files", () => {
  function context(files: Record<string, string>): { context: string; dockerfile: string } {
    const root = temporaryFolder();
    for (const [name, text] of Object.entries({ Dockerfile: "FROM scratch\n", ...files })) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return { context: root, dockerfile: join(root, "Dockerfile") };
  }

  test.each<[string, Record<string, string>, string[], string]>([
    ["there", { "dist/app.js": "1" }, ["dist/*.js", "dist", "dist/app.js"], ""],
    ["missing", {}, ["dist/*.js"], "matches no file"],
    ["empty", { "dist/app.js": "" }, ["dist/app.js"], "is empty"],
    ["shut out", { "dist/app.js": "1", ".dockerignore": "dist" }, ["dist/*.js"], "shut out by .dockerignore"],
    [
      "shut out by the Dockerfile's own list",
      { a: "1", "Dockerfile.dockerignore": "a" },
      ["a"],
      "shut out by Dockerfile.dockerignore",
    ],
    [
      "let in by the Dockerfile's own list",
      { a: "1", ".dockerignore": "a", "Dockerfile.dockerignore": "b" },
      ["a"],
      "",
    ],
    ["partly shut out", { "d/a": "1", "d/b": "1", ".dockerignore": "d/a" }, ["d/*"], ""],
    ["an empty folder's", { "d/.keep/x": "1", ".dockerignore": "d/.keep" }, ["d"], "shut out"],
  ])("%s", async (_name, files, globs, why) => {
    const verdict = await failureOf(() => requireFiles(globs, context(files)));
    expect(verdict.startsWith("REQUIRED_FILE_MISSING")).toBe(why !== "");
    expect(verdict).toContain(why);
  });

  test("a link counts only when it stays in the context", async () => {
    const places = context({ "real.txt": "1" });
    symlinkSync("/etc/hostname", join(places.context, "outside"));
    symlinkSync("real.txt", join(places.context, "inside"));
    symlinkSync("nowhere", join(places.context, "dangling"));
    expect(await failureOf(() => requireFiles(["inside"], places))).toBe("");
    expect(await failureOf(() => requireFiles(["outside"], places))).toContain("leads nowhere");
    expect(await failureOf(() => requireFiles(["dangling"], places))).toContain("REQUIRED_FILE_MISSING");
  });
});

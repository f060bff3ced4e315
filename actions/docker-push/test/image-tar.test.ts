import { execFileSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { wholeFile } from "../src/image/file-range.ts";
import { indexTar, type TarEntry } from "../src/image/tar-index.ts";
import { isYounger, readPlan, reproducibleTar, stableOrder, untouched } from "../src/image/tar-rewrite.ts";
import { COMMIT_TIME, fileOf, type Member, makeFolder, tarOf } from "./image-kit.ts";

const LATER = COMMIT_TIME + 1000;

async function entriesOf(members: readonly Member[]) {
  const range = wholeFile(fileOf(await tarOf(members)));
  return { range, entries: indexTar(range) };
}

function rewritten(range: ReturnType<typeof wholeFile>, entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...readPlan(reproducibleTar(range, entries, { latest: COMMIT_TIME, earliest: 0 }))]);
}

const paths = (entries: readonly TarEntry[]) => entries.map((entry) => entry.path);

describe("reading a tar", () => {
  test("names, links, sizes and times, also those that need pax", async () => {
    const long = `${"deep/".repeat(40)}file`;
    const { entries } = await entriesOf([
      { name: "./usr/", type: "directory", mode: 0o755 },
      { name: long, content: "12345", time: 1234 },
      { name: "link", type: "symlink", linkname: "../x" },
      { name: "hard", type: "link", linkname: `./${long}` },
      { name: "dev", type: "character-device", devmajor: 1, devminor: 3 },
      { name: "pax", content: "abc", pax: { mtime: "1699999999.5", "SCHILY.xattr.user.a": "b" } },
    ]);
    expect(entries.map(({ path, type, size, link }) => [path, type, size, link])).toEqual([
      ["usr", "5", 0, ""],
      [long, "0", 5, ""],
      ["link", "2", 0, "../x"],
      ["hard", "1", 0, long],
      ["dev", "3", 0, ""],
      ["pax", "0", 3, ""],
    ]);
    expect(entries.map((entry) => entry.mtime)).toEqual([0, 1234, 0, 0, 0, 1699999999.5]);
  });

  test.each(["gnu", "pax", "ustar", "v7"])(
    "what GNU tar writes as %s, sparse files and long names too",
    (format) => {
      const folder = makeFolder();
      const name =
        format === "v7" ? "f".repeat(90) : format === "ustar" ? `${"d".repeat(90)}/f` : "n".repeat(180);
      mkdirSync(join(folder, "in", "d".repeat(90)), { recursive: true });
      writeFileSync(join(folder, "in", name), "content");
      linkSync(join(folder, "in", name), join(folder, "in", "hard"));
      symlinkSync("target", join(folder, "in", "soft"));
      const sparse = format === "gnu" || format === "pax";
      if (sparse) {
        writeFileSync(join(folder, "in", "sparse"), "x");
        truncateSync(join(folder, "in", "sparse"), 4_000_000);
      }
      const file = join(folder, "out.tar");
      execFileSync("tar", [
        `--format=${format}`,
        ...(sparse ? ["--sparse"] : []),
        "-cf",
        file,
        "-C",
        join(folder, "in"),
        ".",
      ]);
      const listed = execFileSync("tar", ["-tf", file], { encoding: "utf8" }).trim().split("\n");
      const plain = listed.map((line) => line.replace(/^\.\//, "").replace(/\/$/, ""));
      expect(paths(indexTar(wholeFile(file)))).toEqual(plain);
      const range = wholeFile(file);
      const again = fileOf(rewritten(range, indexTar(range)));
      const out = makeFolder();
      execFileSync("tar", ["-xf", again, "-C", out]);
      expect(
        execFileSync("diff", ["-r", "--no-dereference", join(folder, "in"), out], { encoding: "utf8" }),
      ).toBe("");
    },
  );

  test("a file that is no tar, is damaged or ends early is refused", async () => {
    const tar = await tarOf([{ name: "a", content: "x".repeat(2000) }]);
    const damaged = Buffer.from(tar);
    damaged[3] = 0x7a;
    expect(() => indexTar(wholeFile(fileOf("x".repeat(2000))))).toThrow("no tar, or a broken one");
    expect(() => indexTar(wholeFile(fileOf(damaged)))).toThrow("no tar, or a broken one");
    expect(() => indexTar(wholeFile(fileOf(tar.subarray(0, 1024))))).toThrow("ends in the middle of a");
  });
});

describe("the reproducible tar", () => {
  test("clamps times, keeps owners, modes, attributes and content", async () => {
    const { range, entries } = await entriesOf([
      { name: "old", content: "1", time: 5, mode: 0o4755, uid: 12, gid: 34, uname: "u", gname: "g" },
      {
        name: "new",
        content: "2",
        time: LATER,
        pax: { "SCHILY.xattr.security.capability": "\u0001\u0002", atime: "1.5" },
      },
      { name: "x", type: "block-device", devmajor: 7, devminor: 9, time: LATER },
    ]);
    const out = fileOf(rewritten(range, entries));
    const again = indexTar(wholeFile(out));
    expect(again.map((entry) => [entry.path, entry.mtime])).toEqual([
      ["new", COMMIT_TIME],
      ["old", 5],
      ["x", COMMIT_TIME],
    ]);
    // tar-stream always writes the path too.
    expect([...(again[0]?.pax?.keys() ?? [])]).toEqual(["path", "SCHILY.xattr.security.capability"]);
    const listed = execFileSync("tar", ["--numeric-owner", "-tvf", out], { encoding: "utf8" });
    expect(listed).toMatch(/-rwsr-xr-x 12\/34/);
    expect(listed).toMatch(/brw-r--r-- 0\/0\s+7,9/);
  });

  test("members that come in another order and at other times give the same bytes", async () => {
    const members: Member[] = [
      { name: "a/", type: "directory" },
      { name: "a/b/", type: "directory" },
      { name: "a/b/c", content: "c" },
      { name: "a.b", content: "dot" },
      { name: "z", type: "link", linkname: "a/b/c" },
      { name: "a/+first", content: "" },
      { name: "a/.wh.gone", content: "" },
      { name: "a/.wh..wh..opq", content: "" },
    ];
    const one = await entriesOf(members.map((member) => ({ ...member, time: LATER })));
    const other = await entriesOf([...members].reverse().map((member) => ({ ...member, time: LATER + 77 })));
    expect(rewritten(other.range, other.entries).equals(rewritten(one.range, one.entries))).toBe(true);
    const order = stableOrder(one.entries).map((entry) => entry.path);
    expect(order).toEqual(["a", "a/.wh..wh..opq", "a/.wh.gone", "a/+first", "a/b", "a/b/c", "a.b", "z"]);
  });

  test("a hard link comes after its target, and the target after its folders", async () => {
    const { range, entries } = await entriesOf([
      { name: "z/", type: "directory", time: LATER },
      { name: "z/file", content: "x" },
      { name: "a", type: "link", linkname: "z/file" },
      { name: "b", type: "link", linkname: "/in/a/lower/layer" },
    ]);
    expect(paths(stableOrder(entries))).toEqual(["z", "z/file", "a", "b"]);
    const folder = makeFolder();
    execFileSync("tar", ["-xf", fileOf(rewritten(range, entries.slice(0, 3))), "-C", folder]);
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("x");
  });

  test("a layer that names a path twice keeps its order", async () => {
    const { entries } = await entriesOf([
      { name: "b", content: "1" },
      { name: "a", content: "2" },
      { name: "b", content: "3" },
    ]);
    expect(paths(stableOrder(entries))).toEqual(["b", "a", "b"]);
  });

  test("a tar without anything younger than the commit is not touched", async () => {
    const { range, entries } = await entriesOf([{ name: "a", content: "1", time: COMMIT_TIME }]);
    expect(isYounger(entries, COMMIT_TIME)).toBe(false);
    expect(isYounger(entries, COMMIT_TIME - 1)).toBe(true);
    expect(Buffer.concat([...readPlan(untouched(range, entries))]).equals(readFileSync(range.path))).toBe(
      true,
    );
  });

  test("chunks are of one size whatever the files' sizes", async () => {
    const { range, entries } = await entriesOf([{ name: "a", content: "x".repeat(9000) }]);
    const sizes = [...readPlan(untouched(range, entries), 4096)].map((chunk) => chunk.length);
    expect(sizes.slice(0, -1).every((size) => size === 4096)).toBe(true);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(range.size);
  });

  test("any set of files reads back as it was, in one order", async () => {
    const name = fc.stringMatching(/^[a-c.]{1,3}(\/[a-c.]{1,3}){0,3}$/);
    const file = fc.record({
      name,
      content: fc.string({ maxLength: 1500 }),
      time: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    });
    const clean = (files: Member[]) =>
      new Set(
        files.map((one) =>
          one.name
            .split("/")
            .filter((part: string) => part !== ".")
            .join("/"),
        ),
      );
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(file, { selector: (one) => one.name, maxLength: 12 }),
        async (files) => {
          fc.pre(
            clean(files).size === files.length && !files.some((one) => /(^|\/)\.+(\/|$)/.test(one.name)),
          );
          const { range, entries } = await entriesOf(files);
          const out = rewritten(range, entries);
          const again = wholeFile(fileOf(out));
          const members = indexTar(again);
          expect(new Set(paths(members))).toEqual(new Set(files.map((one) => one.name)));
          for (const entry of members) {
            const source = files.find((one) => one.name === entry.path);
            expect(out.toString("utf8", entry.dataStart, entry.dataStart + entry.size)).toBe(source?.content);
            expect(entry.mtime).toBe(Math.min(source?.time ?? 0, COMMIT_TIME));
          }
          const mixed = await entriesOf([...files].reverse());
          expect(rewritten(mixed.range, mixed.entries).equals(out)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

test("utimes are not needed to see a younger file: pax fractions count", async () => {
  const folder = makeFolder();
  writeFileSync(join(folder, "a"), "");
  utimesSync(join(folder, "a"), COMMIT_TIME + 0.5, COMMIT_TIME + 0.5);
  const file = join(folder, "t.tar");
  execFileSync("tar", ["--format=pax", "-cf", file, "-C", folder, "a"]);
  expect(isYounger(indexTar(wholeFile(file)), COMMIT_TIME)).toBe(true);
});

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { tarEnd, tarHeader, tarPadding } from "../../../lib/archive/tar-header.ts";
import { packFiles } from "../src/archive/archive.ts";
import { findFiles } from "../src/find-files.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "goci-archive-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(root: string, path: string, content: string, mode = 0o644): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
  chmodSync(join(root, path), mode);
}

const never = new AbortController().signal;

function unpack(archive: string): string {
  const to = mkdtempSync(join(folder, "out-"));
  execFileSync("tar", ["-xzf", archive, "-C", to, "--no-same-owner"]);
  return to;
}

describe("the archive", () => {
  test("tar unpacks it with content, modes, links and long names", async () => {
    const root = join(folder, "in");
    const long = `${"deep/".repeat(30)}${"n".repeat(120)} é.txt`;
    put(root, "run.sh", "#!/bin/sh\n", 0o755);
    put(root, long, "long");
    put(root, "empty", "");
    symlinkSync("run.sh", join(root, "start"));
    const { files } = findFiles(root, ["."], folder);
    const archive = await packFiles(join(folder, "a.tar.gz"), root, files, 1_700_000_000, never);
    const to = unpack(archive.path);
    expect(lstatSync(join(to, "run.sh")).mode & 0o777).toBe(0o755);
    expect(lstatSync(join(to, "run.sh")).mtimeMs).toBe(1_700_000_000_000);
    expect(readFileSync(join(to, long), "utf8")).toBe("long");
    expect(readFileSync(join(to, "empty"), "utf8")).toBe("");
    expect(readlinkSync(join(to, "start"))).toBe("run.sh");
    expect(archive.entries).toBe(4);
  });

  test("is the same in another folder, at another time, whatever order the files came in", async () => {
    const digests: string[] = [];
    for (const [index, order] of [
      ["a", "b/c", "b/d"],
      ["b/d", "a", "b/c"],
    ].entries()) {
      const root = join(folder, `in-${index}`);
      for (const path of order) put(root, path, path);
      utimesSync(join(root, "a"), index, index);
      const { files } = findFiles(root, ["."], folder);
      const archive = await packFiles(join(folder, `${index}.tar.gz`), root, files, 1, never);
      const bytes = readFileSync(archive.path);
      expect(archive.digest).toBe(`sha256:${createHash("sha256").update(bytes).digest("hex")}`);
      expect(archive.size).toBe(bytes.length);
      digests.push(archive.digest);
    }
    expect(new Set(digests).size).toBe(1);
  });

  test("links that lead out are left out and named", async () => {
    const root = join(folder, "in");
    put(root, "sub/a", "a");
    symlinkSync("/etc/passwd", join(root, "absolute"));
    symlinkSync("../../secret", join(root, "sub/up"));
    symlinkSync("../sub/a", join(root, "sub/inside"));
    const archive = await packFiles(
      join(folder, "x.tar.gz"),
      root,
      ["absolute", "sub/a", "sub/inside", "sub/up"],
      1,
      never,
    );
    expect(archive.leftOut).toEqual(["absolute", "sub/up"]);
    expect(execFileSync("tar", ["-tzf", archive.path], { encoding: "utf8" }).trim().split("\n")).toEqual([
      "sub/a",
      "sub/inside",
    ]);
  });

  test("names and sizes of any kind are what tar reads", () => {
    const name = fc
      .array(fc.stringMatching(/^[a-zé0-9 ._-]{1,60}$/), { minLength: 1, maxLength: 6 })
      .map((parts) => parts.map((part) => `x${part}`).join("/"));
    fc.assert(
      fc.property(name, fc.nat(2000), fc.integer({ min: 0, max: 0o777 }), (path, size, mode) => {
        const file = join(folder, "one.tar");
        writeFileSync(
          file,
          Buffer.concat([
            tarHeader({ path, type: "file", mode, size, mtime: 5 }),
            Buffer.alloc(size),
            tarPadding(size),
            tarEnd(),
          ]),
        );
        const list = execFileSync("tar", ["--numeric-owner", "-tvf", file, "--quoting-style=literal"], {
          encoding: "utf8",
        });
        const [, owner, told] = /^\S+\s+(\S+)\s+(\d+)\s/.exec(list) ?? [];
        return list.endsWith(` ${path}\n`) && owner === "0/0" && told === String(size);
      }),
      { numRuns: 25, seed: 3 },
    );
  });
});

describe("globs", () => {
  beforeEach(() => {
    for (const path of ["a.js", "lib/b.js", "lib/b.ts", "lib/.hidden", "node_modules/x/c.js", ".git/config"])
      put(join(folder, "w"), path, path);
    put(folder, "outside/secret", "s");
    symlinkSync("../outside/secret", join(folder, "w/leak"));
    symlinkSync("../outside", join(folder, "w/leaks"));
    symlinkSync("lib/b.js", join(folder, "w/current"));
  });

  test.each<[string[], string[]]>([
    [["**/*.js"], ["a.js", "lib/b.js"]],
    [["lib"], ["lib/.hidden", "lib/b.js", "lib/b.ts"]],
    [["lib/"], ["lib/.hidden", "lib/b.js", "lib/b.ts"]],
    [["./lib/*.ts"], ["lib/b.ts"]],
    [
      ["lib/**", "!**/*.ts"],
      ["lib/.hidden", "lib/b.js"],
    ],
    [["**/*.{js,ts}", "!lib"], ["a.js"]],
    [["node_modules/x/*.js"], ["node_modules/x/c.js"]],
    [["current"], ["current"]],
    [["l*b"], ["lib/.hidden", "lib/b.js", "lib/b.ts"]],
    [["missing/**"], []],
  ])("%j", (globs, expected) => {
    const root = join(folder, "w");
    expect(findFiles(root, globs, root).files).toEqual(expected);
  });

  test("links are found as links only where they are wanted", () => {
    const root = join(folder, "w");
    symlinkSync("lib", join(root, "folder"));
    symlinkSync("later", join(root, "dangling"));
    const globs = ["f*r", "dangling", "current", "*.js"];
    expect(findFiles(root, ["*"], root).files).toEqual([
      "a.js",
      "current",
      "lib/.hidden",
      "lib/b.js",
      "lib/b.ts",
    ]);
    expect(findFiles(root, globs, root, { links: true }).files).toEqual([
      "a.js",
      "current",
      "dangling",
      "folder",
    ]);
    expect(findFiles(root, ["folder"], root).files).toEqual(["folder/.hidden", "folder/b.js", "folder/b.ts"]);
  });

  test("pass over a folder that is closed to them, and name it", () => {
    const root = join(folder, "w");
    put(folder, "w/open/a.xml", "a");
    put(folder, "w/shut/b.xml", "b");
    chmodSync(join(root, "shut"), 0);
    chmodSync(folder, 0o755);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      const found = findFiles(root, ["**/*.xml"], root);
      expect([found.files, found.closed]).toEqual([["open/a.xml"], ["shut"]]);
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(join(root, "shut"), 0o755);
    }
  });

  test("never leave the workspace, links resolved", () => {
    const root = join(folder, "w");
    const found = findFiles(root, ["leak", "../outside/*", "leaks/*"], root);
    expect(found.files).toEqual([]);
    expect(found.outside).toContain("leak");
    // Named by the glob: what lies out there is not even looked at.
    expect(found.outside).toContain("../outside/*");
  });

  test("may leave the working directory while they stay in the workspace", () => {
    expect(findFiles(join(folder, "w"), ["../outside/*"], folder).files).toEqual(["../outside/secret"]);
  });
});

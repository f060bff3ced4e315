import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { compileExclude } from "../src/exclude.ts";
import { digestOf, renderManifest } from "../src/manifest.ts";
import { looksPacked } from "../src/packing.ts";
import { gatherSource, type SourceRequest } from "../src/source.ts";
import { writeTar } from "../src/tar-write.ts";
import { unpackArchive } from "../src/unpack.ts";

let root: string;
let count = 0;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "goci-source-"));
  const files = [
    "build/main",
    "build/lib/a.js",
    "build/lib/b.js",
    "build/node_modules/.cache/x",
    "docs/read.md",
    "top.txt",
  ];
  for (const path of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), path);
  }
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function request(source: string[], extra: Partial<SourceRequest> = {}): SourceRequest {
  return {
    workingDirectory: root,
    source,
    exclude: ["node_modules/.cache"],
    stripComponents: 0,
    roots: [root],
    scratch: join(root, `scratch-${count++}`),
    ...extra,
  };
}

const paths = async (source: string[], extra: Partial<SourceRequest> = {}) =>
  (await gatherSource(request(source, extra))).map((entry) => entry.path);

describe("what goes into a release", () => {
  test.each<[string, string[], string[]]>([
    ["a folder's contents go to the root", ["build"], ["lib/a.js", "lib/b.js", "main"]],
    ["a slash at its end changes nothing", ["build/"], ["lib/a.js", "lib/b.js", "main"]],
    ["a file keeps its path", ["build/lib/a.js"], ["build/lib/a.js"]],
    ["a glob keeps its paths", ["build/**/*.js"], ["build/lib/a.js", "build/lib/b.js"]],
    ["a glob with an exception", ["build/**/*.js", "!**/b.js"], ["build/lib/a.js"]],
    ["several", ["docs", "top.txt"], ["read.md", "top.txt"]],
  ])("%s", async (_name, source, expected) => {
    expect(await paths(source)).toEqual(expected);
  });

  test("strip_components removes leading parts", async () => {
    expect(await paths(["build/**/*.js", "top.txt"], { stripComponents: 1 })).toEqual([
      "lib/a.js",
      "lib/b.js",
    ]);
  });

  test("a link that stays inside is kept, one that leaves is refused", async () => {
    mkdirSync(join(root, "linked/deep"), { recursive: true });
    writeFileSync(join(root, "linked/file"), "x");
    symlinkSync("../file", join(root, "linked/deep/in"));
    expect(await paths(["linked"])).toEqual(["deep/in", "file"]);
    symlinkSync("../../../../etc/passwd", join(root, "linked/deep/out"));
    await expect(gatherSource(request(["linked"]))).rejects.toMatchObject({ code: "UNSAFE_ARCHIVE" });
  });

  test("the same content gives the same digest, whatever the times of its files", async () => {
    const one = renderManifest(await gatherSource(request(["build"])));
    execFileSync("touch", ["-d", "2001-01-01", join(root, "build/main")]);
    expect(digestOf(renderManifest(await gatherSource(request(["build"]))))).toBe(digestOf(one));
  });

  test("packed content is recognised", async () => {
    writeFileSync(join(root, "noise"), execFileSync("head", ["-c", "200000", "/dev/urandom"]));
    writeFileSync(join(root, "text"), "all work and no play ".repeat(10_000));
    expect(await looksPacked(await gatherSource(request(["noise"])))).toBe(true);
    expect(await looksPacked(await gatherSource(request(["text"])))).toBe(false);
  });
});

describe("exclude, held against git itself", () => {
  const part = fc.constantFrom("a", "b", "lib", "x.js", "y.js", ".git", "*.js", "*", "**", "?");
  const pattern = fc
    .tuple(
      fc.constantFrom("", "", "!", "/"),
      fc.array(part, { minLength: 1, maxLength: 3 }),
      fc.constantFrom("", "/"),
    )
    .map(([start, parts, end]) => `${start}${parts.join("/")}${end}`);
  const path = fc
    .array(fc.constantFrom("a", "b", "lib", "x.js", "y.js"), { minLength: 1, maxLength: 4 })
    .map((p) => p.join("/"));

  test("agrees with git check-ignore", () => {
    const repository = mkdtempSync(join(tmpdir(), "goci-git-"));
    execFileSync("git", ["init", "-q", repository]);
    try {
      fc.assert(
        fc.property(fc.array(pattern, { minLength: 1, maxLength: 3 }), path, (patterns, name) => {
          // `**` inside of a name-less pattern and the like are git's own corner; they are not generated here.
          writeFileSync(join(repository, ".gitignore"), `${patterns.join("\n")}\n`);
          const git = spawnSync("git", ["-C", repository, "check-ignore", "--no-index", "-q", name]);
          expect({ patterns, name, excluded: compileExclude(patterns)(name, false) }).toEqual({
            patterns,
            name,
            excluded: git.status === 0,
          });
        }),
        { numRuns: 150, seed: 7 },
      );
    } finally {
      rmSync(repository, { recursive: true, force: true });
    }
  });
});

describe("tar", () => {
  test("what is written, both tars unpack: long names, links, empty folders, modes", async () => {
    const long = `${"deep/".repeat(30)}file-with-a-long-name.txt`;
    const chunks: Buffer[] = [];
    const items = [
      { kind: "folder", path: "empty" },
      { kind: "link", path: "link", target: `${"a/".repeat(60)}b` },
      { kind: "file", path: long, mode: 0o755, size: 10, local: join(root, "build/main") },
      { kind: "text", path: "note", text: "x".repeat(512) },
    ] as const;
    for await (const chunk of writeTar(items)) chunks.push(chunk);
    for (const program of [["tar"], ["busybox", "tar"]]) {
      const folder = mkdtempSync(join(root, "out-"));
      const [command = "", ...args] = program;
      const result = spawnSync(command, [...args, "-xpf", "-", "-C", folder], {
        input: Buffer.concat(chunks),
      });
      if (result.error) continue;
      expect(result.status).toBe(0);
      const list = execFileSync("find", [".", "-printf", "%P %y %m %s %l\n"], {
        cwd: folder,
        encoding: "utf8",
      });
      expect(list).toContain("empty d 755");
      expect(list).toContain(`link l 777 ${"a/".repeat(60).length + 1} ${"a/".repeat(60)}b`);
      expect(list).toContain(`${long} f 755 10`);
      expect(list).toContain("note f 644 512");
    }
  });

  test.each([["gnu"], ["pax"], ["ustar"]])(
    "an archive in %s form is read as tar reads it",
    async (format) => {
      const folder = mkdtempSync(join(root, "in-"));
      const long = `${"some/folder/".repeat(11)}long.txt`;
      mkdirSync(dirname(join(folder, long)), { recursive: true });
      writeFileSync(join(folder, long), "long");
      writeFileSync(join(folder, "größe.txt"), "umlaut");
      symlinkSync("größe.txt", join(folder, "link"));
      execFileSync("ln", [join(folder, "größe.txt"), join(folder, "second")]);
      mkdirSync(join(folder, "empty"));
      const archive = join(root, `${format}.tar.gz`);
      execFileSync("tar", ["-C", folder, `--format=${format}`, "-czf", archive, "."]);
      const entries = await unpackArchive(archive, join(root, `unpack-${format}`));
      expect(entries.map((entry) => `${entry.kind} ${entry.path}`).sort()).toEqual([
        "file größe.txt",
        "file second",
        `file ${long}`,
        "folder empty",
        "link link",
      ]);
    },
  );

  test("an archive cut anywhere is refused, never half a release", async () => {
    const archive = join(root, "whole.tar");
    execFileSync("tar", ["-C", join(root, "build"), "-cf", archive, "."]);
    const size = Number(execFileSync("stat", ["-c", "%s", archive], { encoding: "utf8" }));
    const whole = await unpackArchive(archive, join(root, "whole"));
    for (let cut = 100; cut < size; cut += 700) {
      const path = join(root, "cut.tar");
      execFileSync("sh", ["-c", `head -c ${cut} "${archive}" >"${path}"`]);
      const result = await unpackArchive(path, join(root, `cut-${cut}`)).catch(
        (error: { code: string }) => error.code,
      );
      if (Array.isArray(result)) expect(result).toHaveLength(whole.length);
      else expect(result).toBe("SOURCE_UNREADABLE");
    }
  });
});

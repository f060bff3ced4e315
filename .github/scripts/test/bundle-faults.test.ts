import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { faultsOf } from "../bundle-faults.ts";
import { markFreeOfSideEffects } from "../side-effects.ts";

const look = (...codes: string[]) =>
  faultsOf(new Map(codes.map((code, index) => [`${index}.js`, code])), "/home/me/goci");

describe("faults of a bundle", () => {
  test.each([
    ["a module that was not found", 'module.exports = eval("require")("left-pad");', "left-pad"],
    ["an import that was left", 'import x from "left-pad";', "left-pad"],
    ["a require that was left", 'createRequire(import.meta.url)("left-pad")', "left-pad"],
    ["webpack's own mark", "Object(function webpackMissingModule() {})", "webpackMissingModule"],
    ["the folder of the build", 'const x = "/home/me/goci/lib/x.js";', "the folder it was built in"],
    ["__dirname without the shim", 'const x = y ? 1 : __dirname + "/";', "import lib/esm-shim.ts first"],
  ])("%s", (_name, code, fault) => {
    expect(look("const fine = 1;", code)).toEqual([expect.stringContaining(fault)]);
  });

  test("what is sound has none", () => {
    expect(
      look(
        'import { a } from "node:fs";\ncreateRequire(import.meta.url)("util/types");\ncreateRequire(import.meta.url)("node:test");',
        'eval("require")("./crypto/build/Release/sshcrypto.node")',
        "if (typeof __dirname !== 'undefined') x();\n// __dirname is not defined in modules\n",
      ),
    ).toEqual([]);
  });

  test("__dirname is fine once any file brings the shim", () => {
    const shim = "Object.assign(globalThis, { __filename: file, __dirname: (0, p.dirname)(file) });";
    expect(look(shim, 'const x = __dirname + "/";')).toEqual([]);
  });
});

describe("markFreeOfSideEffects", () => {
  test("marks @actions/* and undici, nested ones too, and nothing else; the second time it writes nothing", () => {
    const folder = mkdtempSync(join(tmpdir(), "goci-marks-"));
    try {
      const add = (name: string) => {
        mkdirSync(join(folder, name), { recursive: true });
        writeFileSync(join(folder, name, "package.json"), JSON.stringify({ name }));
      };
      const names = ["@actions/core", "@actions/github/node_modules/@actions/http-client", "undici", "yaml"];
      for (const name of [...names, "@actions/github"]) add(name);
      markFreeOfSideEffects(folder);
      const read = (name: string) =>
        JSON.parse(readFileSync(join(folder, name, "package.json"), "utf8")) as unknown;
      expect(names.map(read)).toEqual([
        { name: names[0], sideEffects: false },
        { name: names[1], sideEffects: false },
        { name: names[2], sideEffects: false },
        { name: names[3] },
      ]);
      const inode = () => statSync(join(folder, "undici", "package.json")).ino;
      const before = inode();
      markFreeOfSideEffects(folder);
      expect(inode()).toBe(before);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

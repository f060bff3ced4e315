import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { pinned, release } from "../release.ts";

describe("a release", () => {
  const root = mkdtempSync(join(tmpdir(), "goci-release-"));
  const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const uses = "      - uses: org/goci/actions/deploy-ecs@v1\n";

  beforeAll(() => {
    mkdirSync(join(root, ".github/workflows"), { recursive: true });
    writeFileSync(join(root, ".github/workflows/ecs.yml"), uses);
    git("init", "--quiet", "--initial-branch=main");
    git("config", "user.name", "test");
    git("config", "user.email", "test@example.com");
    git("config", "commit.gpgsign", "false");
    git("add", ".");
    git("commit", "--quiet", "--message", "a workflow");
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test("names workflows and actions of one commit, and leaves the branch as it is", () => {
    const main = git("rev-parse", "main");
    const commit = release(root, "v1.2.3", "acme/ci");
    const file = ".github/workflows/ecs.yml";
    expect(git("show", `v1.2.3:${file}`)).toBe("- uses: acme/ci/actions/deploy-ecs@v1.2.3");
    expect(git("rev-parse", "v1")).toBe(commit);
    expect(git("rev-parse", "main")).toBe(main);
    git("checkout", "--quiet", "main");
    expect(`${git("show", `main:${file}`)}`).toBe(uses.trim());
  });

  test("of an older line leaves the moving tag where it is", () => {
    const before = git("rev-parse", "v1");
    expect(release(root, "v1.1.9", "acme/ci")).not.toBe(before);
    expect(git("rev-parse", "v1")).toBe(before);
    expect(release(root, "v1.10.0", "acme/ci")).toBe(git("rev-parse", "v1"));
  });

  test.each([
    ["v1.2.3", "acme/ci", "exists"],
    ["1.2.4", "acme/ci", "no version"],
    ["v1.2.4", "acme", "owner/repository"],
  ])("%s of %s is refused: %s", (version, repository, message) => {
    expect(() => release(root, version, repository)).toThrow(message);
  });

  test("another's actions stay as they are", () => {
    const text = "uses: actions/checkout@f548e57 # v7\nuses: org/goci/.github/workflows/ecs.yml@v1\n";
    expect(pinned(text, "acme/ci", "v1.0.0")).toBe(
      "uses: actions/checkout@f548e57 # v7\nuses: acme/ci/.github/workflows/ecs.yml@v1.0.0\n",
    );
  });
});

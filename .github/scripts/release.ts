/**
 * Makes a release of the commit that is checked out: a commit of its own, on no
 * branch, in which the public workflows name the actions by this repository and
 * the full version, so that workflow and actions are of one commit. Tags it
 * `v1.2.3` and moves `v1`, unless a later version has it. Pushes nothing.
 *
 * Usage: node .github/scripts/release.ts v1.2.3 [owner/repository]
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "./repository.ts";

const OURS = /\borg\/goci\/(actions|\.github\/workflows)\/([\w.-]+)@v\d+\b/g;

/** A workflow with the actions of one release. */
export function pinned(text: string, repository: string, version: string): string {
  return text.replace(
    OURS,
    (_whole, folder: string, name: string) => `${repository}/${folder}/${name}@${version}`,
  );
}

/** Makes the commit and the tags in a clone; returns the commit. */
export function release(root: string, version: string, repository: string): string {
  if (!/^v\d+\.\d+\.\d+$/.test(version))
    throw new Error(`\`${version}\` is no version: it must look like v1.2.3`);
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) throw new Error(`\`${repository}\` is no owner/repository`);
  const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  if (git("status", "--porcelain") !== "") throw new Error("there are uncommitted changes");
  if (git("tag", "--list", version) !== "")
    throw new Error(`${version} exists: a released version never changes`);
  const folder = join(root, ".github/workflows");
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".yml"))) {
    const path = join(folder, file);
    writeFileSync(path, pinned(readFileSync(path, "utf8"), repository, version));
  }
  git("checkout", "--quiet", "--detach");
  git("commit", "--quiet", "--allow-empty", "--message", version, "--", ".github/workflows");
  git("tag", version);
  const major = version.replace(/\..*$/, "");
  const newest = git("tag", "--list", `${major}.*`, "--sort=-version:refname").split("\n")[0];
  // A fix of an older line leaves everyone else where they are.
  if (newest === version) git("tag", "--force", major);
  return git("rev-parse", "HEAD");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [version = "", repository = process.env["GITHUB_REPOSITORY"] ?? ""] = process.argv.slice(2);
  console.log(release(ROOT, version, repository));
}

import { existsSync, realpathSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import type { Annotation } from "../../../lib/log.ts";
import { type TestCase, titleOf } from "./reports/test-report.ts";

/**
 * GitHub shows ten errors of a step. The action's own is one of them, and one
 * more says how many were left out.
 */
const SHOWN = 8;

/** Where paths of tests are looked for. */
export interface Tree {
  readonly workspace: string;
  /** The working directory. */
  readonly root: string;
  /** The Go module's name; "" for none. */
  readonly goModule: string;
}

/** One error for each of the first failed tests, and one that says how many more there are. */
export function annotationsOf(failed: readonly TestCase[], tree: Tree): Annotation[] {
  const list: Annotation[] = failed.slice(0, SHOWN).map((test) => ({
    level: "error",
    title: titleOf(test).slice(0, 200),
    message: `${test.message || "failed"}${test.detail ? `\n\n${excerpt(test.detail)}` : ""}`,
    ...placeOf(test, tree),
  }));
  const more = failed.length - SHOWN;
  if (more > 0) {
    list.push({
      level: "error",
      title: `${more} more failed ${more === 1 ? "test" : "tests"}`,
      message: `${failed.length} tests failed, the first ${SHOWN} are annotated; the job summary lists the others`,
    });
  }
  return list;
}

/** The first lines of a failure: an annotation is no place for a whole log. */
function excerpt(detail: string): string {
  return detail.split("\n").slice(0, 30).join("\n").slice(0, 3000);
}

/** The test's own place, else the first frame of its stack that lies in the project. */
function placeOf(test: TestCase, tree: Tree): { file?: string; line?: number } {
  const frames: [string, number][] = [];
  if (test.file !== "" && test.line > 0) frames.push([goFile(test, tree), test.line]);
  // A run of characters without spaces, colons or brackets, then `:line`.
  for (const match of test.detail.matchAll(
    /((?:file:\/\/)?(?:\/|\.{0,2}\/)?[\w@.+-][^\s:()'"]*\.\w+):(\d+)/g,
  )) {
    frames.push([(match[1] ?? "").replace(/^file:\/\//, ""), Number(match[2])]);
    if (frames.length > 50) break;
  }
  if (test.file !== "") frames.push([goFile(test, tree), test.line]);
  for (const [file, line] of frames) {
    const inTree = inWorkspace(file, tree);
    if (inTree !== undefined) return line > 0 ? { file: inTree, line } : { file: inTree };
  }
  return {};
}

/** Go names files relative to their package. */
function goFile(test: TestCase, tree: Tree): string {
  if (tree.goModule === "" || !test.file.endsWith(".go") || test.file.includes("/")) return test.file;
  const isInModule = test.suite === tree.goModule || test.suite.startsWith(`${tree.goModule}/`);
  return isInModule ? join(test.suite.slice(tree.goModule.length + 1), test.file) : test.file;
}

function inWorkspace(file: string, tree: Tree): string | undefined {
  const path = isAbsolute(file) ? file : join(tree.root, file);
  if (path.split(sep).includes("node_modules") || !existsSync(path)) return undefined;
  const inside = relative(realpathSync(tree.workspace), realpathSync(path));
  return inside === "" || inside.startsWith("..") || isAbsolute(inside)
    ? undefined
    : inside.split(sep).join("/");
}

import { readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import picomatch from "picomatch";
import { messageOf } from "../../../../lib/errors.ts";
import { type Coverage, fileIn, hitBranch, hitLine, mergeCoverage } from "./coverage.ts";
import { type CoverageFormat, parseCoverage, tellCoverageFormat } from "./formats.ts";

/** All coverage files together. */
export interface CoverageResult {
  readonly coverage: Coverage;
  readonly read: readonly string[];
  readonly unreadable: readonly { readonly file: string; readonly why: string }[];
}

/** What decides on paths. */
export interface CoverageOptions {
  readonly root: string;
  /** Globs of source files that do not count. */
  readonly exclude: readonly string[];
  /** The Go module's name, taken off Go's paths; "" for none. */
  readonly goModule: string;
  /** Files of another kind are no error: the globs are our guess. */
  readonly lenient: boolean;
}

/** Reads coverage files, each in the format that its content shows, and merges them. */
export async function readCoverage(
  files: readonly string[],
  options: CoverageOptions,
): Promise<CoverageResult> {
  const merged: Coverage = new Map();
  const read: string[] = [];
  const unreadable: { file: string; why: string }[] = [];
  for (const file of files) {
    try {
      const text = readFileSync(resolve(options.root, file), "utf8");
      const format = tellCoverageFormat(text);
      if (format === undefined && text.trim() !== "" && options.lenient) continue;
      if (format === undefined) throw new Error(text.trim() === "" ? "it is empty" : UNKNOWN);
      mergeCoverage(merged, await parse(format, text));
      read.push(file);
    } catch (error) {
      unreadable.push({ file, why: messageOf(error) });
    }
  }
  return { coverage: relevant(merged, options), read, unreadable };
}

async function parse(format: CoverageFormat, text: string): Promise<Coverage> {
  if (format !== "cobertura") return parseCoverage(format, text);
  const { parseCobertura } = await import("./cobertura.ts");
  return parseCobertura(text);
}

const UNKNOWN = "it is neither lcov, Cobertura, a Go cover profile nor istanbul JSON";

/** Paths relative to the root, one spelling each, without what is excluded. */
function relevant(coverage: Coverage, options: CoverageOptions): Coverage {
  const isExcluded = picomatch([...options.exclude], { dot: true });
  const result: Coverage = new Map();
  for (const [name, file] of coverage) {
    const path = pathOf(name, options);
    if (path.split("/").includes("node_modules") || (options.exclude.length > 0 && isExcluded(path)))
      continue;
    const target = fileIn(result, path);
    for (const [key, unit] of file.lines) hitLine(target, key, unit.hits, unit.weight);
    for (const [key, hits] of file.branches) hitBranch(target, key, hits);
  }
  return result;
}

function pathOf(name: string, options: CoverageOptions): string {
  const plain = name.replace(/^file:\/\//, "");
  const prefix = `${options.goModule}/`;
  const local = options.goModule !== "" && plain.startsWith(prefix) ? plain.slice(prefix.length) : plain;
  const path = relative(options.root, resolve(options.root, local)).split(sep).join("/");
  // Outside of the root the name as written says more than a chain of dots.
  return path.startsWith("../") ? local : join(path);
}

import { ReportProblem } from "../reports/test-report.ts";
import { type Coverage, fileIn, hitBranch, hitLine } from "./coverage.ts";

/** Formats of coverage files. */
export type CoverageFormat = "lcov" | "go-cover" | "cobertura" | "istanbul";

/** What the first bytes of a file say it is; undefined when it is none of ours. */
export function tellCoverageFormat(head: string): CoverageFormat | undefined {
  const text = head.replace(/^\ufeff/, "").trimStart();
  if (/^mode: (set|count|atomic)\b/.test(text)) return "go-cover";
  if (/^(TN:|SF:)/.test(text)) return "lcov";
  if (text.startsWith("<")) return /<coverage[\s>]/.test(text) ? "cobertura" : undefined;
  return /^\{\s*(\}|"[^"]*"\s*:\s*\{\s*"(path|statementMap|data)")/.test(text) ? "istanbul" : undefined;
}

/** Reads one coverage file that is no XML. Throws a `ReportProblem` when it is damaged or cut off. */
export function parseCoverage(format: Exclude<CoverageFormat, "cobertura">, text: string): Coverage {
  if (format === "lcov") return parseLcov(text);
  if (format === "go-cover") return parseGoCover(text);
  return parseIstanbul(text);
}

/** https://github.com/linux-test-project/lcov (geninfo, "Tracefile format") */
export function parseLcov(text: string): Coverage {
  const coverage: Coverage = new Map();
  let file = "";
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("SF:")) file = line.slice(3).trim();
    else if (line === "end_of_record") file = "";
    else if (line.startsWith("DA:")) {
      const [number, hits] = line.slice(3).split(",");
      if (file === "" || !/^\d+$/.test(number ?? "") || !/^-?\d+$/.test(hits ?? "")) throw damaged(line);
      hitLine(fileIn(coverage, file), number ?? "", Number(hits));
    } else if (line.startsWith("BRDA:")) {
      const [at, block, branch, taken] = line.slice(5).split(",");
      if (file === "" || !/^(-|\d+)$/.test(taken ?? "")) throw damaged(line);
      hitBranch(fileIn(coverage, file), `${at}:${block}:${branch}`, taken === "-" ? 0 : Number(taken));
    }
    if (file !== "") fileIn(coverage, file);
  }
  if (file !== "") throw new ReportProblem(`it ends inside the record of ${file}`);
  return coverage;
}

/** https://go.dev/src/cmd/cover: statements, not lines, as `go tool cover` counts. */
export function parseGoCover(text: string): Coverage {
  const coverage: Coverage = new Map();
  if (!text.endsWith("\n")) throw new ReportProblem("its last line is cut off");
  for (const line of text.split(/\r?\n/)) {
    if (line === "" || line.startsWith("mode: ")) continue;
    const match = /^(.+):(\d+\.\d+,\d+\.\d+) (\d+) (\d+)$/.exec(line);
    if (!match) throw damaged(line);
    const [, file = "", block = "", statements, hits] = match;
    if (Number(statements) > 0) hitLine(fileIn(coverage, file), block, Number(hits), Number(statements));
  }
  return coverage;
}

interface IstanbulFile {
  readonly path?: string;
  readonly statementMap: Record<string, { start: { line: number } }>;
  readonly s: Record<string, number>;
  readonly branchMap?: Record<string, { line?: number; loc?: { start: { line: number } } }>;
  readonly b?: Record<string, number[]>;
}

/** A line's hits are those of the statement on it that ran most, as istanbul itself counts. */
export function parseIstanbul(text: string): Coverage {
  const coverage: Coverage = new Map();
  let files: Record<string, IstanbulFile | { data: IstanbulFile }>;
  try {
    files = JSON.parse(text) as Record<string, IstanbulFile | { data: IstanbulFile }>;
  } catch {
    throw new ReportProblem("it is not complete JSON");
  }
  for (const [path, entry] of Object.entries(files)) {
    const data = "data" in entry ? entry.data : entry;
    if (!data.statementMap || !data.s) throw new ReportProblem(`the entry of ${path} has no statements`);
    const file = fileIn(coverage, data.path ?? path);
    for (const [id, place] of Object.entries(data.statementMap)) {
      hitLine(file, String(place.start.line), data.s[id] ?? 0);
    }
    for (const [id, counts] of Object.entries(data.b ?? {})) {
      const line = data.branchMap?.[id]?.loc?.start.line ?? data.branchMap?.[id]?.line ?? 0;
      for (const [index, hits] of counts.entries()) hitBranch(file, `${line}:${id}:${index}`, hits);
    }
  }
  return coverage;
}

/** The file breaks its own form at this line. */
export function damaged(line: string): ReportProblem {
  return new ReportProblem(`it is damaged at \`${line.slice(0, 80)}\``);
}

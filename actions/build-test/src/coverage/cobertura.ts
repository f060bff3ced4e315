import { SaxesParser } from "saxes";
import { ReportProblem } from "../reports/test-report.ts";
import { type Coverage, fileIn, hitBranch, hitLine } from "./coverage.ts";
import { damaged } from "./formats.ts";

/** Branches come from each line's own condition coverage: the totals of some writers are wrong. */
export function parseCobertura(text: string): Coverage {
  const coverage: Coverage = new Map();
  const parser = new SaxesParser();
  const sources: string[] = [];
  let source: string | undefined;
  let file = "";
  let isInMethod = false;
  parser.on("error", (error) => {
    throw new ReportProblem(error.message.replace(/^\d+:\d+:\s*/, ""));
  });
  parser.on("opentag", ({ name, attributes }) => {
    if (name === "source") source = "";
    else if (name === "class") {
      file = withSource(sources, attributes["filename"] ?? "");
      fileIn(coverage, file);
    } else if (name === "methods") isInMethod = true;
    // Lines of methods are listed again for their class.
    else if (name === "line" && !isInMethod) takeCoberturaLine(coverage, file, attributes);
  });
  parser.on("text", (piece) => {
    if (source !== undefined) source += piece;
  });
  parser.on("closetag", ({ name }) => {
    if (name === "methods") isInMethod = false;
    if (name === "source" && source !== undefined) {
      sources.push(source.trim());
      source = undefined;
    }
  });
  parser.write(text.replace(/^\ufeff/, "")).close();
  return coverage;
}

function withSource(sources: readonly string[], filename: string): string {
  const [only] = sources;
  const isPlain = sources.length !== 1 || !only || only === "." || filename.startsWith("/");
  return isPlain ? filename : `${only.replace(/\/+$/, "")}/${filename}`;
}

function takeCoberturaLine(
  coverage: Coverage,
  file: string,
  attributes: Readonly<Record<string, string>>,
): void {
  const number = attributes["number"] ?? "";
  const hits = attributes["hits"] ?? "";
  if (!/^\d+$/.test(number) || !/^\d+$/.test(hits)) throw damaged(`line ${number} of ${file}`);
  const target = fileIn(coverage, file);
  hitLine(target, number, Number(hits));
  const branches = /\((\d+)\/(\d+)\)/.exec(attributes["condition-coverage"] ?? "");
  const [covered, total] = [Number(branches?.[1] ?? 0), Number(branches?.[2] ?? 0)];
  for (let index = 0; index < total; index++)
    hitBranch(target, `${number}:${index}`, index < covered ? 1 : 0);
}

import { resolve } from "node:path";
import type { InputReader } from "../../../../lib/inputs.ts";
import { splitWords } from "../../../../lib/words.ts";
import { parseSize } from "../sizes.ts";
import { type GateInputs, SEVERITIES } from "./model.ts";

/** Reads what the image must meet. */
export function readGates(read: InputReader, root: string): GateInputs {
  const path = (name: string) => {
    const text = read.text(name);
    return text === "" ? "" : resolve(root, text);
  };
  return {
    maxSize: readMaxSize(read),
    maxGrowth: readMaxGrowth(read),
    scanSecrets: read.bool("scan-secrets", true),
    vulnerabilityReport: path("vulnerability-report"),
    vulnerabilityCommand: readCommand(read),
    failOn: read.enumeration("vulnerability-fail-on", [...SEVERITIES, "none"], "critical"),
    ignoreUnfixed: read.bool("vulnerability-ignore-unfixed", false),
    ignoreFile: path("vulnerability-ignore-file"),
  };
}

function readMaxSize(read: InputReader): number | undefined {
  const text = read.text("max-size");
  if (text === "") return undefined;
  const bytes = parseSize(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  read.problem(`\`max-size\` is \`${text}\`: allowed is a size such as \`50MB\`, \`900KB\` or \`64MiB\``);
  return undefined;
}

function readMaxGrowth(read: InputReader): number | undefined {
  const text = read.text("max-growth");
  if (text === "") return undefined;
  const percent = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text)?.[1];
  if (percent !== undefined) return Number(percent);
  read.problem(`\`max-growth\` is \`${text}\`: allowed is a percentage such as \`10%\``);
  return undefined;
}

function readCommand(read: InputReader): readonly string[] {
  const line = read.text("vulnerability-command");
  if (line === "") return [];
  const words = splitWords(line);
  if (words.ok) return words.words;
  read.problem(`\`vulnerability-command\` is \`${line}\`: ${words.problem}`);
  return [];
}

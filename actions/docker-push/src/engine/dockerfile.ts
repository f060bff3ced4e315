/** One instruction of a Dockerfile. */
export interface Instruction {
  /** Counted from 1, the first line of it. */
  readonly line: number;
  /** Upper case. */
  readonly keyword: string;
  /** The whole of it, continued lines joined, blanks made single. */
  readonly text: string;
  readonly hereDocument: boolean;
}

/**
 * The instructions of a Dockerfile with their lines: enough to name the line
 * of a failed step, not a parser to build with.
 * https://docs.docker.com/reference/dockerfile/
 */
export function parseDockerfile(text: string): Instruction[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const joiner = /^#\s*escape\s*=\s*`/im.test(lines.slice(0, 5).join("\n")) ? "`" : "\\";
  const instructions: Instruction[] = [];
  for (let index = 0; index < lines.length; index++) {
    const first = (lines[index] ?? "").trim();
    if (first === "" || first.startsWith("#")) continue;
    const line = index + 1;
    let whole = first;
    while (whole.endsWith(joiner) && index + 1 < lines.length) {
      const next = (lines[++index] ?? "").trim();
      // Comments and empty lines inside an instruction do not end it.
      whole = whole.slice(0, -1) + (next.startsWith("#") || next === "" ? joiner : ` ${next}`);
    }
    const ends = hereDocuments(whole);
    for (const end of ends) while (index + 1 < lines.length && (lines[++index] ?? "").trim() !== end);
    const clean = whole.replace(/\s+/g, " ").trim();
    const keyword = (clean.split(" ", 1)[0] ?? "").toUpperCase();
    instructions.push({ line, keyword, text: clean, hereDocument: ends.length > 0 });
  }
  return instructions;
}

/**
 * The keywords of the steps that the wanted stage (the last one when `target`
 * is empty) puts onto its base image, those of the stages that it stands on
 * first. Empty when there is no such stage.
 */
export function stepsOnBase(instructions: readonly Instruction[], target: string): string[] {
  const stages: { readonly name: string; readonly base: string; readonly steps: string[] }[] = [];
  for (const { keyword, text } of instructions) {
    if (keyword === "FROM") {
      const [base = "", , name = ""] = text
        .split(" ")
        .slice(1)
        .filter((word) => !word.startsWith("--"));
      stages.push({ name: name.toLowerCase(), base: base.toLowerCase(), steps: [] });
    } else if (keyword !== "ONBUILD") stages.at(-1)?.steps.push(keyword);
  }
  const find = (name: string, below: number) =>
    stages.findLastIndex((stage, index) => index < below && (stage.name === name || String(index) === name));
  const steps: string[] = [];
  let at = target === "" ? stages.length - 1 : find(target.toLowerCase(), stages.length);
  for (; at >= 0; at = find(stages[at]?.base ?? "", at)) steps.unshift(...(stages[at]?.steps ?? []));
  return steps;
}

function hereDocuments(text: string): string[] {
  if (!/^(?:RUN|COPY|ADD)\s/i.test(text)) return [];
  // `<<<` is a here-string of the shell, `$((1<<2))` arithmetic: neither has a word right behind `<<`.
  return [...text.matchAll(/(?<![<\w])<<-?(["']?)([A-Za-z_]\w*)\1/g)].map((match) => match[2] ?? "");
}

/** Whether an instruction uses what the classic builder does not know. */
export function needsBuildKit(instructions: readonly Instruction[]): boolean {
  return instructions.some(({ keyword, text, hereDocument }) => {
    const flags = (/^\S+((?: --\S+)*)/.exec(text)?.[1] ?? "").toLowerCase();
    if (keyword === "RUN" && /--(?:mount|network|security)=/.test(flags)) return true;
    if (
      (keyword === "COPY" || keyword === "ADD") &&
      /--(?:chmod|link|exclude|parents|checksum)\b/.test(flags)
    )
      return true;
    return hereDocument;
  });
}

/** The instruction that a step's text stands for; builders print it with variables replaced or as it is. */
export function findInstruction(instructions: readonly Instruction[], step: string): Instruction | undefined {
  const wanted = step.replace(/\s+/g, " ").trim();
  const start = wanted.toLowerCase();
  return (
    instructions.find((instruction) => instruction.text === wanted) ??
    instructions.find((instruction) => instruction.text.toLowerCase() === start) ??
    instructions.find((instruction) => wanted.length > 20 && instruction.text.startsWith(wanted.slice(0, 60)))
  );
}

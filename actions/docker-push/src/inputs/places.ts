import { existsSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { UserError } from "../../../../lib/errors.ts";
import type { Inputs } from "./model.ts";

/** What is wrong with the files that the run starts from, one line each. */
export function placeProblems(inputs: Pick<Inputs, "source" | "build" | "root" | "gates">): string[] {
  const { source, build, root, gates } = inputs;
  const shown = (path: string) => `\`${relative(root, path) || "."}\``;
  const problems: string[] = [];
  if (gates.ignoreFile !== "" && !existsSync(gates.ignoreFile))
    problems.push(`\`vulnerability-ignore-file\` is ${shown(gates.ignoreFile)}, which does not exist`);
  if (source.kind === "tar" && !existsSync(source.path))
    problems.push(`\`source\` is the archive ${shown(source.path)}, which does not exist`);
  if (source.kind !== "build") return problems;
  const context = statSync(build.context, { throwIfNoEntry: false });
  if (!context) problems.push(`\`context\` is ${shown(build.context)}, which does not exist`);
  else if (!context.isDirectory())
    problems.push(`\`context\` is ${shown(build.context)}, which is no folder`);
  const isWithin = build.file.startsWith(`${build.context}/`);
  if (statSync(build.file, { throwIfNoEntry: false })?.isFile() || (isWithin && !context?.isDirectory()))
    return problems;
  const inContext = resolve(build.context, relative(root, build.file));
  const hint = existsSync(inContext)
    ? `: write ${shown(inContext)}, since \`file\` starts at \`working-directory\``
    : "";
  problems.push(`\`file\` is ${shown(build.file)}, which does not exist${hint}`);
  return problems;
}

/** Throws when an artifact did not bring what the build starts from. */
export function requirePlaces(inputs: Inputs): void {
  const problems = placeProblems(inputs);
  if (problems.length > 0) throw new UserError(problems);
}

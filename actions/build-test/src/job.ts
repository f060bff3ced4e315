import { mkdirSync, mkdtempSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { RunContext } from "../../../lib/action.ts";
import { messageOf, UserError } from "../../../lib/errors.ts";
import { childEnv } from "./child-env.ts";
import { type Project, readProject } from "./detect.ts";
import { isInside } from "./find-files.ts";
import type { Inputs } from "./inputs.ts";
import { makePlan, type Plan } from "./plan.ts";
import { parseQuarantine, type QuarantineEntry } from "./quarantine.ts";
import { MARK_VARIABLE, newMark } from "./strays.ts";

/** One run: what it is told, where it works and what it will do. */
export interface Job {
  readonly inputs: Inputs;
  readonly context: RunContext;
  readonly startedAt: number;
  readonly workspace: string;
  /** The working directory, links resolved. */
  readonly root: string;
  readonly project: Project;
  readonly plan: Plan;
  readonly quarantine: readonly QuarantineEntry[];
  /** What the project's processes carry in their environment, so that the post step finds strays. */
  readonly mark: string;
  /** A folder for this run's own files; made by the first who asks. */
  work(): string;
  /** The environment of the project's commands. */
  env(extra?: Readonly<Record<string, string | undefined>>): Record<string, string | undefined>;
}

/** Looks at the project and plans the run; writes nothing. Throws a `UserError`. */
export function openJob(inputs: Inputs, context: RunContext): Job {
  const workspace = realpathSync(context.github.workspace);
  const root = openRoot(workspace, inputs.workingDirectory);
  const project = openProject(root, workspace);
  const mark = newMark();
  let work = "";
  const makeWork = () => {
    if (work === "") {
      const parent = join(context.github.temp, "goci");
      mkdirSync(parent, { recursive: true });
      work = mkdtempSync(join(parent, "build-test-"));
    }
    return work;
  };
  return {
    inputs,
    context,
    startedAt: context.clock.now(),
    workspace,
    root,
    project,
    plan: makePlan(project, {
      ...inputs.plan,
      coverProfile: inputs.coverage.paths === undefined ? `${WORK}/cover.out` : "",
      runnerReport: inputs.reportPaths === undefined ? `${WORK}/runner.json` : "",
    }),
    quarantine: openQuarantine(root, inputs.quarantineFile, workspace),
    work: makeWork,
    mark,
    env: (extra = {}) => childEnv(context.env, { ...extra, [MARK_VARIABLE]: mark }),
  };
}

/** Stands in the plan for the work folder, which a dry run does not make. */
export const WORK = "$WORK";

function openRoot(workspace: string, folder: string): string {
  const path = resolve(workspace, folder);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UserError([`\`working-directory\` is \`${folder}\`: there is no such folder in the workspace`]);
  }
  if (!isInside(workspace, path)) {
    throw new UserError([`\`working-directory\` is \`${folder}\`: it lies outside of the workspace`]);
  }
  return realpathSync(path);
}

function openProject(root: string, workspace: string): Project {
  try {
    return readProject(root, workspace);
  } catch (error) {
    throw new UserError([`package.json cannot be read: ${messageOf(error)}`], "correct package.json");
  }
}

function openQuarantine(root: string, file: string, workspace: string): QuarantineEntry[] {
  if (file === "") return [];
  const path = resolve(root, file);
  if (!isInside(workspace, path)) {
    throw new UserError([`\`quarantine-file\` is \`${file}\`: there is no such file in the workspace`]);
  }
  return parseQuarantine(readFileSync(path, "utf8"), file);
}

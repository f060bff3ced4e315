import type { Language, PackageManager, Project } from "./detect.ts";

export type Stage = "install" | "build" | "test";

/** One command of the plan. */
export interface Step {
  readonly stage: Stage;
  readonly argv: readonly [string, ...string[]];
  /** Where this command came from, for the log. */
  readonly why: string;
  /** Folder to run in; undefined means the working directory. */
  readonly folder?: string;
  /** Its stdout is a report in this format, not prose. */
  readonly stdout: "prose" | "go-test-json";
}

/** What will be run, and how that was decided. */
export interface Plan {
  readonly languages: readonly Language[];
  readonly packageManager: PackageManager | undefined;
  readonly steps: readonly Step[];
  /** Decisions, one line each. */
  readonly notes: readonly string[];
  /** Why there is nothing to test with, "" when there is. */
  readonly noTests: string;
  /** Whether node:test can be told to write JUnit through NODE_OPTIONS. */
  readonly usesNodeTest: boolean;
}

/** A command of the user's: words, `none` to skip, or undefined to detect. */
export type Wanted = readonly [string, ...string[]] | "none" | undefined;

/** The inputs that decide on the plan. */
export interface PlanInputs {
  readonly language: "auto" | "node" | "go" | "none";
  readonly packageManager: "auto" | PackageManager;
  readonly commands: Readonly<Record<Stage, Wanted>>;
  /** Where a Go cover profile goes; "" for none. */
  readonly coverProfile: string;
  /** Where jest or vitest is told to report; "" leaves it to them. */
  readonly runnerReport: string;
}

/** Decides what to run. Pure. */
export function makePlan(project: Project, inputs: PlanInputs): Plan {
  const notes: string[] = [];
  const languages = chooseLanguages(project, inputs, notes);
  const manager = languages.includes("node") ? chooseManager(project, inputs, notes) : undefined;
  const steps: Step[] = [];
  let noTests = "";
  for (const stage of ["install", "build", "test"] as const) {
    const wanted = inputs.commands[stage];
    if (wanted === "none") notes.push(`${stage}: skipped, as \`${stage}-command\` is \`none\``);
    else if (wanted)
      steps.push({ stage, argv: wanted, why: `\`${stage}-command\``, stdout: stdoutOf(wanted) });
    else {
      const found = detectSteps(stage, project, languages, manager, inputs);
      steps.push(...found);
      if (stage === "test") noTests = whyNoTests(found, languages, project);
    }
  }
  return {
    languages,
    packageManager: manager,
    steps,
    notes,
    noTests,
    usesNodeTest: usesNodeTest(project, languages),
  };
}

function chooseLanguages(project: Project, inputs: PlanInputs, notes: string[]): Language[] {
  if (inputs.language === "none") return [];
  if (inputs.language !== "auto") {
    notes.push(`language ${inputs.language} from \`language\``);
    return [inputs.language];
  }
  const languages: Language[] = [];
  if (project.packageJson) languages.push("node");
  if (project.goModule !== undefined) languages.push("go");
  const files = { node: "package.json", go: "go.mod" } as const;
  if (languages.length === 0) notes.push("no language: neither package.json nor go.mod is here");
  for (const language of languages) notes.push(`language ${language} from ${files[language]}`);
  return languages;
}

function chooseManager(project: Project, inputs: PlanInputs, notes: string[]): PackageManager {
  if (inputs.packageManager !== "auto") {
    notes.push(`package manager ${inputs.packageManager} from \`package-manager\``);
    return inputs.packageManager;
  }
  const named = /^(npm|yarn|pnpm|bun)@/.exec(project.packageJson?.packageManager ?? "")?.[1];
  if (named) {
    notes.push(`package manager ${named} from the packageManager field of package.json`);
    return named as PackageManager;
  }
  if (project.lock) {
    notes.push(`package manager ${project.lock.manager} from ${project.lock.file}`);
    return project.lock.manager;
  }
  notes.push("package manager npm, as there is no lock file");
  return "npm";
}

function detectSteps(
  stage: Stage,
  project: Project,
  languages: readonly Language[],
  manager: PackageManager | undefined,
  inputs: PlanInputs,
): Step[] {
  const steps: Step[] = [];
  if (languages.includes("node") && manager) {
    const command = nodeCommand(stage, manager, project);
    const extra = stage === "test" ? reporterArguments(project, manager, inputs.runnerReport) : [];
    const argv = command && ([...command, ...extra] as const);
    const lockFolder = stage === "install" ? project.lock?.folder : undefined;
    if (argv)
      steps.push({
        stage,
        argv,
        why: `${manager} project`,
        stdout: "prose",
        ...(lockFolder ? { folder: lockFolder } : {}),
      });
  }
  if (languages.includes("go")) {
    const argv = goCommand(stage, project, inputs.coverProfile);
    if (argv)
      steps.push({ stage, argv, why: "Go module", stdout: stage === "test" ? "go-test-json" : "prose" });
  }
  return steps;
}

function nodeCommand(stage: Stage, manager: PackageManager, project: Project): Step["argv"] | undefined {
  const scripts = project.packageJson?.scripts ?? {};
  if (stage === "install") return installCommand(manager, project);
  if (stage === "build" && scripts["build"] === undefined) return undefined;
  if (stage === "test" && scripts["test"] === undefined) return undefined;
  // `bun test` and `yarn test` differ in what they mean; `run` is the script for all four.
  if (manager === "npm" && stage === "test") return ["npm", "test"];
  return [manager, "run", stage];
}

function installCommand(manager: PackageManager, project: Project): Step["argv"] {
  const isLocked = project.lock?.manager === manager;
  switch (manager) {
    case "npm":
      return isLocked
        ? ["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund"]
        : ["npm", "install", "--no-package-lock", "--prefer-offline", "--no-audit", "--no-fund"];
    case "yarn":
      if (!isLocked) return ["yarn", "install"];
      return ["yarn", "install", project.isYarnBerry ? "--immutable" : "--frozen-lockfile"];
    case "pnpm":
      return isLocked ? ["pnpm", "install", "--frozen-lockfile"] : ["pnpm", "install"];
    case "bun":
      return isLocked ? ["bun", "install", "--frozen-lockfile"] : ["bun", "install"];
  }
}

function goCommand(stage: Stage, project: Project, coverProfile: string): Step["argv"] | undefined {
  if (stage === "install") return project.hasGoRequirements ? ["go", "mod", "download"] : undefined;
  if (stage === "build") return ["go", "build", "./..."];
  return ["go", "test", "-json", ...(coverProfile ? [`-coverprofile=${coverProfile}`] : []), "./..."];
}

/** `go test -json`, run by whoever, prints its report. */
function stdoutOf(argv: readonly string[]): Step["stdout"] {
  const isGoTest =
    argv[0] === "go" &&
    argv[1] === "test" &&
    /^--?json(=true)?$/.test(argv.find((word) => /^--?json\b/.test(word)) ?? "");
  return isGoTest ? "go-test-json" : "prose";
}

function whyNoTests(found: readonly Step[], languages: readonly Language[], project: Project): string {
  if (languages.length === 0) return "no language was detected and no `test-command` is given";
  if (
    languages.includes("node") &&
    project.packageJson?.scripts["test"] === undefined &&
    found.length === 0
  ) {
    return "package.json has no `test` script";
  }
  return "";
}

/** A script that runs `node --test` and names no reporter of its own. */
function usesNodeTest(project: Project, languages: readonly Language[]): boolean {
  if (!languages.includes("node")) return false;
  const scripts = Object.values(project.packageJson?.scripts ?? {});
  return (
    scripts.some((script) => /\bnode\b.*\s--test\b/.test(script)) &&
    !scripts.some((script) => script.includes("--test-reporter"))
  );
}

/**
 * Arguments that make jest or vitest write JSON beside what they print. Only
 * for a script that is one plain call of theirs: in any other the arguments
 * could reach another program, and one with reporters of its own keeps them.
 */
function reporterArguments(project: Project, manager: PackageManager, file: string): string[] {
  const script = project.packageJson?.scripts["test"] ?? "";
  const call = /^(?:cross-env\s+)?(?:[A-Z_]+=\S+\s+)*(?:npx\s+)?(jest|vitest)\b[^|&;<>]*$/.exec(
    script.trim(),
  );
  if (file === "" || !call || /--(json|reporter|reporters|outputFile)\b/.test(script)) return [];
  const reporters = {
    jest: ["--json", `--outputFile=${file}`],
    vitest: ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`],
  } as const;
  const chosen = call[1] === "vitest" ? reporters.vitest : reporters.jest;
  return manager === "npm" ? ["--", ...chosen] : [...chosen];
}
